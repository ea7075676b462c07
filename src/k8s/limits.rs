//! The autoscalers and the quotas of a namespace, read once when an action is reviewed: nobody watches them.

use super::connect::Session;
use super::once::{json, once};
use super::watch::{Answer as Reply, Trouble, escaped, get};
use crate::actions::Answer;
use crate::actions::extent::{Autoscaler, Quota, QuotaRow};
use crate::cluster::{Text, millis};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);
/// A namespace has a few of them.
const LARGEST: usize = 8 << 20;

pub async fn autoscalers(session: &Session, namespace: &str) -> Answer {
    let folder = format!("/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers", escaped(namespace));
    match listed::<AutoscalerRow>(session, &folder).await {
        Ok(rows) => Answer::Autoscalers(rows.into_iter().map(Autoscaler::from).collect()),
        Err(answer) => answer,
    }
}

/// Those that hold for all pods: what holds for some of them only is left out.
pub async fn quotas(session: &Session, namespace: &str) -> Answer {
    let folder = format!("/api/v1/namespaces/{}/resourcequotas", escaped(namespace));
    match listed::<ResourceQuota>(session, &folder).await {
        Ok(rows) => Answer::Quotas(rows.into_iter().filter_map(ResourceQuota::quota).collect()),
        Err(answer) => answer,
    }
}

async fn listed<T: DeserializeOwned>(session: &Session, folder: &str) -> Result<Vec<T>, Answer> {
    let read = once(session, LIMIT, async || {
        let reply = Reply::to(get(folder, "application/json", false), &session.client()).await?;
        json::<Items<T>>(&reply.collected(LARGEST).await?)
    });
    match read.await {
        Ok(list) => Ok(list.items),
        Err(Trouble::Absent { reason }) => Err(Answer::No { reason: reason.into() }),
        Err(trouble) => Err(Answer::Failed(trouble.into())),
    }
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    owner_references: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct AutoscalerRow {
    metadata: Metadata,
    spec: AutoscalerSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AutoscalerSpec {
    scale_target_ref: Named,
    /// One, where nothing is said.
    min_replicas: Option<u32>,
    max_replicas: u32,
    #[serde(default)]
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    resource: Option<Measured>,
    container_resource: Option<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    name: String,
    target: Goal,
}

#[derive(Deserialize)]
struct Goal {
    #[serde(rename = "type")]
    by: String,
}

impl From<AutoscalerRow> for Autoscaler {
    fn from(AutoscalerRow { metadata, spec }: AutoscalerRow) -> Self {
        let owner = metadata.owner_references.first();
        let measured = spec.metrics.iter().flat_map(|metric| [&metric.resource, &metric.container_resource]);
        let shares = measured.flatten().filter(|measured| measured.goal_is_a_share());
        let mut shares: Vec<Text> = shares.map(|measured| Text::new(&measured.name)).collect();
        shares.sort();
        shares.dedup();
        Self {
            name: Text::new(&metadata.name),
            kind: Text::new(&spec.scale_target_ref.kind),
            target: Text::new(&spec.scale_target_ref.name),
            least: spec.min_replicas.unwrap_or(1),
            most: spec.max_replicas,
            owner: owner.map(|owner| Text::from(format!("{} {}", owner.kind, owner.name))),
            shares,
        }
    }
}

impl Measured {
    fn goal_is_a_share(&self) -> bool {
        self.target.by == "Utilization"
    }
}

#[derive(Deserialize)]
struct ResourceQuota {
    metadata: Metadata,
    #[serde(default)]
    spec: QuotaSpec,
    #[serde(default)]
    status: QuotaStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuotaSpec {
    #[serde(default)]
    scopes: Vec<String>,
    scope_selector: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct QuotaStatus {
    #[serde(default)]
    hard: BTreeMap<String, String>,
    #[serde(default)]
    used: BTreeMap<String, String>,
}

impl ResourceQuota {
    fn quota(self) -> Option<Quota> {
        let Self { metadata, spec, status } = self;
        if !spec.scopes.is_empty() || spec.scope_selector.is_some() {
            return None;
        }
        let row = |(resource, hard): (&String, &String)| {
            let used = status.used.get(resource).and_then(|used| millis(used)).unwrap_or_default();
            Some(QuotaRow { resource: Text::new(resource), hard: millis(hard)?, used })
        };
        let rows = status.hard.iter().filter_map(row).collect();
        Some(Quota { name: Text::new(&metadata.name), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_autoscaler_tells_its_bounds_its_maker_and_what_it_goes_by() {
        let row: AutoscalerRow = serde_json::from_value(json!({
            "metadata": { "name": "web", "ownerReferences": [{ "kind": "ScaledObject", "name": "web-so" }] },
            "spec": {
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
                "maxReplicas": 9,
                "metrics": [
                    { "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } } },
                    { "type": "Resource", "resource": { "name": "memory", "target": { "type": "AverageValue" } } },
                    { "type": "External", "external": { "metric": { "name": "queue" } } },
                ],
            },
        }))
        .unwrap();
        let scaler = Autoscaler::from(row);
        assert_eq!((scaler.least, scaler.most), (1, 9));
        assert_eq!(scaler.owner.as_deref(), Some("ScaledObject web-so"));
        assert_eq!(scaler.shares, ["cpu"]);
    }

    #[test]
    fn a_quota_is_read_from_its_status_and_one_of_some_pods_is_left_out() {
        let quota = |spec: serde_json::Value| -> Option<Quota> {
            let status = json!({ "hard": { "pods": "10", "limits.memory": "1Gi" }, "used": { "pods": "4" } });
            let value = json!({ "metadata": { "name": "all" }, "spec": spec, "status": status });
            serde_json::from_value::<ResourceQuota>(value).unwrap().quota()
        };
        let rows = quota(json!({})).unwrap().rows;
        let rows: Vec<(&str, u64, u64)> =
            rows.iter().map(|row| (row.resource.as_str(), row.hard, row.used)).collect();
        assert_eq!(rows, [("limits.memory", (1 << 30) * 1000, 0), ("pods", 10_000, 4_000)]);
        assert_eq!(quota(json!({ "scopes": ["BestEffort"] })), None);
    }
}

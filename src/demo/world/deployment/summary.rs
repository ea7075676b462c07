//! What a deployment says of itself: its counts, whether enough of it is there, and whether it gets on.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::super::object;
use super::super::super::resource::Resource;
use super::super::Stage;
use super::super::rollout::{replicas, set_dated_condition};
use super::Rollout;

/// `progressDeadlineSeconds`, unless it says otherwise.
const DEADLINE: i64 = 600;

struct Counts {
    replicas: i64,
    updated: i64,
    available: i64,
    ready: i64,
    missing: i64,
    leaving: i64,
}

/// Posts the status; gives the moment at which it will have taken too long.
pub(super) fn post(
    stage: &mut Stage<'_>,
    rollout: &Rollout<'_>,
    created: Option<&Value>,
) -> Option<Timestamp> {
    let now = stage.now;
    let key = object::key(rollout.deployment);
    let deployment = stage.store.get(Resource::Deployments, &key)?;
    let wanted = replicas(&deployment);
    let sum = |pointer: &str| rollout.all().map(|set| object::number(set, pointer).unwrap_or(0)).sum::<i64>();
    let counts = Counts {
        replicas: sum("/status/replicas"),
        updated: rollout.new.as_deref().and_then(|set| object::number(set, "/status/replicas")).unwrap_or(0),
        available: sum("/status/availableReplicas"),
        ready: sum("/status/readyReplicas"),
        leaving: sum("/status/terminatingReplicas"),
        missing: (rollout.all().map(|set| replicas(set)).sum::<i64>() - sum("/status/availableReplicas"))
            .max(0),
    };
    let deadline = object::number(&deployment, "/spec/progressDeadlineSeconds").unwrap_or(DEADLINE);
    let limit = stage.timers.seconds(deadline);
    let progress = progress(&deployment, rollout.new.as_ref(), &counts, created.is_some(), limit, now);
    let is_enough = counts.available >= wanted - rollout.leeway().1;
    stage.change(Resource::Deployments, &key, |deployment| {
        let generation = deployment["metadata"]["generation"].clone();
        let status = &mut deployment["status"];
        status["observedGeneration"] = generation;
        status["replicas"] = json!(counts.replicas);
        status["updatedReplicas"] = json!(counts.updated);
        status["readyReplicas"] = json!(counts.ready);
        status["availableReplicas"] = json!(counts.available);
        status["terminatingReplicas"] = json!(counts.leaving);
        object::merge(status, &json!({ "unavailableReplicas": null }));
        if counts.missing > 0 {
            status["unavailableReplicas"] = json!(counts.missing);
        }
        let available = if is_enough {
            json!({
                "status": "True",
                "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability.",
            })
        } else {
            json!({
                "status": "False",
                "reason": "MinimumReplicasUnavailable",
                "message": "Deployment does not have minimum availability.",
            })
        };
        set_dated_condition(deployment, "Available", &available, now);
        if let Some((fields, is_confirmed)) = &progress {
            set_dated_condition(deployment, "Progressing", fields, now);
            if *is_confirmed {
                let confirmed = json!({ "lastUpdateTime": object::time(now) });
                object::set_condition(deployment, "Progressing", &confirmed, now);
            }
        }
    });
    let posted = stage.store.get(Resource::Deployments, &key)?;
    let condition = object::condition(&posted, "Progressing")?;
    let is_under_way =
        ["NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetUpdated", "DeploymentResumed"]
            .contains(&object::text(condition, "/reason"));
    let last = object::time_at(condition, "/lastUpdateTime")?;
    // Times in objects are whole seconds: the next one is surely after it.
    (is_under_way && posted["spec"]["paused"] != true)
        .then(|| last + limit + SignedDuration::from_secs(1))
        .filter(|late| *late > now)
}

/// The condition `Progressing` as it should be, if it changes, and whether something moved just now.
fn progress(
    deployment: &Value,
    new: Option<&Arc<Value>>,
    counts: &Counts,
    was_created: bool,
    limit: SignedDuration,
    now: Timestamp,
) -> Option<(Value, bool)> {
    let name = new.map_or("", |set| object::name(set));
    let known = object::condition(deployment, "Progressing");
    let reason = known.map_or("", |known| object::text(known, "/reason"));
    let say = |status: &str, reason: &str, message: String| json!({ "status": status, "reason": reason, "message": message });
    if deployment["spec"]["paused"] == true {
        return (reason != "DeploymentPaused")
            .then(|| (say("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()), false));
    }
    if reason == "DeploymentPaused" {
        return Some((say("Unknown", "DeploymentResumed", "Deployment is resumed".to_owned()), false));
    }
    if was_created {
        return Some((
            say("True", "NewReplicaSetCreated", format!("Created new replica set \"{name}\"")),
            false,
        ));
    }
    let wanted = replicas(deployment);
    let is_complete = counts.updated == wanted
        && counts.replicas == wanted
        && counts.available == wanted
        && deployment["metadata"]["generation"] == deployment["status"]["observedGeneration"];
    if is_complete {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        return Some((say("True", "NewReplicaSetAvailable", message), false));
    }
    if reason == "NewReplicaSetAvailable" && counts.updated == counts.replicas {
        // Its pods come and go, but nothing is being rolled out.
        return None;
    }
    let before = |pointer: &str| object::number(deployment, pointer).unwrap_or(0);
    let old_before = before("/status/replicas") - before("/status/updatedReplicas");
    let has_moved = counts.updated > before("/status/updatedReplicas")
        || counts.replicas - counts.updated < old_before
        || counts.ready > before("/status/readyReplicas")
        || counts.available > before("/status/availableReplicas");
    if has_moved {
        return Some((
            say("True", "ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing.")),
            true,
        ));
    }
    let last = known.and_then(|known| object::time_at(known, "/lastUpdateTime"));
    let is_late = reason != "NewReplicaSetAvailable" && last.is_some_and(|last| last + limit < now);
    (is_late || reason == "ProgressDeadlineExceeded").then(|| {
        (
            say(
                "False",
                "ProgressDeadlineExceeded",
                format!("ReplicaSet \"{name}\" has timed out progressing."),
            ),
            false,
        )
    })
}

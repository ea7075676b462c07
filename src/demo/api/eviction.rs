//! Evicting a pod: a deletion that asks the disruption budgets first.
//!
//! The budgets' numbers are the disruption controller's; an eviction believes them and takes one off.

use serde_json::{Value, json};

use super::super::deletion;
use super::super::object;
use super::super::resource::Resource;
use super::super::store::Store;
use super::delete::DeleteOptions;
use super::status::Refusal;
use super::write::{self, Target, Written};

/// What an eviction found out.
enum Verdict {
    /// No budget counts this pod.
    Free,
    /// This one does, and is to be told.
    Counted(Value),
}

/// Evicts the pod that `body`, an Eviction, names.
pub(crate) fn evict(store: &mut Store, target: &Target<'_>, eviction: &Value) -> Result<Written, Refusal> {
    let Target { key, now, .. } = target;
    let named = object::name(eviction);
    if !named.is_empty() && named != key.name {
        return Err(Refusal::bad_request("name in URL does not match name in Eviction object"));
    }
    let options = DeleteOptions::of(&eviction["deleteOptions"])?;
    let pod = store.get(Resource::Pods, key);
    let pod = pod.ok_or_else(|| Refusal::not_found(Resource::Pods, &key.name))?;
    options.check(Resource::Pods, &pod)?;
    let verdict = judge(store, &pod)?;
    if options.is_dry_run {
        return Ok(write::success());
    }
    if let Verdict::Counted(budget) = verdict {
        store.change(Resource::PodDisruptionBudgets, &object::key(&budget), *now, |budget| {
            let allowed = object::number(budget, "/status/disruptionsAllowed").unwrap_or(0);
            budget["status"]["disruptionsAllowed"] = json!(allowed - 1);
            if allowed == 1 {
                let told = json!({ "status": "False", "reason": "InsufficientPods" });
                object::set_condition(budget, "DisruptionAllowed", &told, *now);
            }
            budget["status"]["disruptedPods"][key.name.as_str()] = json!(object::time(*now));
        });
    }
    store.change(Resource::Pods, key, *now, |pod| {
        let told = json!({
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        });
        object::set_condition(pod, "DisruptionTarget", &told, *now);
    });
    deletion::carry_out(store, Resource::Pods, key, options.wish(*now));
    Ok(write::success())
}

fn judge(store: &Store, pod: &Value) -> Result<Verdict, Refusal> {
    let phase = object::text(pod, "/status/phase");
    if ["Pending", "Succeeded", "Failed"].contains(&phase) || object::is_deleting(pod) {
        return Ok(Verdict::Free);
    }
    let covering: Vec<&Value> = store
        .list(Resource::PodDisruptionBudgets)
        .map(AsRef::as_ref)
        .filter(|budget| object::namespace(budget) == object::namespace(pod))
        .filter(|budget| selects(&budget["spec"]["selector"], &pod["metadata"]["labels"]))
        .collect();
    let budget = match covering[..] {
        [] => return Ok(Verdict::Free),
        [budget] => budget,
        _ => {
            return Err(Refusal::internal(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ));
        }
    };
    let count = |field: &str| object::number(&budget["status"], field).unwrap_or(0);
    let (healthy, desired) = (count("/currentHealthy"), count("/desiredHealthy"));
    if !object::condition_is(pod, "Ready", "True") {
        // Who is not healthy takes nothing from the budget.
        let is_always_allowed = budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow";
        if is_always_allowed || (healthy >= desired && desired > 0) {
            return Ok(Verdict::Free);
        }
    }
    check_budget(budget)?;
    Ok(Verdict::Counted(budget.clone()))
}

fn check_budget(budget: &Value) -> Result<(), Refusal> {
    let name = object::name(budget);
    let count = |pointer: &str| object::number(budget, pointer).unwrap_or(0);
    if count("/status/observedGeneration") < count("/metadata/generation") {
        let cause = format!("The disruption budget {name} is still being processed by the server.");
        return Err(Refusal::budget(&cause, Some(10)));
    }
    let allowed = count("/status/disruptionsAllowed");
    if allowed < 0 {
        let why = "pdb disruptions allowed is negative";
        return Err(Refusal::forbidden_because(Resource::PodDisruptionBudgets, name, why));
    }
    if budget["status"]["disruptedPods"].as_object().is_some_and(|pods| pods.len() > 2_000) {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(Refusal::forbidden_because(Resource::PodDisruptionBudgets, name, why));
    }
    if allowed == 0 {
        let cause = format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            count("/status/desiredHealthy"),
            count("/status/currentHealthy")
        );
        return Err(Refusal::budget(&cause, None));
    }
    Ok(())
}

/// Whether a label selector, as objects carry it, selects these labels. Without a selector nothing is selected, with
/// an empty one everything.
fn selects(selector: &Value, labels: &Value) -> bool {
    if !selector.is_object() {
        return false;
    }
    let has_all = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| labels.get(key.as_str()) == Some(value));
    has_all
        && object::items(selector, "/matchExpressions").iter().all(|expression| {
            let label = labels.get(object::text(expression, "/key"));
            let is_among = label.is_some_and(|label| object::items(expression, "/values").contains(label));
            match object::text(expression, "/operator") {
                "In" => is_among,
                "NotIn" => !is_among,
                "Exists" => label.is_some(),
                "DoesNotExist" => label.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_without_a_selector_covers_nothing_and_an_empty_one_everything() {
        let labels = json!({ "app": "web", "tier": "front" });
        assert!(!selects(&Value::Null, &labels));
        assert!(selects(&json!({}), &labels));
        let expression = |operator: &str| json!({ "matchExpressions": [{ "key": "tier", "operator": operator, "values": ["front"] }] });
        assert!(selects(&expression("In"), &labels) && selects(&expression("Exists"), &labels));
        assert!(!selects(&expression("NotIn"), &labels) && !selects(&expression("DoesNotExist"), &labels));
    }
}

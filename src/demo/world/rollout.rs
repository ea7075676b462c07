//! What the controllers of workloads share: templates compared, shares of replicas, and who of several pods goes
//! first.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::pod::is_ready;

/// The label by which a deployment tells its replica sets apart.
pub(super) const TEMPLATE_HASH: &str = "pod-template-hash";
/// The label that tells of which revision a pod is.
pub(super) const REVISION_HASH: &str = "controller-revision-hash";

/// A template as it is compared: without what means nothing, whoever left it there.
pub(super) fn canonical(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(TEMPLATE_HASH);
    }
    if let Some(metadata) = template["metadata"].as_object_mut() {
        metadata.remove("creationTimestamp");
    }
    prune(&mut template);
    template
}

/// Takes out nulls and what is empty; an empty volume's source stays, for it is what it is.
fn prune(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|name, value| name == "emptyDir" || !is_nothing(value));
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// How many replicas a workload wants.
pub(super) fn replicas(workload: &Value) -> i64 {
    object::number(workload, "/spec/replicas").unwrap_or(1)
}

/// Which way a share of replicas is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    Up,
    Down,
}

/// A number, or a percentage of `of`; `None` if it is neither.
pub(super) fn share(value: &Value, of: i64, round: Round) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let percent: i64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    Some(match round {
        Round::Up => (percent * of + 99) / 100,
        Round::Down => percent * of / 100,
    })
}

/// The pods of a list that go first when some have to: unbound ones, pending ones, unready ones, then the youngest.
pub(super) fn dispensable_first(pods: &mut [Arc<Value>]) {
    pods.sort_by_cached_key(|pod| {
        let is_bound = !object::text(pod, "/spec/nodeName").is_empty();
        let is_running = object::text(pod, "/status/phase") == "Running";
        let age = std::cmp::Reverse(object::text(pod, "/metadata/creationTimestamp").to_owned());
        (is_bound, is_running, is_ready(pod), age, object::name(pod).to_owned())
    });
}

/// Sets a deployment's or a job's condition, with the time at which it was last confirmed.
pub(super) fn set_dated_condition(workload: &mut Value, kind: &str, fields: &Value, at: Timestamp) {
    let mut fields = fields.clone();
    let known = object::condition(workload, kind);
    let is_same = known.is_some_and(|known| {
        ["status", "reason", "message"].iter().all(|field| known[field] == fields[field])
    });
    if !is_same {
        fields["lastUpdateTime"] = json!(object::time(at));
    }
    object::set_condition(workload, kind, &fields, at);
}

/// Whether a selector takes an object by its labels.
pub(super) fn selects(selector: &Value, object: &Value) -> bool {
    let labels = &object["metadata"]["labels"];
    let wanted = selector["matchLabels"].as_object();
    let has_all = wanted.into_iter().flatten().all(|(key, value)| labels[key] == *value);
    has_all && object::items(selector, "/matchExpressions").iter().all(|expression| holds(expression, labels))
}

/// Whether one expression of a selector, of labels or of nodes, holds.
pub(super) fn holds(expression: &Value, labels: &Value) -> bool {
    let label = labels.get(object::text(expression, "/key"));
    let values = object::items(expression, "/values");
    match object::text(expression, "/operator") {
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        "NotIn" => label.is_none_or(|label| !values.contains(label)),
        _ => label.is_some_and(|label| values.contains(label)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_the_side_that_was_asked_for() {
        assert_eq!(share(&json!("25%"), 6, Round::Up), Some(2));
        assert_eq!(share(&json!("25%"), 6, Round::Down), Some(1));
        assert_eq!(share(&json!(3), 6, Round::Up), Some(3));
        assert_eq!(share(&json!("half"), 6, Round::Up), None);
    }

    #[test]
    fn templates_are_compared_by_what_they_mean() {
        let written =
            json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "volumes": [{ "emptyDir": {} }] } });
        let kept = json!({
            "metadata": { "creationTimestamp": null, "labels": { "a": "b", "pod-template-hash": "x" } },
            "spec": { "securityContext": {}, "volumes": [{ "emptyDir": {} }] },
        });
        assert_eq!(canonical(&written), canonical(&kept));
        assert_ne!(canonical(&written), canonical(&json!({ "spec": { "volumes": [{ "name": "x" }] } })));
    }
}

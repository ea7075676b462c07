//! Taints and tolerations: who may be on a node, and for how long.

use serde_json::Value;

use super::super::object;

/// How long a pod may stay under a node's `NoExecute` taints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    Forever,
    Seconds(i64),
}

/// `None` if no `NoExecute` taint is there at all.
pub(super) fn stay(pod: &Value, taints: &[Value]) -> Option<Stay> {
    let mut taints = taints.iter().filter(|taint| taint["effect"] == "NoExecute").peekable();
    taints.peek()?;
    let mut stay = Stay::Forever;
    for taint in taints {
        // The first that matches is taken, in the order of the list.
        let Some(toleration) = matching(pod, taint) else {
            return Some(Stay::Seconds(0));
        };
        if let Some(seconds) = object::number(toleration, "/tolerationSeconds") {
            stay = match stay {
                Stay::Forever => Stay::Seconds(seconds.max(0)),
                Stay::Seconds(known) => Stay::Seconds(known.min(seconds.max(0))),
            };
        }
    }
    Some(stay)
}

/// The first taint that keeps a pod from being placed on a node.
pub(super) fn obstacle<'a>(pod: &Value, taints: &'a [Value]) -> Option<&'a Value> {
    taints.iter().find(|taint| {
        matches!(object::text(taint, "/effect"), "NoSchedule" | "NoExecute") && matching(pod, taint).is_none()
    })
}

fn matching<'a>(pod: &'a Value, taint: &Value) -> Option<&'a Value> {
    object::items(pod, "/spec/tolerations").iter().find(|toleration| matches(toleration, taint))
}

fn matches(toleration: &Value, taint: &Value) -> bool {
    let text = |pointer: &str| object::text(toleration, pointer);
    let is_effect = text("/effect").is_empty() || text("/effect") == object::text(taint, "/effect");
    let is_key = text("/key").is_empty() || text("/key") == object::text(taint, "/key");
    let is_value = match text("/operator") {
        "Exists" => true,
        _ => text("/value") == object::text(taint, "/value") && !text("/key").is_empty(),
    };
    is_effect && is_key && is_value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(tolerations: &Value) -> Value {
        json!({ "spec": { "tolerations": tolerations } })
    }

    #[test]
    fn the_shortest_stay_of_all_taints_counts() {
        let taints = [
            json!({ "key": "a", "effect": "NoExecute" }),
            json!({ "key": "b", "value": "x", "effect": "NoExecute" }),
            json!({ "key": "c", "effect": "NoSchedule" }),
        ];
        let tolerant = json!([
            { "key": "a", "operator": "Exists", "tolerationSeconds": 300 },
            { "key": "b", "value": "x", "effect": "NoExecute", "tolerationSeconds": 60 },
        ]);
        assert_eq!(stay(&pod(&tolerant), &taints), Some(Stay::Seconds(60)));
        assert_eq!(stay(&pod(&json!([{ "operator": "Exists" }])), &taints), Some(Stay::Forever));
        assert_eq!(stay(&pod(&json!([])), &taints), Some(Stay::Seconds(0)));
        assert_eq!(stay(&pod(&json!([])), &taints[2..]), None);
        assert_eq!(obstacle(&pod(&tolerant), &taints), Some(&taints[2]));
    }
}

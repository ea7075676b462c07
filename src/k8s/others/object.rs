//! From custom resources, which no schema of ours describes, to what they say about nodes. A field that is missing or
//! of another shape than expected says nothing; none of it is an error.

use crate::actions::others::{HealthCheck, Machine, Outcome, Remediation, Remedy};
use crate::cluster::{Expression, Labels, Name, Operator, Selector, Text};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub fn health_check(item: &Value) -> HealthCheck {
    let (spec, status) = (&item["spec"], &item["status"]);
    // The newer of the two fields tells the same and more; older versions have only the other one.
    let unhealthy = status["unhealthyNodes"].as_array().into_iter().flatten().filter_map(|node| {
        let remedies = node["remediations"].as_array()?;
        let started = remedies.iter().filter_map(|remedy| time(&remedy["started"])).min();
        (!remedies.is_empty()).then(|| (text(&node["name"]), started))
    });
    let in_flight = status["inFlightRemediations"].as_object().into_iter().flatten();
    let in_flight = in_flight.map(|(node, since)| (Text::new(node), time(since)));
    let mut at_it: Vec<(Text, Option<Timestamp>)> = Vec::new();
    for (node, since) in unhealthy.chain(in_flight) {
        if at_it.iter().all(|(known, _)| *known != node) {
            at_it.push((node, since));
        }
    }
    HealthCheck {
        name: text(&item["metadata"]["name"]),
        selector: selector(&spec["selector"]),
        is_paused: spec["pauseRequests"].as_array().is_some_and(|requests| !requests.is_empty()),
        phase: text(&status["phase"]),
        reason: text(&status["reason"]),
        at_it,
    }
}

/// Remedies of all kinds are told apart by who made them, and not by what they say.
pub fn remediation(item: &Value) -> Remediation {
    let (meta, status) = (&item["metadata"], &item["status"]);
    let annotation = |key: &str| meta["annotations"][key].as_str();
    let name = name(meta);
    let is_timed_out = annotation("remediation.medik8s.io/nhc-timed-out").is_some();
    let succeeded = condition(status, "Succeeded").map(|condition| text(&condition["status"]));
    let processing = condition(status, "Processing").map(|condition| text(&condition["status"]));
    let is = |word: &Option<Text>, wanted: &str| word.as_ref().is_some_and(|word| **word == *wanted);
    let outcome = if is(&succeeded, "True") {
        Outcome::Succeeded
    } else if is_timed_out {
        Outcome::TimedOut
    } else if is(&succeeded, "False") && is(&processing, "False") {
        Outcome::Failed
    } else {
        Outcome::UnderWay
    };
    Remediation {
        node: annotation("remediation.medik8s.io/node-name").map_or_else(|| name.name.clone(), Text::new),
        name,
        phase: text(&status["phase"]),
        created: time(&meta["creationTimestamp"]),
        outcome,
        assumed_rebooted: time(&status["timeAssumedRebooted"]),
        error: text(&status["lastError"]),
    }
}

pub fn machine(item: &Value) -> Machine {
    let (meta, status) = (&item["metadata"], &item["status"]);
    // By its owner, by a provider's own remedy, or because somebody asked for it.
    let by_owner = condition(status, "OwnerRemediated").filter(|condition| condition["status"] == "False");
    let remedied = by_owner.map(|condition| {
        let (reason, message) = (text(&condition["reason"]), text(&condition["message"]));
        (message.non_empty().map_or(reason, Text::new), time(&condition["lastTransitionTime"]))
    });
    let asked = ["cluster.x-k8s.io/remediate-machine", "host.metal3.io/external-remediation"];
    let asked = asked.into_iter().find(|key| meta["annotations"].get(key).is_some());
    Machine {
        name: name(meta),
        phase: status["phase"].as_str().map_or_else(|| "in no phase".into(), Text::new),
        deleted: time(&meta["deletionTimestamp"]),
        remedied: remedied.or_else(|| asked.map(|key| (format!("the annotation {key}").into(), None))),
        is_watched: condition(status, "HealthCheckSucceeded").is_some(),
    }
}

pub fn lease(item: &Value) -> Option<Remedy> {
    let spec = &item["spec"];
    let holder = spec["holderIdentity"].as_str().filter(|holder| !holder.is_empty())?;
    let lasting = spec["leaseDurationSeconds"].as_i64().map(SignedDuration::from_secs);
    let renewed = time(&spec["renewTime"]).or(time(&spec["acquireTime"]));
    let until = renewed.zip(lasting).and_then(|(renewed, lasting)| renewed.checked_add(lasting).ok());
    Some(Remedy::Lease { holder: Text::new(holder), until })
}

/// One lock, or several where more than one node may be rebooted at a time. One whose time is over is none.
pub fn locks(set: &Value, now: Timestamp) -> Vec<Remedy> {
    let annotation = set["metadata"]["annotations"]["weave.works/kured-node-lock"].as_str();
    let Some(written) = annotation.and_then(|json| serde_json::from_str::<Value>(json).ok()) else {
        return Vec::new();
    };
    let locks = match written["locks"].as_array() {
        Some(locks) => locks.clone(),
        None => vec![written],
    };
    let held = locks.iter().filter_map(|lock| {
        let node = lock["nodeID"].as_str()?;
        let since = time(&lock["created"]);
        let lasting = lock["TTL"].as_i64().filter(|nanos| *nanos > 0).map(SignedDuration::from_nanos);
        let end = since.zip(lasting).and_then(|(since, lasting)| since.checked_add(lasting).ok());
        end.is_none_or(|end| end > now).then(|| Remedy::Lock { node: Text::new(node), since })
    });
    held.collect()
}

// -- parts ----------------------------------------------------------------------------------------------------------

fn text(value: &Value) -> Text {
    value.as_str().map(Text::new).unwrap_or_default()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn name(meta: &Value) -> Name {
    Name { namespace: text(&meta["namespace"]), name: text(&meta["name"]) }
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn selector(value: &Value) -> Selector {
    let labels = value["matchLabels"].as_object().into_iter().flatten();
    let labels: Labels = labels.map(|(key, value)| (Text::new(key), text(value))).collect();
    let expressions = value["matchExpressions"].as_array().into_iter().flatten();
    let expressions = expressions.map(|expression| Expression {
        key: text(&expression["key"]),
        operator: Operator::parse(expression["operator"].as_str().unwrap_or_default()),
        values: expression["values"].as_array().into_iter().flatten().map(text).collect(),
    });
    Selector { labels, expressions: expressions.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_health_check_tells_which_nodes_it_has_remedied_in_both_forms() {
        let newer = json!({
            "metadata": { "name": "workers" },
            "spec": { "selector": { "matchExpressions": [
                { "key": "node-role.kubernetes.io/worker", "operator": "Exists" },
            ] } },
            "status": { "phase": "Remediating", "unhealthyNodes": [
                { "name": "worker-1", "remediations": [] },
                { "name": "worker-2", "remediations": [{ "started": "1970-01-01T00:01:40Z" }] },
            ], "inFlightRemediations": { "worker-2": "1970-01-01T00:01:40Z", "worker-3": "1970-01-01T00:01:50Z" } },
        });
        let check = health_check(&newer);
        assert_eq!(check.at_it, [("worker-2".into(), Some(at(100))), ("worker-3".into(), Some(at(110)))]);
        assert_eq!(check.selector.expressions.len(), 1);
        assert!(!check.is_paused);
        assert!(health_check(&json!({ "spec": { "pauseRequests": ["upgrade"] } })).is_paused);
    }

    #[test]
    fn a_remedy_is_under_way_until_it_says_how_it_ended() {
        let of = |conditions: Value, annotations: Value| {
            remediation(&json!({
                "metadata": { "name": "worker-2-x7", "namespace": "medik8s", "annotations": annotations },
                "status": { "phase": "Fencing-Started", "conditions": conditions },
            }))
        };
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status });
        assert_eq!(of(json!([]), json!({})).outcome, Outcome::UnderWay);
        assert_eq!(of(json!([condition("Processing", "True")]), json!({})).outcome, Outcome::UnderWay);
        let failed = json!([condition("Processing", "False"), condition("Succeeded", "False")]);
        assert_eq!(of(failed, json!({})).outcome, Outcome::Failed);
        assert_eq!(of(json!([condition("Succeeded", "True")]), json!({})).outcome, Outcome::Succeeded);
        let timed_out = json!({ "remediation.medik8s.io/nhc-timed-out": "1970-01-01T00:01:40Z" });
        assert_eq!(of(json!([]), timed_out).outcome, Outcome::TimedOut);
        assert_eq!(of(json!([]), json!({})).node.as_str(), "worker-2-x7");
        let named = json!({ "remediation.medik8s.io/node-name": "worker-2" });
        assert_eq!(of(json!([]), named).node.as_str(), "worker-2");
    }

    #[test]
    fn a_machine_is_remedied_by_its_owner_or_because_somebody_asked() {
        let of = |status: Value, annotations: Value| {
            machine(&json!({ "metadata": { "name": "m", "annotations": annotations }, "status": status }))
        };
        let waiting = json!({ "phase": "Running", "conditions": [
            { "type": "HealthCheckSucceeded", "status": "False" },
            { "type": "OwnerRemediated", "status": "False", "reason": "WaitingForRemediation" },
        ] });
        let remedied = of(waiting, json!({}));
        assert_eq!(remedied.remedied, Some(("WaitingForRemediation".into(), None)));
        assert!(remedied.is_watched);
        let well =
            json!({ "phase": "Running", "conditions": [{ "type": "OwnerRemediated", "status": "True" }] });
        assert_eq!(of(well, json!({})).remedied, None);
        assert!(of(json!({}), json!({ "cluster.x-k8s.io/remediate-machine": "" })).remedied.is_some());
    }

    #[test]
    fn locks_of_kured_are_read_in_both_forms_and_end_with_their_time() {
        let of = |json: &str| {
            let set = json!({ "metadata": { "annotations": { "weave.works/kured-node-lock": json } } });
            let nodes = locks(&set, at(200)).into_iter().filter_map(|remedy| match remedy {
                Remedy::Lock { node, .. } => Some(node.to_string()),
                _ => None,
            });
            nodes.collect::<Vec<_>>()
        };
        let one = r#"{"nodeID":"worker-2","metadata":{"unschedulable":false},"created":"1970-01-01T00:01:40Z","TTL":0}"#;
        assert_eq!(of(one), ["worker-2"]);
        let two = r#"{"maxOwners":2,"locks":[{"nodeID":"a","created":"1970-01-01T00:01:40Z","TTL":60000000000},
            {"nodeID":"b","created":"1970-01-01T00:03:00Z","TTL":60000000000}]}"#;
        assert_eq!(of(two), ["b"], "the time of the first is over");
        assert_eq!(of("no json"), [""; 0]);
    }

    #[test]
    fn a_lease_without_a_holder_is_nobodys() {
        let of = |holder: &str| {
            lease(&json!({ "spec": {
            "holderIdentity": holder, "leaseDurationSeconds": 60, "renewTime": "1970-01-01T00:01:40.000000Z",
        } }))
        };
        assert_eq!(of(""), None);
        let until = Some(at(160));
        assert_eq!(of("NHC"), Some(Remedy::Lease { holder: "NHC".into(), until }));
        assert_eq!(lease(&json!({})), None);
    }
}

//! Reading and stamping objects that are plain JSON: names, times, owners, conditions.
//!
//! What an object means is known where it is used; here are only the shapes that all objects share.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::store::Key;

/// What is at a JSON pointer. Like `Value::pointer`, which allocates for every step: the controllers look through
/// all objects with it, and the demo's past is played while somebody waits.
fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut tokens = pointer.split('/').skip(1);
    tokens.try_fold(object, |value, token| match value {
        Value::Object(fields) if token.contains('~') => {
            fields.get(&token.replace("~1", "/").replace("~0", "~"))
        }
        Value::Object(fields) => fields.get(token),
        Value::Array(items) => items.get(token.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// The text at a JSON pointer; empty if there is none, as the API's zero value is.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a JSON pointer.
pub(crate) fn number(object: &Value, pointer: &str) -> Option<i64> {
    at(object, pointer).and_then(Value::as_i64)
}

/// The items of the list at a JSON pointer; none if it is missing.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub(crate) fn key(object: &Value) -> Key {
    Key::new(namespace(object), name(object))
}

pub(crate) fn is_deleting(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// A time as objects carry it: whole seconds.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time as leases and new-style events carry it: microseconds.
pub(crate) fn micro_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The time at a JSON pointer.
pub(crate) fn time_at(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// The controller among an object's owners.
pub(crate) fn controller(object: &Value) -> Option<&Value> {
    items(object, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true)
}

pub(crate) fn is_controlled_by(object: &Value, owner: &Value) -> bool {
    controller(object).is_some_and(|reference| reference["uid"] == owner["metadata"]["uid"])
}

pub(crate) fn owner_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// The condition of a type in an object's status.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

pub(crate) fn condition_is(object: &Value, kind: &str, status: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == status)
}

/// Merges `fields` into the condition of a type, adding it if it is missing; the transition time moves only if
/// the status does.
pub(crate) fn set_condition(object: &mut Value, kind: &str, fields: &Value, at: Timestamp) {
    if !object["status"]["conditions"].is_array() {
        object["status"]["conditions"] = json!([]);
    }
    let Some(conditions) = object["status"]["conditions"].as_array_mut() else {
        return;
    };
    let position = conditions.iter().position(|condition| condition["type"] == kind).unwrap_or_else(|| {
        conditions.push(json!({ "type": kind }));
        conditions.len() - 1
    });
    let condition = &mut conditions[position];
    let before = condition["status"].clone();
    merge(condition, fields);
    // The one field that servers write although there is nothing in it.
    if fields.get("lastProbeTime").is_some() {
        condition["lastProbeTime"] = Value::Null;
    }
    if condition["status"] != before {
        condition["lastTransitionTime"] = json!(time(at));
    }
}

/// A JSON merge patch (RFC 7386).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(object) = target {
        for (field, value) in fields {
            if value.is_null() {
                object.remove(field);
            } else {
                merge(object.entry(field.as_str()).or_insert(Value::Null), value);
            }
        }
    }
}

/// A span of seconds as kubectl prints ages: `45s`, `6m3s`, `4h12m`, `9d`.
pub(crate) fn short_span(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |whole: i64, unit: &str, rest: i64, rest_unit: &str| {
        if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{rest}{rest_unit}") }
    };
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two(minutes, "m", seconds % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if days < 8 {
        two(days, "d", hours % 24, "h")
    } else {
        format!("{days}d")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_prints_them() {
        let printed = [0, 119, 120, 363, 600, 10_800, 15_120, 172_799, 172_800, 180_000, 777_600]
            .map(|seconds| short_span(SignedDuration::from_secs(seconds)));
        assert_eq!(printed, ["0s", "119s", "2m", "6m3s", "10m", "3h", "4h12m", "47h", "2d", "2d2h", "9d"]);
    }

    #[test]
    fn a_merge_patch_removes_what_is_null_and_keeps_the_rest() {
        let mut object = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        merge(&mut object, &json!({ "a": { "b": null, "e": 3 }, "d": [2] }));
        assert_eq!(object, json!({ "a": { "c": 2, "e": 3 }, "d": [2] }));
    }

    #[test]
    fn a_condition_keeps_its_transition_time_while_its_status_stays() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut node = json!({});
        set_condition(&mut node, "Ready", &json!({ "status": "True" }), start);
        set_condition(
            &mut node,
            "Ready",
            &json!({ "status": "True", "reason": "KubeletReady" }),
            start + SignedDuration::from_secs(9),
        );
        assert_eq!(condition(&node, "Ready").unwrap()["lastTransitionTime"], "2026-01-01T00:00:00Z");
        assert!(condition_is(&node, "Ready", "True"));
    }
}

//! Strategic merge patches: merge patches that know which lists are sets of things with names.
//!
//! Which lists those are, a server knows from its types. Here it is a table of the fields that people and kubectl
//! patch in the kinds that the demo has; every other list is replaced as a whole, taints and tolerations among them.

use serde_json::{Map, Value};

/// The fields that say how to merge and are not merged themselves.
const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// What a server answers to a patch that it cannot make sense of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Senseless {
    #[error("map: {element} does not contain declared merge key: {key}")]
    NoMergeKey { element: String, key: &'static str },
    #[error("unknown patch type: {kind} in map: {map}")]
    UnknownDirective { kind: String, map: String },
    #[error("wrong type of {field}: a list is wanted")]
    NoList { field: String },
}

/// How a list is patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    /// Replaced as a whole.
    Atomic,
    /// A set of plain values.
    Set,
    /// Objects that are told apart by a field.
    Keyed(&'static str),
}

/// `parent` is the field that holds the object with the list.
fn list(parent: &str, field: &str) -> List {
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "drivers"
        | "secrets"
        | "schedulingGates" => List::Keyed("name"),
        "volumeMounts" => List::Keyed("mountPath"),
        "volumeDevices" => List::Keyed("devicePath"),
        // A service's ports are its spec's, a container's are its own.
        "ports" if parent == "spec" => List::Keyed("port"),
        "ports" => List::Keyed("containerPort"),
        "conditions" | "addresses" => List::Keyed("type"),
        "ownerReferences" => List::Keyed("uid"),
        "hostAliases" | "podIPs" | "hostIPs" => List::Keyed("ip"),
        "topologySpreadConstraints" => List::Keyed("topologyKey"),
        "finalizers" | "podCIDRs" => List::Set,
        _ => List::Atomic,
    }
}

/// Merges a patch into an object.
pub(super) fn merge(target: &mut Value, patch: &Value) -> Result<(), Senseless> {
    merge_at("", target, patch)
}

fn merge_at(parent: &str, target: &mut Value, patch: &Value) -> Result<(), Senseless> {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match fields.get(PATCH).and_then(Value::as_str) {
        None | Some("merge") => {}
        Some("replace") => {
            *target = Value::Object(without_directives(fields));
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some(kind) => {
            return Err(Senseless::UnknownDirective { kind: kind.to_owned(), map: patch.to_string() });
        }
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(object) = target else {
        return Ok(());
    };
    for (field, value) in fields {
        if let Some(list) = field.strip_prefix(DELETE_FROM) {
            delete_from(object, list, value);
        } else if field.starts_with('$') {
            // An order is looked up with its list, which keys to retain is seen to at the end.
        } else if value.is_null() {
            object.remove(field);
        } else if let Value::Array(items) = value {
            let order = fields.get(&format!("{SET_ORDER}{field}")).and_then(Value::as_array);
            let present = object.entry(field.as_str()).or_insert(Value::Null);
            merge_list(list(parent, field), field, present, items)?;
            if let (Some(order), Some(present)) = (order, present.as_array_mut()) {
                sort(list(parent, field), present, order);
            }
        } else {
            merge_at(field, object.entry(field.as_str()).or_insert(Value::Null), value)?;
        }
    }
    if let Some(kept) = fields.get(RETAIN_KEYS).and_then(Value::as_array) {
        object.retain(|field, _| kept.iter().any(|kept| kept == field));
    }
    Ok(())
}

fn merge_list(kind: List, field: &str, present: &mut Value, items: &[Value]) -> Result<(), Senseless> {
    let mut merged = match present {
        Value::Array(present) => std::mem::take(present),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            return Err(Senseless::NoList { field: field.to_owned() });
        }
    };
    match kind {
        List::Atomic => merged = items.to_vec(),
        List::Set => {
            for item in items {
                if !merged.contains(item) {
                    merged.push(item.clone());
                }
            }
        }
        List::Keyed(key) => {
            if items.iter().any(|item| item[PATCH] == "replace") {
                merged.clear();
            }
            for item in items.iter().filter(|item| item[PATCH] != "replace") {
                merge_item(key, field, &mut merged, item)?;
            }
        }
    }
    *present = Value::Array(merged);
    Ok(())
}

fn merge_item(
    key: &'static str,
    field: &str,
    merged: &mut Vec<Value>,
    item: &Value,
) -> Result<(), Senseless> {
    let Some(name) = item.get(key) else {
        return Err(Senseless::NoMergeKey { element: item.to_string(), key });
    };
    let position = merged.iter().position(|known| known[key] == *name);
    if item[PATCH] == "delete" {
        merged.retain(|known| known[key] != *name);
        return Ok(());
    }
    match position {
        Some(at) => merge_at(field, &mut merged[at], item),
        None => {
            let mut fresh = Value::Object(Map::new());
            merge_at(field, &mut fresh, item)?;
            merged.push(fresh);
            Ok(())
        }
    }
}

fn delete_from(object: &mut Map<String, Value>, list: &str, doomed: &Value) {
    if let (Some(Value::Array(items)), Some(doomed)) = (object.get_mut(list), doomed.as_array()) {
        items.retain(|item| !doomed.contains(item));
    }
}

/// Puts what the order names into it; the rest follows as it was.
fn sort(kind: List, items: &mut [Value], order: &[Value]) {
    let place = |item: &Value| {
        let wanted = order.iter().position(|wanted| match kind {
            List::Keyed(key) => wanted[key] == item[key],
            List::Atomic | List::Set => wanted == item,
        });
        wanted.unwrap_or(order.len())
    };
    items.sort_by_key(place);
}

fn without_directives(fields: &Map<String, Value>) -> Map<String, Value> {
    let kept = fields.iter().filter(|(field, value)| !field.starts_with('$') && !value.is_null());
    kept.map(|(field, value)| (field.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(mut object: Value, patch: &Value) -> Value {
        merge(&mut object, patch).unwrap();
        object
    }

    #[test]
    fn containers_and_their_environment_are_merged_by_name() {
        let pod = json!({ "spec": { "containers": [
            { "name": "web", "image": "web:1", "env": [{ "name": "A", "value": "1" }] },
            { "name": "log", "image": "log:1" },
        ] } });
        let patch = json!({ "spec": { "containers": [
            { "name": "web", "image": "web:2", "env": [{ "name": "B", "value": "2" }] },
            { "name": "log", "$patch": "delete" },
        ] } });
        assert_eq!(
            merged(pod, &patch),
            json!({ "spec": { "containers": [{
                "name": "web",
                "image": "web:2",
                "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }],
            }] } })
        );
    }

    #[test]
    fn taints_and_tolerations_are_replaced_as_a_whole() {
        let node = json!({ "spec": { "taints": [{ "key": "a", "effect": "NoSchedule" }] } });
        let patch = json!({ "spec": { "taints": [{ "key": "b", "effect": "NoExecute" }] } });
        assert_eq!(merged(node, &patch), patch);
    }

    #[test]
    fn finalizers_are_a_set_that_can_be_taken_from() {
        let object = json!({ "metadata": { "finalizers": ["a", "b"] } });
        let patch = json!({ "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["a"],
            "finalizers": ["c"],
            "$setElementOrder/finalizers": ["c", "b"],
        } });
        assert_eq!(merged(object, &patch), json!({ "metadata": { "finalizers": ["c", "b"] } }));
    }

    #[test]
    fn a_template_of_an_older_revision_replaces_the_present_one() {
        let set =
            json!({ "spec": { "replicas": 3, "template": { "metadata": { "annotations": { "a": "1" } } } } });
        let patch = json!({ "spec": { "template": { "$patch": "replace", "spec": { "containers": [] } } } });
        assert_eq!(
            merged(set, &patch),
            json!({ "spec": { "replicas": 3, "template": { "spec": { "containers": [] } } } })
        );
    }

    #[test]
    fn a_strategy_retains_the_keys_that_it_names() {
        let deployment = json!({ "spec": { "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1 } } } });
        let patch = json!({ "spec": { "strategy": { "$retainKeys": ["type"], "type": "Recreate" } } });
        assert_eq!(merged(deployment, &patch), json!({ "spec": { "strategy": { "type": "Recreate" } } }));
    }

    #[test]
    fn a_patch_without_the_name_of_what_it_patches_is_senseless() {
        let refused = merge(&mut json!({}), &json!({ "spec": { "containers": [{ "image": "x" }] } }));
        assert!(matches!(refused, Err(Senseless::NoMergeKey { key: "name", .. })), "{refused:?}");
        let refused = merge(&mut json!({}), &json!({ "metadata": { "$patch": "sing" } }));
        assert!(matches!(refused, Err(Senseless::UnknownDirective { .. })), "{refused:?}");
    }
}

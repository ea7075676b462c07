//! What brings a repository to another revision: the strategic merge patch from one template to another, as
//! `kubectl patch` and kustomize take it.
//!
//! It names what differs and nothing else, so that it can be laid upon a manifest that says less than the server,
//! which fills in what is left out. Items of a list go by their keys; those before the last that differs are named as
//! well, because kustomize puts first what a patch names.

use super::Template;
use super::template::written;
use crate::cluster::{ObjectRef, Text};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The lists of a pod's spec whose items have a key, and which. Those whose key is of two fields are left out: the
/// server goes by one of them and kustomize by both.
const KEYS: &[(&str, &str)] = &[
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("env", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("imagePullSecrets", "name"),
    ("hostAliases", "ip"),
    ("resourceClaims", "name"),
    ("schedulingGates", "name"),
];
/// Merged as well, and only ever replaced here.
const REPLACED: &[&str] = &["ports", "topologySpreadConstraints"];

/// From what is wanted of a workload to one of its revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    pub object: ObjectRef,
    pub number: i64,
    /// The manifest: as much as has to be said.
    pub value: Value,
}

impl Patch {
    /// `None` where the templates are the same.
    pub fn between(object: &ObjectRef, before: &Template, (number, after): (i64, &Template)) -> Option<Self> {
        let template = changed("template", before.value(), after.value())?;
        let value = json!({
            "apiVersion": format!("{}/v1", object.kind.group()),
            "kind": object.kind.word(),
            "metadata": { "name": object.name.name.as_str() },
            "spec": { "template": template },
        });
        Some(Self { object: object.clone(), number, value })
    }

    /// As YAML, with what is to be done with it above.
    pub fn lines(&self) -> Vec<Text> {
        let ObjectRef { kind, name, .. } = &self.object;
        let (namespace, name) = (&name.namespace, &name.name);
        let word = kind.word();
        let lower = word.to_lowercase();
        let mut lines = vec![
            format!("# {lower} {namespace}/{name}, from what is wanted now to revision {}", self.number)
                .into(),
            "# In a kustomization:".into(),
            format!("#   patches: [{{ path: FILE, target: {{ kind: {word}, name: {name} }} }}]").into(),
            format!("# By hand: kubectl patch -n {namespace} {lower} {name} --patch-file FILE").into(),
        ];
        lines.extend(written(&self.value));
        lines
    }
}

/// What makes the one the other; nothing where they are equal.
fn changed(field: &str, before: &Value, after: &Value) -> Option<Value> {
    match (before, after) {
        _ if before == after => None,
        (Value::Object(before), Value::Object(after)) => Some(Value::Object(fields(before, after))),
        (Value::Array(before), Value::Array(after)) => Some(Value::Array(items(field, before, after))),
        _ => Some(after.clone()),
    }
}

fn fields(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let gone = before.keys().filter(|field| !after.contains_key(*field));
    let mut changes: Map<String, Value> = gone.map(|field| (field.clone(), Value::Null)).collect();
    for (field, value) in after {
        let change = match before.get(field) {
            None => Some(value.clone()),
            Some(before) => changed(field, before, value),
        };
        changes.extend(change.map(|change| (field.clone(), change)));
    }
    changes
}

fn items(field: &str, before: &[Value], after: &[Value]) -> Vec<Value> {
    let key = KEYS.iter().find(|(list, _)| *list == field).map(|(_, key)| *key);
    let keyed = key.and_then(|key| Some((key, by_key(key, before)?, by_key(key, after)?)));
    let Some((key, known, wanted)) = keyed else {
        let whole = after.iter().cloned();
        // The server would merge it.
        let is_merged = key.is_some() || REPLACED.contains(&field);
        return is_merged.then(|| json!({ "$patch": "replace" })).into_iter().chain(whole).collect();
    };
    let named = |item: &Value| Map::from_iter([(key.to_owned(), item[key].clone())]);
    let mut changes: Vec<Value> = Vec::new();
    let mut last = 0;
    for (at, item) in after.iter().enumerate() {
        let mut change = named(item);
        match item[key].as_str().and_then(|name| known.get(name)) {
            Some((_, before)) => {
                if let Some(Value::Object(fields)) = changed("", before, item) {
                    change.extend(fields);
                    last = at + 1;
                }
            }
            None => {
                change = item.as_object().cloned().unwrap_or_default();
                last = at + 1;
            }
        }
        changes.push(Value::Object(change));
    }
    // Those that follow keep their order by themselves, where it is the same.
    let places = |items: &[Value]| -> Vec<usize> {
        let place = |item: &Value| item[key].as_str().and_then(|name| known.get(name)).map(|(at, _)| *at);
        items.iter().filter_map(place).collect()
    };
    if !places(after).is_sorted() {
        last = changes.len();
    }
    changes.truncate(last);
    let gone = before.iter().filter(|item| item[key].as_str().is_some_and(|name| !wanted.contains_key(name)));
    changes.extend(gone.map(|item| {
        let mut delete = named(item);
        delete.insert("$patch".to_owned(), json!("delete"));
        Value::Object(delete)
    }));
    changes
}

/// The items with their places; nothing where one has no key of its own.
fn by_key<'a>(key: &str, items: &'a [Value]) -> Option<BTreeMap<&'a str, (usize, &'a Value)>> {
    let mut found = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        if found.insert(item[key].as_str()?, (at, item)).is_some() {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Kind, Name};

    fn patch(before: Value, after: Value) -> Option<Value> {
        let object =
            ObjectRef { kind: Kind::Deployment, name: Name::new("shop", "web"), uid: "uid-web".into() };
        let patch = Patch::between(&object, &Template::new(before), (1, &Template::new(after)))?;
        Some(patch.value["spec"]["template"]["spec"].clone())
    }

    fn spec(containers: &Value) -> Value {
        json!({ "spec": { "containers": containers, "terminationGracePeriodSeconds": 30 } })
    }

    #[test]
    fn it_says_what_differs_and_nothing_else() {
        let before = spec(&json!([
            { "name": "web", "image": "web:2", "args": ["-a"], "resources": { "limits": { "cpu": "1", "memory": "1Gi" } } },
            { "name": "log", "image": "log:1" },
        ]));
        let after = spec(&json!([
            { "name": "web", "image": "web:1", "args": ["-b", "-c"], "resources": { "limits": { "memory": "1Gi" } } },
            { "name": "log", "image": "log:1" },
        ]));
        let wanted = json!({ "containers": [{
            "name": "web", "image": "web:1", "args": ["-b", "-c"], "resources": { "limits": { "cpu": null } },
        }] });
        assert_eq!(patch(before.clone(), after), Some(wanted));
        assert_eq!(patch(before.clone(), before), None);
    }

    #[test]
    fn items_go_by_their_keys_and_those_before_the_last_that_differs_keep_their_places() {
        let with = |env: &Value| spec(&json!([{ "name": "web", "env": env }]));
        let before = with(&json!([
            { "name": "A", "value": "1" }, { "name": "B", "value": "1" }, { "name": "C", "value": "1" },
            { "name": "D", "value": "1" },
        ]));
        let env = |patch: Option<Value>| patch.unwrap()["containers"][0]["env"].clone();
        let after = with(&json!([
            { "name": "A", "value": "1" }, { "name": "C", "value": "2" }, { "name": "D", "value": "1" },
        ]));
        assert_eq!(
            env(patch(before.clone(), after)),
            json!([{ "name": "A" }, { "name": "C", "value": "2" }, { "name": "B", "$patch": "delete" }])
        );
        let after = with(&json!([{ "name": "D", "value": "1" }, { "name": "A", "value": "1" }]));
        assert_eq!(
            env(patch(before, after)),
            json!([
                { "name": "D" }, { "name": "A" },
                { "name": "B", "$patch": "delete" }, { "name": "C", "$patch": "delete" },
            ])
        );
    }

    #[test]
    fn a_list_whose_items_have_no_key_of_their_own_is_replaced() {
        let with = |ports: &Value| spec(&json!([{ "name": "dns", "ports": ports }]));
        let before = with(&json!([{ "containerPort": 53, "protocol": "UDP" }]));
        let ports =
            json!([{ "containerPort": 53, "protocol": "UDP" }, { "containerPort": 53, "protocol": "TCP" }]);
        let mut wanted = ports.clone();
        wanted.as_array_mut().unwrap().insert(0, json!({ "$patch": "replace" }));
        assert_eq!(patch(before, with(&ports)).unwrap()["containers"][0]["ports"], wanted);
        let twice = |value: &str| {
            spec(
                &json!([{ "name": "web", "env": [{ "name": "A", "value": "0" }, { "name": "A", "value": value }] }]),
            )
        };
        assert_eq!(
            patch(twice("1"), twice("2")).unwrap()["containers"][0]["env"],
            json!([{ "$patch": "replace" }, { "name": "A", "value": "0" }, { "name": "A", "value": "2" }])
        );
    }

    #[test]
    fn it_reads_back_as_what_was_meant() {
        let object =
            ObjectRef { kind: Kind::StatefulSet, name: Name::new("shop", "db"), uid: "uid-db".into() };
        let with = |text: &str| Template::new(spec(&json!([{ "name": "web", "args": [text] }])));
        let patch = Patch::between(&object, &with("a"), (3, &with("\u{202e}yes\u{1f600}"))).unwrap();
        let text: String = patch.lines().iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        assert!(!text.contains('\u{202e}'), "{text}");
        let read: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(read, patch.value);
        assert_eq!((&read["apiVersion"], &read["kind"]), (&json!("apps/v1"), &json!("StatefulSet")));
    }
}

//! What matters of the difference between two templates: images, commands, environment, resources, probes, volumes,
//! and by its path whatever else there is, so that nothing is left out.
//!
//! Containers, variables, volumes and ports are matched by what they are called and not by where they stand: what was
//! only moved is no difference here.

use super::Template;
use crate::cluster::Text;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a difference is about, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Image,
    /// A container that is there in one of the two only.
    Container,
    Command,
    Environment,
    Resources,
    Probe,
    Volume,
    Mount,
    Other,
}

impl Topic {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Container => "container",
            Self::Command => "command",
            Self::Environment => "env",
            Self::Resources => "resources",
            Self::Probe => "probe",
            Self::Volume => "volume",
            Self::Mount => "mount",
            Self::Other => "other",
        }
    }
}

/// One difference that matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    pub topic: Topic,
    /// Of which container; empty for the pod.
    pub container: Text,
    /// What of it: a variable, a field.
    pub what: Text,
    /// `None` where it was not there.
    pub before: Option<Text>,
    /// `None` where it is not there any more.
    pub after: Option<Text>,
}

/// All that differs, what matters most first.
pub fn summary(before: &Template, after: &Template) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut path = Vec::new();
    walk(&mut path, (Some(before.value()), Some(after.value())), &mut notes);
    notes.sort();
    notes
}

/// A step into a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    Key(&'a str),
    /// An item of a list, by what it is called.
    Item(&'a str),
}

/// The same place in both; nothing where one has none.
type Pair<'a> = (Option<&'a Value>, Option<&'a Value>);

fn walk<'a>(path: &mut Vec<Step<'a>>, pair: Pair<'a>, notes: &mut Vec<Note>) {
    if pair.0 == pair.1 {
        return;
    }
    let steps = match pair {
        _ if is_told_whole(path, pair) => None,
        (Some(Value::Object(_)) | None, Some(Value::Object(_)) | None) => Some(keys(pair)),
        (Some(Value::Array(_)) | None, Some(Value::Array(_)) | None) => items(path, pair),
        (_, _) => None,
    };
    let Some(steps) = steps else {
        notes.push(note(path, pair));
        return;
    };
    for (step, pair) in steps {
        path.push(step);
        walk(path, pair, notes);
        path.pop();
    }
}

fn keys<'a>((one, other): Pair<'a>) -> Vec<(Step<'a>, Pair<'a>)> {
    let of = |value: Option<&'a Value>| value.and_then(Value::as_object).into_iter().flatten();
    let mut pairs: BTreeMap<&str, Pair<'a>> = BTreeMap::new();
    for (key, value) in of(one) {
        pairs.entry(key).or_default().0 = Some(value);
    }
    for (key, value) in of(other) {
        pairs.entry(key).or_default().1 = Some(value);
    }
    pairs.into_iter().map(|(key, pair)| (Step::Key(key), pair)).collect()
}

/// The items of lists by what they are called; nothing where they have no names, or one name twice.
fn items<'a>(path: &[Step<'_>], (one, other): Pair<'a>) -> Option<Vec<(Step<'a>, Pair<'a>)>> {
    let Some(Step::Key(list)) = path.last() else { return None };
    let field = match *list {
        "containers" | "initContainers" | "env" | "volumes" => "name",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        _ => return None,
    };
    let of = |value: Option<&'a Value>| value.and_then(Value::as_array).into_iter().flatten();
    let mut pairs: BTreeMap<&str, Pair<'a>> = BTreeMap::new();
    for item in of(one) {
        if pairs.entry(item[field].as_str()?).or_default().0.replace(item).is_some() {
            return None;
        }
    }
    for item in of(other) {
        if pairs.entry(item[field].as_str()?).or_default().1.replace(item).is_some() {
            return None;
        }
    }
    Some(pairs.into_iter().map(|(name, pair)| (Step::Item(name), pair)).collect())
}

/// Where a place lies: in which container, and on which path below it; or on which path of the pod.
fn within<'p, 'a>(path: &'p [Step<'a>]) -> (&'a str, &'p [Step<'a>]) {
    match path {
        [Step::Key("spec"), Step::Key("containers" | "initContainers"), Step::Item(name), rest @ ..] => {
            (name, rest)
        }
        _ => ("", path),
    }
}

/// Whether a place is told as one thing, and not by what is under it.
fn is_told_whole(path: &[Step<'_>], (one, other): Pair<'_>) -> bool {
    let is_in_one_only = one.is_none() || other.is_none();
    match within(path) {
        ("", [Step::Key("spec"), Step::Key("volumes"), Step::Item(_)]) => is_in_one_only,
        ("", _) => false,
        (_, []) => is_in_one_only,
        (_, [Step::Key("env" | "volumeMounts" | "volumeDevices"), Step::Item(_)]) => true,
        (_, _) => false,
    }
}

fn note(path: &[Step<'_>], (one, other): Pair<'_>) -> Note {
    let (container, rest) = within(path);
    let (topic, what) = match (container, rest) {
        ("", [Step::Key("spec"), Step::Key("volumes"), below @ ..]) => (Topic::Volume, below),
        ("", whole) => (Topic::Other, whole),
        (_, []) => (Topic::Container, rest),
        (_, [Step::Key(field), below @ ..]) => match *field {
            "image" => (Topic::Image, below),
            "command" | "args" | "workingDir" => (Topic::Command, rest),
            "env" => (Topic::Environment, below),
            "envFrom" => (Topic::Environment, rest),
            "resources" => (Topic::Resources, below),
            "livenessProbe" | "readinessProbe" | "startupProbe" => (Topic::Probe, rest),
            "volumeMounts" | "volumeDevices" => (Topic::Mount, below),
            _ => (Topic::Other, rest),
        },
        (_, [Step::Item(_), ..]) => (Topic::Other, rest),
    };
    let word = |value: &Value| Text::from(words(topic, value));
    Note {
        topic,
        container: container.into(),
        what: written(what).into(),
        before: one.map(word),
        after: other.map(word),
    }
}

/// A path as people write it.
fn written(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if key.contains(['.', '/']) => text.extend(["[", key, "]"]),
            Step::Key(word) | Step::Item(word) if text.is_empty() => text.push_str(word),
            Step::Key(word) | Step::Item(word) => text.extend([".", word]),
        }
    }
    text
}

/// A value in a few words. Of a reference to a secret that is what it refers to: what is in it is never read.
fn words(topic: Topic, value: &Value) -> String {
    match (topic, value) {
        (_, Value::String(text)) => text.clone(),
        (Topic::Container, Value::Object(_)) => value["image"].as_str().unwrap_or_default().to_owned(),
        (Topic::Command, Value::Array(parts)) => {
            let part = |part: &Value| match part.as_str() {
                Some(word) if !word.is_empty() && !word.contains(char::is_whitespace) => word.to_owned(),
                Some(_) | None => part.to_string(),
            };
            parts.iter().map(part).collect::<Vec<_>>().join(" ")
        }
        (Topic::Environment, Value::Object(_)) => variable(value),
        (Topic::Environment, Value::Array(sources)) => {
            sources.iter().map(source).collect::<Vec<_>>().join(", ")
        }
        (Topic::Mount, Value::Object(_)) => {
            let mut words = format!("of {}", value["name"].as_str().unwrap_or_default());
            if let Some(path) = value["subPath"].as_str() {
                words.extend([", at ", path]);
            }
            if value["readOnly"] == true {
                words.push_str(", read-only");
            }
            words
        }
        (Topic::Volume, Value::Object(volume)) => {
            let kinds = volume.iter().filter(|(key, _)| *key != "name");
            kinds.map(|(kind, of)| named(kind, of)).collect::<Vec<_>>().join(", ")
        }
        (_, other) => other.to_string(),
    }
}

fn variable(value: &Value) -> String {
    let from = &value["valueFrom"];
    if from.is_null() {
        return value["value"].as_str().unwrap_or_default().to_owned();
    }
    let of = |kind: &str, reference: &Value| {
        let text = |key: &str| reference[key].as_str().unwrap_or_default();
        format!("key {} of {kind} {}", text("key"), text("name"))
    };
    match from {
        _ if from["secretKeyRef"].is_object() => of("secret", &from["secretKeyRef"]),
        _ if from["configMapKeyRef"].is_object() => of("config map", &from["configMapKeyRef"]),
        _ => match from["fieldRef"]["fieldPath"].as_str() {
            Some(path) => format!("field {path}"),
            None => from.to_string(),
        },
    }
}

fn source(value: &Value) -> String {
    let kind = |field: &str, word: &str| {
        let name = value[field]["name"].as_str()?;
        let prefix = value["prefix"].as_str().map_or_else(String::new, |prefix| format!(" as {prefix}*"));
        Some(format!("{word} {name}{prefix}"))
    };
    kind("secretRef", "secret").or_else(|| kind("configMapRef", "config map")).unwrap_or(value.to_string())
}

/// A volume's kind, and of what it is.
fn named(kind: &str, of: &Value) -> String {
    let names = ["name", "secretName", "claimName", "path", "driver"];
    match names.iter().find_map(|name| of[*name].as_str()) {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(containers: &Value, volumes: &Value) -> Template {
        Template::new(json!({ "spec": { "containers": containers, "volumes": volumes } }))
    }

    fn told(before: &Template, after: &Template) -> Vec<String> {
        let word = |word: Option<Text>| word.map_or_else(|| "-".to_owned(), |word| word.to_string());
        let line = |note: Note| {
            let Note { topic, container, what, before, after } = note;
            format!("{} {container} {what}: {} > {}", topic.word(), word(before), word(after))
        };
        summary(before, after).into_iter().map(line).collect()
    }

    #[test]
    fn equal_templates_differ_in_nothing() {
        let one = template(&json!([{ "name": "web" }]), &json!([]));
        assert_eq!(summary(&one, &one.clone()), []);
    }

    #[test]
    fn containers_and_variables_are_matched_by_name_and_not_by_position() {
        let before = template(
            &json!([
                { "name": "web", "image": "web:1", "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] },
                { "name": "log", "image": "log:1" },
            ]),
            &json!([]),
        );
        let after = template(
            &json!([
                { "name": "proxy", "image": "proxy:9" },
                { "name": "log", "image": "log:1" },
                { "name": "web", "image": "web:2", "env": [{ "name": "B", "value": "2" }, { "name": "A", "value": "7" }] },
            ]),
            &json!([]),
        );
        assert_eq!(
            told(&before, &after),
            ["image web : web:1 > web:2", "container proxy : - > proxy:9", "env web A: 1 > 7"]
        );
    }

    #[test]
    fn what_matters_is_told_first_and_the_rest_by_its_path() {
        let before = Template::new(json!({
            "metadata": { "annotations": { "checksum/config": "a" } },
            "spec": {
                "containers": [{
                    "name": "web",
                    "command": ["serve", "--fast mode"],
                    "resources": { "requests": { "cpu": "100m" } },
                    "readinessProbe": { "httpGet": { "path": "/a", "port": 80 }, "periodSeconds": 10 },
                    "volumeMounts": [{ "name": "conf", "mountPath": "/etc/web" }],
                    "ports": [{ "containerPort": 80 }],
                }],
                "volumes": [{ "name": "conf", "configMap": { "name": "web-1" } }],
                "nodeSelector": { "disk": "ssd" },
            },
        }));
        let after = Template::new(json!({
            "metadata": { "annotations": { "checksum/config": "b" } },
            "spec": {
                "containers": [{
                    "name": "web",
                    "command": ["serve"],
                    "resources": { "requests": { "cpu": "200m" }, "limits": { "memory": "1Gi" } },
                    "readinessProbe": { "httpGet": { "path": "/b", "port": 80 }, "periodSeconds": 10 },
                    "volumeMounts": [{ "name": "conf", "mountPath": "/etc/web", "readOnly": true }],
                    "ports": [{ "containerPort": 81 }],
                }],
                "volumes": [
                    { "name": "tmp", "emptyDir": {} },
                    { "name": "conf", "configMap": { "name": "web-2" } },
                ],
            },
        }));
        assert_eq!(
            told(&before, &after),
            [
                "command web command: serve \"--fast mode\" > serve",
                "resources web limits.memory: - > 1Gi",
                "resources web requests.cpu: 100m > 200m",
                "probe web readinessProbe.httpGet.path: /a > /b",
                "volume  conf.configMap.name: web-1 > web-2",
                "volume  tmp: - > emptyDir",
                "mount web /etc/web: of conf > of conf, read-only",
                "other  metadata.annotations[checksum/config]: a > b",
                "other  spec.nodeSelector.disk: ssd > -",
                "other web ports: [{\"containerPort\":80}] > [{\"containerPort\":81}]",
            ]
        );
    }

    #[test]
    fn of_a_secret_only_its_name_is_told() {
        let with = |env: &Value, from: &Value| {
            template(&json!([{ "name": "web", "env": env, "envFrom": from }]), &json!([]))
        };
        let before = with(&json!([{ "name": "PASSWORD", "value": "plain" }]), &json!([]));
        let reference = json!({ "secretKeyRef": { "name": "db", "key": "password" } });
        let after = with(
            &json!([{ "name": "PASSWORD", "valueFrom": reference }]),
            &json!([{ "secretRef": { "name": "all" } }, { "prefix": "C_", "configMapRef": { "name": "conf" } }]),
        );
        assert_eq!(
            told(&before, &after),
            [
                "env web PASSWORD: plain > key password of secret db",
                "env web envFrom:  > secret all, config map conf as C_*",
            ]
        );
    }

    #[test]
    fn a_list_with_one_name_twice_is_told_as_it_stands() {
        let twice = json!([{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }]);
        let before = template(&json!([{ "name": "web", "env": twice }]), &json!([]));
        let after = template(&json!([{ "name": "web", "env": [{ "name": "A", "value": "2" }] }]), &json!([]));
        assert_eq!(summary(&before, &after).len(), 1);
    }
}

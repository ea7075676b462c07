//! What a template refers to and does not hold: config maps and secrets, which do not go back with it.
//!
//! Only their names are known here, and of their contents nothing is ever asked.

use super::Template;
use crate::cluster::Text;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    ConfigMap,
    Secret,
}

impl Held {
    pub const fn word(self) -> &'static str {
        match self {
            Self::ConfigMap => "config map",
            Self::Secret => "secret",
        }
    }

    /// As in a path.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }
}

/// Something of the pod's namespace that a template needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub held: Held,
    pub name: Text,
    /// Pods start without it.
    pub is_optional: bool,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.held.word(), self.name)
    }
}

impl Template {
    /// By kind and name, each once.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = BTreeMap::new();
        let mut add = |held: Held, of: &Value, name: &str| {
            let Some(name) = of[name].as_str() else { return };
            let is_optional = of["optional"] == true;
            // What is needed once is needed.
            *found.entry((held, Text::new(name))).or_insert(true) &= is_optional;
        };
        let spec = &self.value()["spec"];
        let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
        for container in list(&spec["initContainers"]).iter().chain(&list(&spec["containers"])) {
            for source in &list(&container["envFrom"]) {
                add(Held::ConfigMap, &source["configMapRef"], "name");
                add(Held::Secret, &source["secretRef"], "name");
            }
            for variable in &list(&container["env"]) {
                add(Held::ConfigMap, &variable["valueFrom"]["configMapKeyRef"], "name");
                add(Held::Secret, &variable["valueFrom"]["secretKeyRef"], "name");
            }
        }
        for volume in &list(&spec["volumes"]) {
            add(Held::ConfigMap, &volume["configMap"], "name");
            add(Held::Secret, &volume["secret"], "secretName");
            for source in &list(&volume["projected"]["sources"]) {
                add(Held::ConfigMap, &source["configMap"], "name");
                add(Held::Secret, &source["secret"], "name");
            }
        }
        found.into_iter().map(|((held, name), is_optional)| Reference { held, name, is_optional }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_that_a_template_needs_is_found_once() {
        let template = Template::new(json!({ "spec": {
            "initContainers": [{ "envFrom": [{ "secretRef": { "name": "all" } }] }],
            "containers": [{ "env": [
                { "name": "A", "value": "a" },
                { "name": "B", "valueFrom": { "secretKeyRef": { "name": "all", "key": "b", "optional": true } } },
                { "name": "C", "valueFrom": { "configMapKeyRef": { "name": "maybe", "key": "c", "optional": true } } },
            ] }],
            "volumes": [
                { "name": "a", "configMap": { "name": "conf" } },
                { "name": "b", "projected": { "sources": [{ "secret": { "name": "tls" } }, { "configMap": { "name": "conf" } }] } },
                { "name": "c", "emptyDir": {} },
            ],
        } }));
        let told: Vec<String> = template
            .references()
            .iter()
            .map(|reference| format!("{reference}{}", if reference.is_optional { "?" } else { "" }))
            .collect();
        assert_eq!(told, ["config map conf", "config map maybe?", "secret all", "secret tls"]);
    }
}

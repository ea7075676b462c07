//! Label and field selectors: parsed as the API server parses them, refused where it refuses them.
//!
//! Fields are selectable per resource, and only the ones that a real server knows: a client that relies on another
//! one must learn it here, not in production.

use serde_json::Value;

use super::super::object;
use super::super::resource::Resource;
use super::status::Refusal;

/// What of a resource a request asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    namespace: Option<String>,
    labels: Vec<Requirement>,
    fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

#[derive(Clone, Debug)]
struct FieldTerm {
    pointer: &'static str,
    value: String,
    is_equal: bool,
}

impl Selector {
    /// All that is in a namespace.
    pub(crate) fn in_namespace(namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..Self::default() }
    }

    pub(crate) fn parse(
        resource: Resource,
        namespace: Option<&str>,
        labels: &str,
        fields: &str,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            labels: parse_labels(labels)?,
            fields: parse_fields(resource, fields)?,
        })
    }

    /// Whether it narrows the collection; a namespace does not count, it is part of the path.
    pub(crate) fn is_narrowing(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| object::namespace(object) == namespace)
            && self.labels.iter().all(|requirement| requirement.matches(&object["metadata"]["labels"]))
            && self
                .fields
                .iter()
                .all(|term| (field_text(object, term.pointer) == term.value) == term.is_equal)
    }
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        match self {
            Self::In(key, values) => {
                label(key).is_some_and(|value| values.iter().any(|wanted| wanted == value))
            }
            Self::NotIn(key, values) => {
                label(key).is_none_or(|value| values.iter().all(|other| other != value))
            }
            Self::Exists(key) => label(key).is_some(),
            Self::Missing(key) => label(key).is_none(),
        }
    }
}

fn field_text(object: &Value, pointer: &str) -> String {
    match object.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        // Booleans are selectable by their zero value as well.
        None if pointer == "/spec/unschedulable" || pointer == "/spec/hostNetwork" => "false".to_owned(),
        Some(_) | None => String::new(),
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, Refusal> {
    split_outside_brackets(text).into_iter().map(|term| parse_label(term.trim())).collect()
}

/// Splits at the commas that are not inside a set.
fn split_outside_brackets(text: &str) -> Vec<&str> {
    let (mut terms, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    if text.trim().is_empty() { Vec::new() } else { terms }
}

fn parse_label(term: &str) -> Result<Requirement, Refusal> {
    let refuse = || Refusal::bad_request(&format!("unable to parse requirement: {term:?} is not understood"));
    if let Some((key, values)) = term.strip_suffix(')').and_then(|set| set.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        return match key.split_whitespace().collect::<Vec<_>>()[..] {
            [key, "in"] => Ok(Requirement::In(key.to_owned(), values)),
            [key, "notin"] => Ok(Requirement::NotIn(key.to_owned(), values)),
            _ => Err(refuse()),
        };
    }
    let word = |text: &str| {
        let text = text.trim();
        let is_word = text.chars().all(|letter| letter.is_alphanumeric() || "-_./".contains(letter));
        if is_word { Ok(text.to_owned()) } else { Err(refuse()) }
    };
    let requirement = if let Some((key, value)) = term.split_once("!=") {
        Requirement::NotIn(word(key)?, vec![word(value)?])
    } else if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        Requirement::In(word(key)?, vec![word(value)?])
    } else if let Some(key) = term.strip_prefix('!') {
        Requirement::Missing(word(key)?)
    } else {
        Requirement::Exists(word(term)?)
    };
    let key = match &requirement {
        Requirement::In(key, _)
        | Requirement::NotIn(key, _)
        | Requirement::Exists(key)
        | Requirement::Missing(key) => key,
    };
    if key.is_empty() { Err(refuse()) } else { Ok(requirement) }
}

fn parse_fields(resource: Resource, text: &str) -> Result<Vec<FieldTerm>, Refusal> {
    text.split(',')
        .filter(|term| !term.trim().is_empty())
        .map(|term| parse_field(resource, term.trim()))
        .collect()
}

fn parse_field(resource: Resource, term: &str) -> Result<FieldTerm, Refusal> {
    let (field, value, is_equal) = if let Some((field, value)) = term.split_once("!=") {
        (field, value, false)
    } else if let Some((field, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (field, value, true)
    } else {
        return Err(Refusal::bad_request(&format!("invalid selector: '{term}'; can't understand '{term}'")));
    };
    let pointer = pointer(resource, field)
        .ok_or_else(|| Refusal::bad_request(&format!("field label not supported: {field}")))?;
    Ok(FieldTerm { pointer, value: value.to_owned(), is_equal })
}

/// Where a selectable field of a resource is; `None` if the server does not know it.
fn pointer(resource: Resource, field: &str) -> Option<&'static str> {
    let common = match field {
        "metadata.name" => Some("/metadata/name"),
        "metadata.namespace" => Some("/metadata/namespace"),
        _ => None,
    };
    common.or_else(|| match resource {
        Resource::Pods => match field {
            "spec.nodeName" => Some("/spec/nodeName"),
            "spec.restartPolicy" => Some("/spec/restartPolicy"),
            "spec.schedulerName" => Some("/spec/schedulerName"),
            "spec.serviceAccountName" => Some("/spec/serviceAccountName"),
            "spec.hostNetwork" => Some("/spec/hostNetwork"),
            "status.phase" => Some("/status/phase"),
            "status.podIP" => Some("/status/podIP"),
            "status.nominatedNodeName" => Some("/status/nominatedNodeName"),
            _ => None,
        },
        Resource::Nodes => (field == "spec.unschedulable").then_some("/spec/unschedulable"),
        Resource::Namespaces => (field == "status.phase").then_some("/status/phase"),
        Resource::ReplicaSets => (field == "status.replicas").then_some("/status/replicas"),
        Resource::Events => match field {
            "involvedObject.kind" => Some("/involvedObject/kind"),
            "involvedObject.namespace" => Some("/involvedObject/namespace"),
            "involvedObject.name" => Some("/involvedObject/name"),
            "involvedObject.uid" => Some("/involvedObject/uid"),
            "involvedObject.apiVersion" => Some("/involvedObject/apiVersion"),
            "involvedObject.resourceVersion" => Some("/involvedObject/resourceVersion"),
            "involvedObject.fieldPath" => Some("/involvedObject/fieldPath"),
            "reason" => Some("/reason"),
            "reportingComponent" => Some("/reportingComponent"),
            "source" => Some("/source/component"),
            "type" => Some("/type"),
            _ => None,
        },
        Resource::Jobs => (field == "status.successful").then_some("/status/succeeded"),
        Resource::Services => match field {
            "spec.clusterIP" => Some("/spec/clusterIP"),
            "spec.type" => Some("/spec/type"),
            _ => None,
        },
        Resource::PersistentVolumes
        | Resource::PersistentVolumeClaims
        | Resource::VolumeAttachments
        | Resource::Leases
        | Resource::Deployments
        | Resource::StatefulSets
        | Resource::DaemonSets
        | Resource::PodDisruptionBudgets
        | Resource::CsiNodes
        | Resource::CsiDrivers
        | Resource::ConfigMaps
        | Resource::ControllerRevisions
        | Resource::EndpointSlices
        | Resource::StorageClasses
        | Resource::ApiServices => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(labels: &str, fields: &str) -> bool {
        let pod = json!({
            "metadata": { "name": "web-1", "namespace": "shop", "labels": { "app": "web", "tier": "front" } },
            "spec": { "nodeName": "worker-2" },
            "status": { "phase": "Running" },
        });
        Selector::parse(Resource::Pods, Some("shop"), labels, fields).unwrap().matches(&pod)
    }

    #[test]
    fn label_selectors_mean_what_kubectl_means() {
        for matching in
            ["", "app", "app=web", "app==web", "app!=cart", "app in (cart, web)", "app notin (cart)", "!zone"]
        {
            assert!(selects(matching, ""), "{matching}");
        }
        for other in ["zone", "app=cart", "app!=web", "app in (cart)", "app notin (web,cart)", "!app"] {
            assert!(!selects(other, ""), "{other}");
        }
        assert!(selects("app in (web),tier=front,!zone", ""));
        assert!(!selects("app in (web),tier=back", ""));
    }

    #[test]
    fn field_selectors_know_the_fields_that_a_server_knows() {
        assert!(selects("", "spec.nodeName=worker-2,status.phase!=Succeeded,status.phase!=Failed"));
        assert!(!selects("", "spec.nodeName=worker-1"));
        assert!(!selects("", "spec.hostNetwork=true"));
        let refusal = |resource, fields| {
            Selector::parse(resource, None, "", fields).unwrap_err().body["message"].clone()
        };
        assert_eq!(refusal(Resource::Pods, "spec.foo=x"), "field label not supported: spec.foo");
        assert_eq!(
            refusal(Resource::VolumeAttachments, "spec.nodeName=worker-2"),
            "field label not supported: spec.nodeName"
        );
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_refused() {
        for labels in ["a!!b", "=x", "app in cart", "app of (x)", "a b"] {
            assert!(Selector::parse(Resource::Pods, None, labels, "").is_err(), "{labels}");
        }
        assert!(Selector::parse(Resource::Pods, None, "", "nonsense").is_err());
    }
}

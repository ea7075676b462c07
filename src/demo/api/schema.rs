//! Which fields an object of a kind may have, and of which types they are: as the API's own types say it.
//!
//! An object that does not fit is refused before anything else looks at it, so that whoever reads the store finds what
//! it may expect; fields that no type has are dropped and named.

use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::coordination::v1 as coordination;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1 as discovery;
use k8s_openapi::api::policy::v1 as policy;
use k8s_openapi::api::storage::v1 as storage;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as registration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::resource::Resource;

/// Takes out what the kind does not have and gives the names of it; an error if a field is of a wrong type.
pub(crate) fn fit(object: &mut Value, resource: Resource) -> Result<Vec<String>, String> {
    spell_quantities(object);
    let known = match resource {
        Resource::Nodes => typed::<core::Node>(object),
        Resource::Pods => typed::<core::Pod>(object),
        Resource::PersistentVolumes => typed::<core::PersistentVolume>(object),
        Resource::PersistentVolumeClaims => typed::<core::PersistentVolumeClaim>(object),
        Resource::VolumeAttachments => typed::<storage::VolumeAttachment>(object),
        Resource::Events => typed::<core::Event>(object),
        Resource::Namespaces => typed::<core::Namespace>(object),
        Resource::Leases => typed::<coordination::Lease>(object),
        Resource::Deployments => typed::<apps::Deployment>(object),
        Resource::ReplicaSets => typed::<apps::ReplicaSet>(object),
        Resource::StatefulSets => typed::<apps::StatefulSet>(object),
        Resource::DaemonSets => typed::<apps::DaemonSet>(object),
        Resource::ControllerRevisions => typed::<apps::ControllerRevision>(object),
        Resource::Jobs => typed::<batch::Job>(object),
        Resource::PodDisruptionBudgets => typed::<policy::PodDisruptionBudget>(object),
        Resource::Services => typed::<core::Service>(object),
        Resource::EndpointSlices => typed::<discovery::EndpointSlice>(object),
        Resource::CsiNodes => typed::<storage::CSINode>(object),
        Resource::CsiDrivers => typed::<storage::CSIDriver>(object),
        Resource::StorageClasses => typed::<storage::StorageClass>(object),
        Resource::ConfigMaps => typed::<core::ConfigMap>(object),
        Resource::ApiServices => typed::<registration::APIService>(object),
    }?;
    let mut unknown = Vec::new();
    drop_unknown(object, &known, "", &mut unknown);
    Ok(unknown)
}

/// The object with nothing in it but what its type has.
fn typed<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, String> {
    let typed = T::deserialize(object).map_err(|error| error.to_string())?;
    serde_json::to_value(typed).map_err(|error| error.to_string())
}

/// Amounts may be written as numbers and are kept as text.
fn spell_quantities(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                if matches!(field.as_str(), "requests" | "limits" | "capacity" | "allocatable" | "overhead") {
                    for amount in value.as_object_mut().into_iter().flatten().map(|(_, amount)| amount) {
                        if amount.is_number() {
                            *amount = json!(amount.to_string());
                        }
                    }
                }
                spell_quantities(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spell_quantities),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is null or empty says nothing and is neither kept nor missed.
fn drop_unknown(object: &mut Value, known: &Value, path: &str, unknown: &mut Vec<String>) {
    match (object, known) {
        (Value::Object(fields), Value::Object(known)) => fields.retain(|field, value| {
            let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
            match known.get(field) {
                Some(known) => {
                    drop_unknown(value, known, &path, unknown);
                    true
                }
                None if value.is_null() => false,
                None => {
                    unknown.push(path);
                    false
                }
            }
        }),
        (Value::Array(items), Value::Array(known)) => {
            for (number, (item, known)) in items.iter_mut().zip(known).enumerate() {
                drop_unknown(item, known, &format!("{path}[{number}]"), unknown);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_named_and_dropped() {
        let mut deployment = json!({
            "metadata": { "name": "a", "creationTimestamp": null },
            "spec": { "replica": 3, "template": { "spec": { "containers": [{ "name": "a", "imago": "b" }] } } },
        });
        let unknown = fit(&mut deployment, Resource::Deployments).unwrap();
        assert_eq!(unknown, ["spec.replica", "spec.template.spec.containers[0].imago"]);
        assert_eq!(deployment["spec"]["template"]["spec"]["containers"], json!([{ "name": "a" }]));
        assert_eq!(deployment["metadata"], json!({ "name": "a" }));
    }

    #[test]
    fn what_is_of_a_wrong_type_is_refused() {
        for wrong in [
            json!({ "spec": "none" }),
            json!({ "spec": { "containers": { "name": "a" } } }),
            json!({ "metadata": { "labels": { "a": 1 } } }),
            json!({ "metadata": { "finalizers": "x" } }),
        ] {
            assert!(fit(&mut wrong.clone(), Resource::Pods).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_may_be_numbers() {
        let mut pod =
            json!({ "spec": { "containers": [{ "name": "a", "resources": { "limits": { "cpu": 1 } } }] } });
        assert_eq!(fit(&mut pod, Resource::Pods), Ok(Vec::new()));
        assert_eq!(pod["spec"]["containers"][0]["resources"]["limits"]["cpu"], "1");
    }

    #[test]
    fn what_a_server_has_stored_fits_as_it_is() {
        let stored = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": "a", "namespace": "b", "uid": "c", "managedFields": [{ "fieldsV1": { "f:spec": {} } }] },
            "spec": { "containers": [], "securityContext": {}, "tolerations": [{ "operator": "Exists" }] },
            "status": { "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" }] },
        });
        let mut object = stored.clone();
        assert_eq!(fit(&mut object, Resource::Pods), Ok(Vec::new()));
        assert_eq!(object, stored);
    }
}

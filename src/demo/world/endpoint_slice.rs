//! Endpoint slices: the addresses behind a service, and which of them serve.
//!
//! One slice per service, whatever its size; services without a selector are left alone.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::pod::{hash, is_finished, is_ready, suffix};
use super::rollout::selects;
use super::{Controller, Stage};

#[derive(Clone)]
pub(super) struct EndpointSlices;

impl Controller for EndpointSlices {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Services, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for service in stage.all(Resource::Services) {
            if service["spec"]["selector"].is_object() && !object::is_deleting(&service) {
                post(stage, &service);
            }
        }
        None
    }
}

fn post(stage: &mut Stage<'_>, service: &Value) {
    let selector = json!({ "matchLabels": service["spec"]["selector"] });
    let endpoints: Vec<Value> = stage
        .store
        .list(Resource::Pods)
        .filter(|pod| object::namespace(pod) == object::namespace(service) && selects(&selector, pod))
        .filter(|pod| !is_finished(pod) && !object::text(pod, "/status/podIP").is_empty())
        .map(|pod| {
            let (serves, is_leaving) = (is_ready(pod), object::is_deleting(pod));
            json!({
                "addresses": [object::text(pod, "/status/podIP")],
                "conditions": { "ready": serves && !is_leaving, "serving": serves, "terminating": is_leaving },
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": {
                    "kind": "Pod",
                    "namespace": object::namespace(pod),
                    "name": object::name(pod),
                    "uid": object::uid(pod),
                },
            })
        })
        .collect();
    let ports: Vec<Value> = object::items(service, "/spec/ports")
        .iter()
        .map(|port| {
            json!({
                "name": object::text(port, "/name"),
                "port": port["targetPort"],
                "protocol": port["protocol"],
            })
        })
        .collect();
    let name = format!("{}-{}", object::name(service), suffix(hash(object::uid(service)), 5));
    stage.put(
        Resource::EndpointSlices,
        json!({
            "metadata": {
                "namespace": object::namespace(service),
                "name": name,
                "generateName": format!("{}-", object::name(service)),
                "labels": {
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                    "kubernetes.io/service-name": object::name(service),
                },
                "ownerReferences": [object::owner_reference(service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }),
    );
}

//! A service on the wire.

use super::decoder::Object;
use super::meta::ObjectMeta;
use super::scalar::{Pair, nullable, pairs};
use super::shared::Shared;
use super::template::IntOrString;
use crate::cluster::{Port as PortRow, Service as Row};
use serde::Deserialize;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Service {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    spec: Spec,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    status: Status,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    ports: Vec<Port>,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "pairs")]
    selector: Vec<Pair>,
    #[prost(string, tag = "3")]
    #[serde(rename = "clusterIP", deserialize_with = "nullable")]
    cluster_ip: String,
    #[prost(string, tag = "4")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "nullable")]
    external_name: String,
    #[prost(bool, tag = "13")]
    #[serde(deserialize_with = "nullable")]
    publish_not_ready_addresses: bool,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Port {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    protocol: String,
    #[prost(int32, tag = "3")]
    #[serde(rename = "port", deserialize_with = "nullable")]
    number: i32,
    #[prost(message, optional, tag = "4")]
    #[serde(rename = "targetPort")]
    target: Option<IntOrString>,
    #[prost(int32, tag = "5")]
    #[serde(rename = "nodePort", deserialize_with = "nullable")]
    on_nodes: i32,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    load_balancer: LoadBalancer,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    ingress: Vec<Ingress>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Ingress {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    ip: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    hostname: String,
}

impl Object for Service {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        Row {
            meta: metadata.meta(shared),
            kind: shared.text(&spec.kind),
            cluster_ip: spec.cluster_ip.as_str().into(),
            external_name: spec.external_name.as_str().into(),
            ingress: status.load_balancer.ingress.iter().map(Ingress::text).map(Into::into).collect(),
            ports: spec.ports.iter().map(|port| port.row(shared)).collect(),
            labels: shared.labels(&spec.selector),
            publishes_unready: spec.publish_not_ready_addresses,
        }
    }
}

impl Ingress {
    fn text(&self) -> &str {
        if self.ip.is_empty() { &self.hostname } else { &self.ip }
    }
}

impl Port {
    fn row(&self, shared: &mut Shared) -> PortRow {
        PortRow {
            name: shared.text(&self.name),
            protocol: shared.text(&self.protocol),
            port: u16::try_from(self.number).unwrap_or_default(),
            target: self.target.as_ref().map(|target| target.text(shared)).unwrap_or_default(),
            node_port: u16::try_from(self.on_nodes).unwrap_or_default(),
        }
    }
}

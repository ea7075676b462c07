//! A pod on the wire. Environment and mounts are left unread; of probes and hooks, what is in them.

use super::decoder::Object;
use super::meta::{Condition, ObjectMeta};
use super::scalar::{Amount, Present, Time, amount, free, nullable, pairs, resources};
use super::shared::{Shared, own};
use crate::cluster::{
    Container as ContainerRow, Ended, Phase, Pod as Row, Resources as Requests, State, Text,
    Toleration as TolerationRow,
};
use serde::Deserialize;

/// What the server fills in where nothing is said.
const GRACE: u32 = 30;

/// The kubelet's mark on the API's image of a static pod.
const MIRROR: &str = "kubernetes.io/config.mirror";

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Pod {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    metadata: ObjectMeta,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    spec: PodSpec,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    status: PodStatus,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    volumes: Vec<Volume>,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    containers: Vec<Container>,
    #[prost(int64, optional, tag = "4")]
    termination_grace_period_seconds: Option<i64>,
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "nullable")]
    node_name: String,
    #[prost(message, repeated, tag = "20")]
    #[serde(deserialize_with = "nullable")]
    init_containers: Vec<Container>,
    #[prost(message, repeated, tag = "22")]
    #[serde(deserialize_with = "nullable")]
    tolerations: Vec<Toleration>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(from = "FlatVolume")]
struct Volume {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, required, tag = "2")]
    source: VolumeSource,
}

#[derive(Clone, PartialEq, prost::Message)]
struct VolumeSource {
    #[prost(message, optional, tag = "2")]
    empty_dir: Option<Present>,
    #[prost(message, optional, tag = "10")]
    claim: Option<Claim>,
    #[prost(message, optional, tag = "29")]
    ephemeral: Option<Present>,
}

/// The source is a message of its own in protobuf, and part of the volume in JSON.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FlatVolume {
    #[serde(deserialize_with = "nullable")]
    name: String,
    empty_dir: Option<Present>,
    persistent_volume_claim: Option<Claim>,
    ephemeral: Option<Present>,
}

impl From<FlatVolume> for Volume {
    fn from(flat: FlatVolume) -> Self {
        let FlatVolume { name, empty_dir, persistent_volume_claim: claim, ephemeral } = flat;
        Self { name, source: VolumeSource { empty_dir, claim, ephemeral } }
    }
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Claim {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    claim_name: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    image: Vec<u8>,
    #[prost(message, required, tag = "8")]
    #[serde(deserialize_with = "nullable")]
    resources: Resources,
    #[prost(message, optional, tag = "11")]
    readiness_probe: Option<Present>,
    #[prost(message, required, tag = "12")]
    #[serde(deserialize_with = "nullable")]
    lifecycle: Lifecycle,
    #[prost(string, optional, tag = "24")]
    restart_policy: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Resources {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "pairs")]
    limits: Vec<Amount>,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "pairs")]
    requests: Vec<Amount>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Lifecycle {
    #[prost(message, optional, tag = "2")]
    pre_stop: Option<Present>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Toleration {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    key: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    operator: String,
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    value: String,
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    effect: String,
    #[prost(int64, optional, tag = "5")]
    #[serde(rename = "tolerationSeconds")]
    seconds: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    phase: String,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(string, tag = "6")]
    #[serde(rename = "podIP", deserialize_with = "nullable")]
    pod_ip: String,
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "nullable")]
    container_statuses: Vec<ContainerStatus>,
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "nullable")]
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    state: ContainerState,
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    last_state: ContainerState,
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "nullable")]
    ready: bool,
    #[prost(int32, tag = "5")]
    #[serde(deserialize_with = "nullable")]
    restart_count: i32,
    #[prost(bool, optional, tag = "9")]
    started: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct ContainerState {
    #[prost(message, optional, tag = "1")]
    waiting: Option<Waiting>,
    #[prost(message, optional, tag = "2")]
    running: Option<Running>,
    #[prost(message, optional, tag = "3")]
    terminated: Option<Terminated>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Waiting {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Running {
    #[prost(message, optional, tag = "1")]
    started_at: Option<Time>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    exit_code: i32,
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    signal: i32,
    #[prost(bytes = "vec", tag = "3")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(message, optional, tag = "6")]
    finished_at: Option<Time>,
}

impl Object for Pod {
    type Row = Row;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn row(&self, shared: &mut Shared) -> Row {
        let Self { metadata, spec, status } = self;
        let tolerations = spec.tolerations.iter().map(|toleration| toleration.row(shared)).collect();
        Row {
            meta: metadata.meta(shared),
            node: shared.text(&spec.node_name),
            phase: Phase::parse(&status.phase),
            reason: shared.free(&status.reason),
            message: own(&status.message),
            ip: status.pod_ip.as_str().into(),
            conditions: status.conditions.iter().map(|condition| condition.row(shared)).collect(),
            init_containers: spec
                .init_containers
                .iter()
                .map(|spec| ContainerRow {
                    // Main containers may say Always too, and are no sidecars for it.
                    is_sidecar: spec.restart_policy.as_deref() == Some("Always"),
                    ..join(spec, &status.init_container_statuses, shared)
                })
                .collect(),
            containers: spec
                .containers
                .iter()
                .map(|spec| join(spec, &status.container_statuses, shared))
                .collect(),
            tolerations: shared.tolerations(tolerations),
            claims: claims(&metadata.name, &spec.volumes),
            is_mirror: metadata.is_annotated(MIRROR),
            grace_seconds: spec
                .termination_grace_period_seconds
                .map_or(GRACE, |grace| u32::try_from(grace).unwrap_or_default()),
            has_empty_dir: spec.volumes.iter().any(|volume| volume.source.empty_dir.is_some()),
            has_readiness_probe: spec.containers.iter().any(|spec| spec.readiness_probe.is_some()),
            has_pre_stop: spec.containers.iter().any(|spec| spec.lifecycle.pre_stop.is_some()),
            requests: requests(spec),
        }
    }
}

/// What the scheduler keeps free for it: the containers together with the sidecars, or the largest init container
/// where that asks for more.
fn requests(spec: &PodSpec) -> Requests {
    let (mut sidecars, mut first) = (Requests::default(), Requests::default());
    for init in &spec.init_containers {
        let asked = sidecars.and(resources(&init.resources.requests));
        if init.restart_policy.as_deref() == Some("Always") {
            sidecars = asked;
        }
        first = first.or(asked);
    }
    let asked = spec.containers.iter().map(|spec| resources(&spec.resources.requests));
    asked.fold(sidecars, Requests::and).or(first)
}

/// The names of the claims that a pod mounts; that of an ephemeral volume is made of the pod's and its own.
fn claims(pod: &str, volumes: &[Volume]) -> Box<[Text]> {
    volumes
        .iter()
        .filter_map(|volume| match &volume.source {
            VolumeSource { claim: Some(claim), .. } => Some(claim.claim_name.as_str().into()),
            VolumeSource { ephemeral: Some(Present {}), .. } => Some(format!("{pod}-{}", volume.name).into()),
            VolumeSource { claim: None, ephemeral: None, .. } => None,
        })
        .collect()
}

/// A container of the spec with its status, if the kubelet has reported one.
fn join(spec: &Container, statuses: &[ContainerStatus], shared: &mut Shared) -> ContainerRow {
    let unreported = ContainerRow {
        name: shared.text(&spec.name),
        image: shared.free(&spec.image),
        memory_limit: amount(&spec.resources.limits, "memory")
            .map(|limit| shared.text(&limit.written))
            .unwrap_or_default(),
        ..ContainerRow::default()
    };
    let Some(status) = statuses.iter().find(|status| status.name == spec.name) else {
        return unreported;
    };
    ContainerRow {
        is_ready: status.ready,
        is_started: status.started.unwrap_or_default(),
        restarts: u32::try_from(status.restart_count).unwrap_or_default(),
        state: status.state.row(shared),
        last: status.last_state.terminated.as_ref().map(|ended| ended.row(shared)),
        ..unreported
    }
}

impl ContainerState {
    fn row(&self, shared: &mut Shared) -> State {
        match self {
            Self { terminated: Some(ended), .. } => State::Terminated(ended.row(shared)),
            Self { running: Some(running), .. } => {
                State::Running { since: running.started_at.as_ref().and_then(Time::second) }
            }
            Self { waiting: Some(waiting), .. } => {
                State::Waiting { reason: shared.free(&waiting.reason), message: own(&waiting.message) }
            }
            Self { waiting: None, running: None, terminated: None } => State::None,
        }
    }
}

impl Terminated {
    fn row(&self, shared: &mut Shared) -> Ended {
        Ended {
            reason: shared.free(&self.reason),
            exit_code: self.exit_code,
            signal: self.signal,
            finished: self.finished_at.as_ref().and_then(Time::second),
        }
    }
}

impl Toleration {
    fn row(&self, shared: &mut Shared) -> TolerationRow {
        TolerationRow {
            key: shared.text(&self.key),
            operator: shared.text(&self.operator),
            value: shared.text(&self.value),
            effect: shared.text(&self.effect),
            seconds: self.seconds,
        }
    }
}

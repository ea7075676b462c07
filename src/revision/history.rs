//! The history of a deployment, stateful set or daemon set, by the rules of `kubectl rollout history`: a deployment's
//! from its replica sets, a set's from its controller revisions.
//!
//! Numbers move: rolling back to a revision gives it the next one. So what is remembered of a revision is the uid of
//! the object that holds it.

use super::{Running, Template};
use crate::cluster::{Cluster, Image, Kind, Name, ObjectRef, Pod, Text, Workload};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

const NUMBER: &str = "deployment.kubernetes.io/revision";
const CAUSE: &str = "kubernetes.io/change-cause";

/// Whether workloads of this kind have a history.
pub const fn is_for(kind: Kind) -> bool {
    match kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => true,
        Kind::Node
        | Kind::Pod
        | Kind::PersistentVolume
        | Kind::PersistentVolumeClaim
        | Kind::VolumeAttachment
        | Kind::Namespace
        | Kind::ReplicaSet
        | Kind::Job
        | Kind::PodDisruptionBudget
        | Kind::Service
        | Kind::Event
        | Kind::ApiService => false,
    }
}

/// A workload as it was read, with its revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub object: ObjectRef,
    /// Of the workload as it was read.
    pub version: Text,
    /// What the server counts up when somebody changes what is wanted.
    pub generation: i64,
    pub is_paused: bool,
    /// How many pods more than are wanted a rollout may have at a time.
    pub surge: u32,
    /// How many old revisions are kept.
    pub limit: Option<i64>,
    /// What is wanted now.
    pub template: Template,
    /// As they go back to the server; never shown.
    pub annotations: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// By their numbers, the oldest first.
    pub revisions: Vec<Revision>,
    /// Or why that is not known; empty where nobody asked.
    pub running: Result<Running, Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// 0 where nothing says one.
    pub number: i64,
    /// Of the object that holds it.
    pub name: Text,
    pub uid: Text,
    pub created: Option<Timestamp>,
    /// Why it came to be, where somebody wrote that down.
    pub cause: Text,
    pub images: Vec<Image>,
    /// Whether it is what is wanted now.
    pub is_wanted: bool,
    pub template: Template,
    /// What the API applies to go back to it, for the kinds whose revisions hold that.
    pub patch: Option<Value>,
    /// Of the object that holds it, as they go back to the server; never shown.
    pub annotations: BTreeMap<String, String>,
    /// By what its pods tell that they are of it.
    pub(super) mark: Text,
}

/// How many pods there are of a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodCount {
    pub total: u32,
    pub ready: u32,
}

/// What was read is no workload with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    what: Text,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server's answer has no {}: it is not the workload that was asked for", self.what)
    }
}

/// Why there is nothing to go back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// Nothing but what is wanted now.
    NoHistory,
    Unknown(i64),
    /// The object that held it is gone.
    Gone(Text),
}

impl fmt::Display for NoTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHistory => f.write_str("there is no earlier revision"),
            Self::Unknown(number) => write!(f, "there is no revision {number}"),
            Self::Gone(name) => write!(f, "revision {name} is gone"),
        }
    }
}

impl History {
    /// Of a workload and of what its selector finds among replica sets or controller revisions.
    pub fn read(kind: Kind, mut workload: Value, owned: Vec<Value>) -> Result<Self, Unreadable> {
        let missing = |what: &str| Unreadable { what: what.into() };
        let meta = &workload["metadata"];
        let text = |key: &str| Text::new(meta[key].as_str().unwrap_or_default());
        let name = Name { namespace: text("namespace"), name: text("name") };
        let object = ObjectRef { kind, name, uid: text("uid") };
        if !is_for(kind) || object.uid.is_empty() {
            return Err(missing("uid"));
        }
        let version = text("resourceVersion");
        let generation = meta["generation"].as_i64().unwrap_or_default();
        let annotations = strings(&meta["annotations"]);
        let labels = strings(&meta["labels"]);
        let is_paused = workload["spec"]["paused"].as_bool().unwrap_or_default();
        let surge = surge(kind, &workload["spec"]);
        let limit = workload["spec"]["revisionHistoryLimit"].as_i64();
        let template = Template::new(taken(&mut workload, "/spec/template").ok_or(missing("template"))?);
        let is_owned = |held: &Value| is_controlled_by(held, &object.uid);
        let mut revisions: Vec<Revision> =
            owned.into_iter().filter(is_owned).filter_map(|held| Revision::read(kind, held)).collect();
        revisions.sort_by(|one, other| (one.number, &one.name).cmp(&(other.number, &other.name)));
        let wanted = wanted(kind, &revisions, (&template, &workload));
        if let Some(wanted) = wanted.and_then(|at| revisions.get_mut(at)) {
            wanted.is_wanted = true;
        }
        Ok(Self {
            object,
            version,
            generation,
            is_paused,
            surge,
            limit,
            template,
            annotations,
            labels,
            revisions,
            running: Err(Text::default()),
        })
    }

    /// What is wanted now, as a revision; nothing where no controller has seen it yet.
    pub fn wanted(&self) -> Option<&Revision> {
        self.revisions.iter().find(|revision| revision.is_wanted)
    }

    pub fn by_uid(&self, uid: &str) -> Option<&Revision> {
        self.revisions.iter().find(|revision| *revision.uid == *uid)
    }

    /// Where to go back to: the revision of this number, or the one before the newest.
    pub fn target(&self, number: Option<i64>) -> Result<&Revision, NoTarget> {
        match number {
            // The last of them wins, as in a table by number.
            Some(number) => {
                let mut newest_first = self.revisions.iter().rev();
                newest_first.find(|revision| revision.number == number).ok_or(NoTarget::Unknown(number))
            }
            None => self.revisions.iter().rev().nth(1).ok_or(NoTarget::NoHistory),
        }
    }

    /// When a revision was replaced, as far as its followers tell: one that came back keeps the time of its making.
    pub fn replaced(&self, revision: &Revision) -> Option<Timestamp> {
        let made = revision.created?;
        self.revisions.iter().filter_map(|other| other.created).filter(|other| *other > made).min()
    }

    /// The pods of each revision, and last those of none that is known.
    pub fn pods(&self, cluster: &Cluster) -> (Vec<PodCount>, PodCount) {
        let mut counts = vec![PodCount::default(); self.revisions.len()];
        let mut others = PodCount::default();
        let Some(workload) = cluster.workload(&self.object) else { return (counts, others) };
        let places: HashMap<&str, usize> =
            self.revisions.iter().enumerate().map(|(at, revision)| (revision.mark.as_str(), at)).collect();
        for pod in cluster.pods_of(workload).into_iter().filter(|pod| !pod.phase.is_terminal()) {
            let count = match mark_of(workload, pod).and_then(|mark| places.get(mark)) {
                Some(at) => &mut counts[*at],
                None => &mut others,
            };
            count.total += 1;
            count.ready += u32::from(pod.is_ready() && !pod.meta.is_deleting());
        }
        (counts, others)
    }

    /// Whether a pod of the workload is of this revision.
    pub fn is_of(&self, pod: &Pod, revision: &Revision, cluster: &Cluster) -> bool {
        let workload = cluster.workload(&self.object);
        workload.and_then(|workload| mark_of(workload, pod)).is_some_and(|mark| *mark == *revision.mark)
    }
}

/// What of a pod tells its revision.
fn mark_of<'a>(workload: Workload<'_>, pod: &'a Pod) -> Option<&'a str> {
    match workload {
        Workload::Deployment(_) => pod.meta.owner.as_ref().map(|owner| owner.uid.as_str()),
        Workload::StatefulSet(_) | Workload::DaemonSet(_) | Workload::ReplicaSet(_) | Workload::Job(_) => {
            pod.revision()
        }
    }
}

impl Revision {
    /// `None` where it has no number that can be read, as kubectl leaves it out.
    fn read(kind: Kind, mut held: Value) -> Option<Self> {
        let meta = &held["metadata"];
        let text = |key: &str| Text::new(meta[key].as_str().unwrap_or_default());
        let (name, uid) = (text("name"), text("uid"));
        let created = meta["creationTimestamp"].as_str().and_then(|at| at.parse().ok());
        let annotations = strings(&meta["annotations"]);
        let cause = Text::new(annotations.get(CAUSE).map_or("", String::as_str));
        let (number, mark, template, patch) = if kind == Kind::Deployment {
            let number = match annotations.get(NUMBER) {
                Some(number) => number.parse().ok()?,
                None => 0,
            };
            (number, uid.clone(), Template::new(taken(&mut held, "/spec/template")?), None)
        } else {
            // The pods of a stateful set carry the whole name.
            let is_named = kind == Kind::StatefulSet;
            let mark = Text::new(meta["labels"][Pod::REVISION].as_str().unwrap_or_default());
            let mark = if is_named { name.clone() } else { mark };
            let template = Template::new(held["data"]["spec"]["template"].clone());
            (held["revision"].as_i64()?, mark, template, taken(&mut held, "/data"))
        };
        let images = template.images();
        Some(Self {
            number,
            name,
            uid,
            created,
            cause,
            images,
            is_wanted: false,
            template,
            patch,
            annotations,
            mark,
        })
    }
}

/// A share is of the replicas, and rounded up.
fn surge(kind: Kind, spec: &Value) -> u32 {
    if kind != Kind::Deployment || spec["strategy"]["type"] == "Recreate" {
        return 0;
    }
    let surge = &spec["strategy"]["rollingUpdate"]["maxSurge"];
    let many = match surge.as_str().and_then(|share| share.strip_suffix('%')) {
        Some(share) => {
            let replicas = spec["replicas"].as_u64().unwrap_or(1);
            share.parse::<u64>().unwrap_or_default().saturating_mul(replicas).div_ceil(100)
        }
        None => surge.as_u64().unwrap_or_default(),
    };
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// Which revision is what is wanted.
fn wanted(kind: Kind, revisions: &[Revision], (template, workload): (&Template, &Value)) -> Option<usize> {
    let equal = revisions.iter().enumerate().filter(|(_, revision)| revision.template == *template);
    if kind == Kind::Deployment {
        // Of several that are equal the controller takes the oldest.
        return equal.min_by_key(|(_, revision)| (revision.created, &revision.name)).map(|(at, _)| at);
    }
    let newest = equal.max_by_key(|(_, revision)| revision.number).map(|(at, _)| at);
    // A server that was upgraded fills in what the revision was written without: then its controller has to be
    // believed, if it has seen what is wanted.
    let status = &workload["status"];
    let is_seen = status["observedGeneration"] == workload["metadata"]["generation"];
    newest.or_else(|| match status["updateRevision"].as_str() {
        Some(name) if is_seen => revisions.iter().position(|revision| *revision.name == *name),
        None if is_seen => revisions.len().checked_sub(1),
        Some(_) | None => None,
    })
}

/// A part of an object, out of it.
fn taken(object: &mut Value, path: &str) -> Option<Value> {
    object.pointer_mut(path).map(Value::take).filter(|part| !part.is_null())
}

fn is_controlled_by(held: &Value, uid: &str) -> bool {
    let owners = held["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| owner["controller"] == true && owner["uid"] == uid)
}

fn strings(map: &Value) -> BTreeMap<String, String> {
    let pairs = map.as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests;

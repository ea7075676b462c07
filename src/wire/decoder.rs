//! One object to one row. A decoder belongs to one kind and lives as long as its watch, because the rows of that
//! kind share strings.

use super::api_service::ApiService;
use super::attachment::VolumeAttachment;
use super::budget::PodDisruptionBudget;
use super::claim::PersistentVolumeClaim;
use super::daemon_set::DaemonSet;
use super::deployment::Deployment;
use super::event::Event;
use super::job::Job;
use super::lease::{LeaderLease, Lease};
use super::meta::{Head, ObjectMeta};
use super::namespace::Namespace;
use super::node::Node;
use super::pod::Pod;
use super::replica_set::ReplicaSet;
use super::service::Service;
use super::shared::Shared;
use super::stateful_set::StatefulSet;
use super::volume::PersistentVolume;
use super::{Encoding, Undecodable, WireError, protobuf};
use crate::cluster::{self, Change, Delta, Kind};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A wire struct of an object, and the row that it becomes.
pub trait Object: prost::Message + Default + DeserializeOwned {
    type Row;

    fn metadata(&self) -> &ObjectMeta;

    fn row(&self, shared: &mut Shared) -> Self::Row;
}

/// One object, still encoded.
#[derive(Clone, Copy, Debug)]
pub enum Raw<'a> {
    Json(&'a [u8]),
    /// The member `object` of a watch's frame.
    JsonFrame(&'a [u8]),
    /// Out of its wrapping.
    Protobuf(&'a [u8]),
}

#[derive(Default, Deserialize)]
#[serde(bound = "T: Default + Deserialize<'de>", default)]
struct Framed<T> {
    object: T,
}

impl Raw<'_> {
    /// Decodes it, or says why that cannot be.
    pub fn decode<T>(self) -> Result<T, String>
    where
        T: prost::Message + Default + DeserializeOwned,
    {
        match self {
            Self::Json(bytes) => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
            Self::JsonFrame(bytes) => serde_json::from_slice(bytes)
                .map(|framed: Framed<T>| framed.object)
                .map_err(|error| error.to_string()),
            Self::Protobuf(bytes) => T::decode(bytes).map_err(|error| error.to_string()),
        }
    }

    /// Its name and version, whatever the rest is like.
    pub fn head(self) -> Head {
        self.decode().unwrap_or_default()
    }
}

/// Turns objects of one kind into rows; strings that many rows share are kept once, across lists and watches.
#[derive(Debug)]
pub struct Decoder {
    kind: Kind,
    shared: Shared,
}

/// A change, and the version at which the object was.
pub struct Applied {
    pub change: Change,
    pub resource_version: String,
}

impl Decoder {
    pub fn new(kind: Kind) -> Self {
        Self { kind, shared: Shared::default() }
    }

    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The body of a GET of one object, as the change that puts it in.
    pub fn object(&mut self, encoding: Encoding, body: &[u8]) -> Result<Change, WireError> {
        let raw = one(encoding, body, self.kind.word())?;
        Ok(self.apply(raw)?.change)
    }

    pub(super) fn apply(&mut self, raw: Raw<'_>) -> Result<Applied, Undecodable> {
        match self.kind {
            Kind::Node => self.row::<Node>(raw, Change::Node),
            Kind::Pod => self.row::<Pod>(raw, Change::Pod),
            Kind::PersistentVolume => self.row::<PersistentVolume>(raw, Change::PersistentVolume),
            Kind::PersistentVolumeClaim => {
                self.row::<PersistentVolumeClaim>(raw, Change::PersistentVolumeClaim)
            }
            Kind::VolumeAttachment => self.row::<VolumeAttachment>(raw, Change::VolumeAttachment),
            Kind::Namespace => self.row::<Namespace>(raw, Change::Namespace),
            Kind::Deployment => self.row::<Deployment>(raw, Change::Deployment),
            Kind::ReplicaSet => self.row::<ReplicaSet>(raw, Change::ReplicaSet),
            Kind::StatefulSet => self.row::<StatefulSet>(raw, Change::StatefulSet),
            Kind::DaemonSet => self.row::<DaemonSet>(raw, Change::DaemonSet),
            Kind::Job => self.row::<Job>(raw, Change::Job),
            Kind::PodDisruptionBudget => self.row::<PodDisruptionBudget>(raw, Change::PodDisruptionBudget),
            Kind::Service => self.row::<Service>(raw, Change::Service),
            Kind::ApiService => self.row::<ApiService>(raw, Change::ApiService),
            Kind::Event => self.row::<Event>(raw, Change::Event),
        }
    }

    /// Only the head is read of what goes: an object need not be sound to be deleted.
    pub(super) fn delete(&self, raw: Raw<'_>) -> Result<Applied, Undecodable> {
        let head = raw.head();
        let name = head.name().ok_or_else(|| undecodable(raw, self.kind.word(), NAMELESS))?;
        let uid = head.uid();
        let change = match self.kind {
            Kind::Node => Change::Node(Delta::Delete { name, uid }),
            Kind::Pod => Change::Pod(Delta::Delete { name, uid }),
            Kind::PersistentVolume => Change::PersistentVolume(Delta::Delete { name, uid }),
            Kind::PersistentVolumeClaim => Change::PersistentVolumeClaim(Delta::Delete { name, uid }),
            Kind::VolumeAttachment => Change::VolumeAttachment(Delta::Delete { name, uid }),
            Kind::Namespace => Change::Namespace(Delta::Delete { name, uid }),
            Kind::Deployment => Change::Deployment(Delta::Delete { name, uid }),
            Kind::ReplicaSet => Change::ReplicaSet(Delta::Delete { name, uid }),
            Kind::StatefulSet => Change::StatefulSet(Delta::Delete { name, uid }),
            Kind::DaemonSet => Change::DaemonSet(Delta::Delete { name, uid }),
            Kind::Job => Change::Job(Delta::Delete { name, uid }),
            Kind::PodDisruptionBudget => Change::PodDisruptionBudget(Delta::Delete { name, uid }),
            Kind::Service => Change::Service(Delta::Delete { name, uid }),
            Kind::ApiService => Change::ApiService(Delta::Delete { name, uid }),
            Kind::Event => Change::Event(Delta::Delete { name, uid }),
        };
        Ok(Applied { change, resource_version: head.resource_version() })
    }

    fn row<T: Object>(
        &mut self,
        raw: Raw<'_>,
        change: fn(Delta<T::Row>) -> Change,
    ) -> Result<Applied, Undecodable> {
        let object: T = named(raw, self.kind.word())?;
        let row = object.row(&mut self.shared);
        let resource_version = object.metadata().resource_version.clone();
        Ok(Applied { change: change(Delta::Apply(Box::new(row))), resource_version })
    }
}

/// The same for leases, which no watch follows.
#[derive(Debug, Default)]
pub struct LeaseDecoder(Shared);

impl LeaseDecoder {
    pub fn lease(&mut self, raw: Raw<'_>) -> Result<cluster::Lease, Undecodable> {
        Ok(named::<Lease>(raw, "Lease")?.row(&mut self.0))
    }
}

/// The body of a GET of one lease.
pub fn lease(encoding: Encoding, body: &[u8]) -> Result<cluster::Lease, WireError> {
    Ok(LeaseDecoder::default().lease(one(encoding, body, "Lease")?)?)
}

/// The body of a GET of a leader lease.
pub fn leader_lease(encoding: Encoding, body: &[u8]) -> Result<cluster::LeaderLease, WireError> {
    let lease: LeaderLease = named(one(encoding, body, "Lease")?, "Lease")?;
    Ok(lease.row(&mut Shared::default()))
}

/// One object that is a whole body.
fn one<'a>(encoding: Encoding, body: &'a [u8], kind: &str) -> Result<Raw<'a>, WireError> {
    let (is_right, raw) = match encoding {
        Encoding::Json => (kind_of(body)? == kind, Raw::Json(body)),
        Encoding::Protobuf => {
            let wrapped = protobuf::unwrap(body)?;
            (wrapped.kind == kind.as_bytes(), Raw::Protobuf(wrapped.raw))
        }
    };
    if is_right { Ok(raw) } else { Err(WireError::Malformed("an object of another kind")) }
}

/// The kind that an object in JSON names.
pub fn kind_of(body: &[u8]) -> Result<String, WireError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Kinded {
        kind: String,
    }
    let kinded: Kinded = serde_json::from_slice(body).map_err(|_| WireError::Malformed("broken JSON"))?;
    Ok(kinded.kind)
}

const NAMELESS: &str = "it has no name";

/// Decodes an object that must have a name: without one it is no row of any table.
fn named<T: Object>(raw: Raw<'_>, kind: &str) -> Result<T, Undecodable> {
    match raw.decode::<T>() {
        Ok(object) if !object.metadata().name.is_empty() => Ok(object),
        Ok(_) => Err(undecodable(raw, kind, NAMELESS)),
        Err(reason) => Err(undecodable(raw, kind, &reason)),
    }
}

fn undecodable(raw: Raw<'_>, kind: &str, reason: &str) -> Undecodable {
    let name =
        raw.head().name().map_or_else(|| "without a readable name".to_owned(), |name| name.to_string());
    Undecodable { reason: format!("{} {name}: {reason}", kind.to_lowercase()).into() }
}

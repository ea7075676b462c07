//! Volumes as the API has them: persistent volumes, claims and attachments. Their join is in `volume.rs`.

use super::{Meta, Name, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersistentVolume {
    pub meta: Meta,
    pub phase: Text,
    pub reason: Text,
    pub message: Text,
    pub capacity: Text,
    pub access: AccessModes,
    pub reclaim_policy: Text,
    pub class: Text,
    pub claim: Option<ClaimRef>,
    pub source: Source,
    /// `volumeMode: Block`: a raw device rather than a file system.
    pub is_raw_block: bool,
    /// What a node must be labelled with to reach the volume, all terms of the node affinity together.
    pub affinity: Box<[Requirement]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRef {
    pub name: Name,
    pub uid: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub key: Text,
    pub values: Box<[Text]>,
}

/// What backs the volume, as far as it decides what to do with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    Csi {
        driver: Text,
        handle: Text,
    },
    Local {
        path: Text,
    },
    HostPath {
        path: Text,
    },
    Nfs {
        server: Text,
        path: Text,
    },
    /// Another in-tree one, by its field's name.
    InTree {
        field: Text,
    },
    #[default]
    Unknown,
}

/// A set of access modes, as kubectl abbreviates them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccessModes(u8);

impl AccessModes {
    const WORDS: [(&'static str, &'static str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];

    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut modes = 0;
        for word in words {
            if let Some(at) = Self::WORDS.iter().position(|(long, _)| *long == word) {
                modes |= 1 << at;
            }
        }
        Self(modes)
    }

    /// Whether the attach-detach controller lets it be on two nodes: any shared mode, or none at all.
    pub const fn is_shared(self) -> bool {
        self.0 == 0 || self.0 & 0b0110 != 0
    }

    pub const fn is_read_write_many(self) -> bool {
        self.0 & 0b0100 != 0
    }

    pub fn short(self) -> String {
        let words: Vec<_> = Self::WORDS
            .iter()
            .enumerate()
            .filter(|(at, _)| self.0 & (1 << at) != 0)
            .map(|(_, (_, short))| *short)
            .collect();
        words.join(",")
    }
}

impl PersistentVolume {
    /// The name under which nodes list it in `volumesAttached` and `volumesInUse`, for CSI volumes.
    pub fn unique_name(&self) -> Option<String> {
        match &self.source {
            Source::Csi { driver, handle } => Some(format!("kubernetes.io/csi/{driver}^{handle}")),
            Source::Local { .. }
            | Source::HostPath { .. }
            | Source::Nfs { .. }
            | Source::InTree { .. }
            | Source::Unknown => None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersistentVolumeClaim {
    pub meta: Meta,
    pub phase: Text,
    /// Name of the bound volume; empty while there is none.
    pub volume: Text,
    pub class: Text,
    pub access: AccessModes,
    pub capacity: Text,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeAttachment {
    pub meta: Meta,
    pub attacher: Text,
    pub node: Text,
    /// Empty for an inline volume.
    pub volume: Text,
    pub is_attached: bool,
    pub attach_error: Option<VolumeError>,
    pub detach_error: Option<VolumeError>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeError {
    pub message: Text,
    pub at: Option<Timestamp>,
}

//! Where one is: a screen, and perhaps an object open on it.

use super::object::Open;
use crate::cluster::Kind;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    #[default]
    Triage,
    Nodes,
    Pods,
    Volumes,
    Workloads,
    Events,
    Services,
}

impl Screen {
    pub const ALL: [Self; 7] =
        [Self::Triage, Self::Nodes, Self::Pods, Self::Volumes, Self::Workloads, Self::Events, Self::Services];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Triage => "Triage",
            Self::Nodes => "Nodes",
            Self::Pods => "Pods",
            Self::Volumes => "Volumes",
            Self::Workloads => "Workloads",
            Self::Events => "Events",
            Self::Services => "Services",
        }
    }

    /// The title where there is no room for all of it.
    pub const fn short_title(self) -> &'static str {
        match self {
            Self::Triage => "Triage",
            Self::Nodes => "Nodes",
            Self::Pods => "Pods",
            Self::Volumes => "Vols",
            Self::Workloads => "Work",
            Self::Events => "Ev",
            Self::Services => "Svc",
        }
    }

    /// The kinds that it cannot do without, the first of which it lists.
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Triage => &[Kind::Node, Kind::Pod, Kind::VolumeAttachment],
            Self::Nodes => &[Kind::Node],
            Self::Pods => &[Kind::Pod],
            Self::Volumes => &[Kind::PersistentVolume, Kind::PersistentVolumeClaim, Kind::VolumeAttachment],
            Self::Workloads => {
                &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::ReplicaSet]
            }
            Self::Events => &[Kind::Event],
            Self::Services => &[Kind::Service, Kind::Pod],
        }
    }

    pub fn next(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// What Back goes back to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub screen: Screen,
    pub open: Option<Open>,
}

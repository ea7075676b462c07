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
}

impl Screen {
    pub const ALL: [Self; 4] = [Self::Triage, Self::Nodes, Self::Pods, Self::Volumes];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Triage => "Triage",
            Self::Nodes => "Nodes",
            Self::Pods => "Pods",
            Self::Volumes => "Volumes",
        }
    }

    /// The kinds that it cannot do without, the first of which it lists.
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Triage => &[Kind::Node, Kind::Pod, Kind::VolumeAttachment],
            Self::Nodes => &[Kind::Node],
            Self::Pods => &[Kind::Pod],
            Self::Volumes => &[Kind::PersistentVolume, Kind::PersistentVolumeClaim, Kind::VolumeAttachment],
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

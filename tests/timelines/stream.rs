//! A scenario's life as the ordinary streams bring it: watch lines and lists of leases, decoded to changes.

use jiff::{SignedDuration, Timestamp};
use sickbay::cluster::{Change, Feed, FeedChange, Kind};
use sickbay::demo::{Life, Resource, Scenario};
use sickbay::wire::{Decoder, Encoding, Frame, ListParser, WatchParser};
use std::sync::{LazyLock, Mutex};

/// Between two readings of the leases: the list, which is also often enough for suspects here.
const LEASES: SignedDuration = SignedDuration::from_secs(5);

fn start() -> Timestamp {
    "2026-03-01T03:00:00Z".parse().unwrap()
}

pub struct Stream {
    pub life: Life,
    watches: Vec<Watch>,
    /// When somebody in the cluster has something to do.
    due: Option<Timestamp>,
    leases_due: Timestamp,
}

struct Watch {
    kind: Kind,
    /// Up to which version it has told.
    version: Option<u64>,
    parser: WatchParser,
    decoder: Decoder,
}

impl Stream {
    /// From ten seconds before the failure.
    pub fn of(scenario: Scenario) -> Self {
        static CALM: LazyLock<Mutex<Life>> =
            LazyLock::new(|| Mutex::new(Life::new(Scenario::Healthy, start())));
        let with = CALM.lock().unwrap().with(scenario);
        let life = with.unwrap_or_else(|| Life::new(scenario, start()));
        Self::opened_on(life, start())
    }

    /// As who opens the board now sees it.
    pub fn opened_on(life: Life, now: Timestamp) -> Self {
        let watches = Kind::ALL.map(|kind| Watch {
            kind,
            version: None,
            parser: WatchParser::new(Encoding::Json),
            decoder: Decoder::new(kind),
        });
        Self { life, watches: watches.into(), due: Some(now), leases_due: now }
    }

    /// The zero of the scenario's moments.
    pub const fn failure(&self) -> Timestamp {
        self.life.failure()
    }

    /// The next moment at which something comes.
    pub fn next(&self) -> Timestamp {
        self.due.map_or(self.leases_due, |due| due.min(self.leases_due))
    }

    /// Plays on until then, and gives what has come.
    pub fn advance(&mut self, to: Timestamp) -> Vec<Change> {
        self.due = self.life.advance(to);
        let mut changes = Vec::new();
        for watch in &mut self.watches {
            let mut frames = Vec::new();
            let (lines, version) = self.life.watch(resource(watch.kind), watch.version);
            watch.version = Some(version);
            watch.parser.push(&lines, &mut watch.decoder, &mut frames).unwrap();
            changes.extend(frames.into_iter().map(|frame| match frame {
                Frame::Change { change, .. } => change,
                other => panic!("{} sends {other:?}", watch.kind),
            }));
        }
        if self.leases_due <= to {
            self.leases_due = to + LEASES;
            changes.push(self.leases(to));
        }
        changes
    }

    fn leases(&self, now: Timestamp) -> Change {
        let mut parser = ListParser::new(Encoding::Json);
        let mut read = Vec::new();
        let body = self.life.list(Resource::Leases, "kube-node-lease", now);
        parser.push_leases(&body, &mut read).unwrap();
        parser.finish().unwrap();
        Change::Leases { leases: read.into_iter().collect::<Result<_, _>>().unwrap(), is_complete: true }
    }
}

/// That everything is read.
pub fn all_live() -> Vec<Change> {
    let watches = Kind::ALL.into_iter().map(Feed::Watch);
    watches.chain([Feed::Leases]).map(|feed| Change::Feed(feed, FeedChange::Live)).collect()
}

const fn resource(kind: Kind) -> Resource {
    match kind {
        Kind::Node => Resource::Nodes,
        Kind::Pod => Resource::Pods,
        Kind::PersistentVolume => Resource::PersistentVolumes,
        Kind::PersistentVolumeClaim => Resource::PersistentVolumeClaims,
        Kind::VolumeAttachment => Resource::VolumeAttachments,
        Kind::Namespace => Resource::Namespaces,
        Kind::Deployment => Resource::Deployments,
        Kind::ReplicaSet => Resource::ReplicaSets,
        Kind::StatefulSet => Resource::StatefulSets,
        Kind::DaemonSet => Resource::DaemonSets,
        Kind::Job => Resource::Jobs,
        Kind::PodDisruptionBudget => Resource::PodDisruptionBudgets,
        Kind::Service => Resource::Services,
        Kind::ApiService => Resource::ApiServices,
        Kind::Event => Resource::Events,
    }
}

//! The sentences of the rule: what holds a volume, and what to do by its kind of storage.

use super::{Case, Hold, Link, Place};
use crate::cluster::{Node, PersistentVolume, Source, Storage, VolumeAttachment, VolumeId, VolumeJoin};
use crate::findings::{Evidence, words};

/// By its claim where it has one: that says what is on it, and its own name is often a number.
pub fn title(join: &VolumeJoin<'_>) -> String {
    match (&join.claim_name, &join.id) {
        (Some(claim), _) | (None, VolumeId::Claim(claim)) => format!("The volume of {claim}"),
        (None, VolumeId::Persistent(name) | VolumeId::Unknown(name)) => format!("Volume {name}"),
    }
}

pub fn lone_title(object: &VolumeAttachment) -> String {
    match object.volume.non_empty() {
        Some(volume) => format!("Volume {volume}, of which no more is known,"),
        None => format!("The inline volume of attachment {}", object.meta.name),
    }
}

pub fn sentence(case: &Case<'_>) -> String {
    let node = case.place.name();
    let title = &case.title;
    let link = match case.link {
        Link::Attached => "is attached to",
        Link::Attaching => "is to be attached to",
        Link::Disk => "has its data on",
    };
    let state = match case.place {
        Place::Silent(_) => "which is silent",
        Place::NotReady(_) => "which is not ready",
        Place::Gone(..) => "which is gone",
    };
    let waiting = match case.waiting.as_slice() {
        [] => String::new(),
        [(pod, there)] if !there.is_empty() => format!(", and pod {} waits for it on {there}", pod.name),
        many => {
            let pods: Vec<_> = many.iter().map(|(pod, _)| pod.clone()).collect();
            let wait = words::verb(many.len(), "waits", "wait");
            format!(", and {} {wait} for it", words::pods(&pods))
        }
    };
    format!("{title} {link} {node}, {state}{waiting}.{}", held(case))
}

fn held(case: &Case<'_>) -> String {
    if case.link == Link::Disk {
        return String::new();
    }
    match &case.hold {
        Hold::Detaching { error: Some(error), .. } => {
            format!(" Its detach was asked for and fails: {}.", words::quote(error))
        }
        Hold::Detaching { error: None, .. } => " Its detach was asked for and is not done.".to_owned(),
        Hold::Wanted { by, are_going } => {
            let still = if *are_going { "is not gone" } else { "wants it there" };
            let still_many = if *are_going { "are not gone" } else { "want it there" };
            format!(
                " It is not detached while {} {}.",
                words::pods(by),
                words::verb(by.len(), still, still_many)
            )
        }
        Hold::Unwanted(_) => " No pod there wants it any more, so it will be detached by force.".to_owned(),
        Hold::Free => " No pod there wants it any more, so it can be detached at once.".to_owned(),
        Hold::NotKnown => " Whether a pod there wants it is not known.".to_owned(),
    }
}

pub fn next(case: &Case<'_>) -> String {
    let node = case.place.name();
    match case.storage {
        Storage::Pinned => {
            return format!("Bring {node} back: the data is on that machine, and detaching does not help.");
        }
        Storage::File => {
            return "Release its pod: a file system can be used from elsewhere without a detach.".to_owned();
        }
        Storage::Block | Storage::Unknown => {}
    }
    match (&case.hold, case.place) {
        (Hold::Detaching { error, .. }, _) => {
            let driver = case.attachment.map_or("the driver", |object| &object.attacher);
            match error {
                Some(_) => format!(
                    "See what {driver} needs; if {node} is proved to be off, the storage itself may have to be \
                     told to detach."
                ),
                None => format!("Wait for {driver}; if nothing moves, see whether its controller runs."),
            }
        }
        (_, Place::NotReady(_)) => format!(
            "Look at the kubelet's log on {node}: an unmount may hang. Force nothing while the kubelet talks."
        ),
        (Hold::Wanted { by, .. }, Place::Silent(_) | Place::Gone(..)) => format!(
            "Prove that {node} is off, then release {}: the detach begins when {} gone.",
            words::pods(by),
            words::verb(by.len(), "it is", "they are")
        ),
        (Hold::Unwanted(_), Place::Silent(_) | Place::Gone(..)) => format!(
            "Make sure that {node} is off before the forced detach; once that is proved, it can be detached now."
        ),
        (Hold::Free, Place::Silent(_) | Place::Gone(..)) => {
            "Wait for the detach; if nothing moves, see whether the controller-manager runs.".to_owned()
        }
        (Hold::NotKnown, Place::Silent(_) | Place::Gone(..)) => {
            "Find out which pods use it before anything is forced.".to_owned()
        }
    }
}

/// What an operator copies to the storage's own console.
pub fn facts(volume: &PersistentVolume, node: Option<&Node>) -> Vec<Evidence> {
    let mut facts =
        vec![Evidence::new(format!("{} storage, {}", volume.storage().word(), volume.access.short()))];
    match &volume.source {
        Source::Csi { driver, handle } => {
            facts.push(Evidence::new(format!("driver {driver}, handle {handle}")));
        }
        Source::Local { path } | Source::HostPath { path } => {
            facts.push(Evidence::new(format!("path {path}")));
        }
        Source::Nfs { server, path } => facts.push(Evidence::new(format!("NFS {server}:{path}"))),
        Source::InTree { field } => facts.push(Evidence::new(format!("in-tree source {field}"))),
        Source::Unknown => {}
    }
    if let (Some(node), Some(unique)) = (node, volume.unique_name()) {
        let is_used = node.volumes_in_use.iter().any(|used| used == unique.as_str());
        let said = if is_used {
            "the kubelet last said that it uses it"
        } else {
            "the kubelet did not say that it uses it"
        };
        facts.push(Evidence::new(said));
    }
    facts
}

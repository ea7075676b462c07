//! What a DELETE does: pods get their grace first, finalizers hold everything.
//!
//! Used by the controllers and by the operator's acts of a scenario alike, so that all of them delete by the same
//! rules. It removes nothing that the rules keep; who finishes a pod is its kubelet.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::object;
use super::resource::Resource;
use super::store::{Key, Store};

/// What becomes of what an object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// It is collected once the owner is gone.
    Background,
    /// The owner stays until it is gone.
    Foreground,
    /// It stays, without the owner.
    Orphan,
}

impl Propagation {
    /// The finalizer by which the garbage collector is told.
    const fn finalizer(self) -> Option<&'static str> {
        match self {
            Self::Background => None,
            Self::Foreground => Some("foregroundDeletion"),
            Self::Orphan => Some("orphan"),
        }
    }
}

/// How and when a request wants an object deleted; what it leaves open is the object's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) grace: Option<i64>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) at: Timestamp,
}

/// Deletes an object by the rules of the API. `grace` is what the request asks for; without it a pod's own is
/// taken.
pub(crate) fn delete(store: &mut Store, resource: Resource, key: &Key, grace: Option<i64>, at: Timestamp) {
    carry_out(store, resource, key, Wish { grace, propagation: None, at });
}

/// The same with all that a request can wish for.
pub(crate) fn carry_out(store: &mut Store, resource: Resource, key: &Key, wish: Wish) {
    let at = wish.at;
    let Some(current) = store.get(resource, key) else {
        return;
    };
    // A namespace is held by its spec, until what is in it is gone.
    if resource == Resource::Namespaces && !object::items(&current, "/spec/finalizers").is_empty() {
        store.change(resource, key, at, |namespace| {
            if !object::is_deleting(namespace) {
                namespace["metadata"]["deletionTimestamp"] = json!(object::time(at));
            }
            namespace["status"]["phase"] = json!("Terminating");
        });
        return;
    }
    let grace = if resource == Resource::Pods { pod_grace(&current, wish.grace, at) } else { Some(0) };
    let Some(grace) = grace else {
        return;
    };
    let finalizers = finalizers(resource, &current, wish.propagation);
    if grace == 0 && finalizers.is_empty() {
        store.remove(resource, key);
        return;
    }
    store.change(resource, key, at, |object| {
        if finalizers.is_empty() {
            object::merge(&mut object["metadata"], &json!({ "finalizers": null }));
        } else {
            object["metadata"]["finalizers"] = json!(finalizers);
        }
        let requested = requested_at(object).unwrap_or(at);
        let deadline = (requested + SignedDuration::from_secs(grace)).max(at);
        let deadline = if grace == 0 {
            object::time_at(object, "/metadata/deletionTimestamp").map_or(at, |known| known.min(at))
        } else {
            deadline
        };
        object["metadata"]["deletionTimestamp"] = json!(object::time(deadline));
        object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
    });
}

/// What holds the object from now on: its own finalizers, and the garbage collector's as the request wishes.
fn finalizers(resource: Resource, object: &Value, wish: Option<Propagation>) -> Vec<Value> {
    let mut finalizers = object::items(object, "/metadata/finalizers").to_vec();
    // Jobs are the one kind whose pods stay unless the request says otherwise.
    let default = (resource == Resource::Jobs).then_some(Propagation::Orphan);
    if let Some(propagation) = wish.or(default.filter(|_| !object::is_deleting(object))) {
        finalizers.retain(|known| known != "orphan" && known != "foregroundDeletion");
        finalizers.extend(propagation.finalizer().map(|finalizer| json!(finalizer)));
    }
    finalizers
}

/// The grace that a pod gets; `None` if a deletion is already under way that is at least as quick.
fn pod_grace(pod: &Value, asked: Option<i64>, at: Timestamp) -> Option<i64> {
    let own = object::number(pod, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
    let mut grace = asked.unwrap_or(own);
    if grace < 0 {
        grace = 1;
    }
    if object::text(pod, "/spec/nodeName").is_empty()
        || ["Succeeded", "Failed"].contains(&object::text(pod, "/status/phase"))
    {
        grace = 0;
    }
    if !object::is_deleting(pod) {
        return Some(grace);
    }
    let known = object::number(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
    if grace >= known {
        return None;
    }
    let is_past =
        requested_at(pod).is_some_and(|requested| requested + SignedDuration::from_secs(grace) < at);
    // Shortened into the past, it still waits for the kubelet, unless it was asked to wait for nobody.
    Some(if grace != 0 && is_past { 1 } else { grace })
}

/// When the deletion was asked for: the deadline less the grace.
fn requested_at(object: &Value) -> Option<Timestamp> {
    let deadline = object::time_at(object, "/metadata/deletionTimestamp")?;
    let grace = object::number(object, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
    Some(deadline - SignedDuration::from_secs(grace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn key() -> Key {
        Key::new("data", "postgres-1")
    }

    fn store(finalizers: &[&str]) -> Store {
        let mut store = Store::new();
        let pod = json!({
            "metadata": { "namespace": "data", "name": "postgres-1", "finalizers": finalizers },
            "spec": { "nodeName": "worker-2", "terminationGracePeriodSeconds": 30 },
            "status": { "phase": "Running" },
        });
        store.put(Resource::Pods, pod, at(0));
        store
    }

    fn metadata(store: &Store) -> Value {
        store.get(Resource::Pods, &key()).unwrap()["metadata"].clone()
    }

    #[test]
    fn a_bound_pod_gets_a_deadline_and_waits_for_its_kubelet() {
        let mut store = store(&[]);
        delete(&mut store, Resource::Pods, &key(), None, at(100));
        let metadata = metadata(&store);
        assert_eq!(metadata["deletionTimestamp"], object::time(at(130)));
        assert_eq!(
            (&metadata["deletionGracePeriodSeconds"], &metadata["generation"]),
            (&json!(30), &json!(2))
        );
    }

    #[test]
    fn a_second_delete_only_shortens() {
        let mut store = store(&[]);
        delete(&mut store, Resource::Pods, &key(), None, at(100));
        delete(&mut store, Resource::Pods, &key(), Some(60), at(105));
        assert_eq!(metadata(&store)["deletionTimestamp"], object::time(at(130)));
        delete(&mut store, Resource::Pods, &key(), Some(10), at(105));
        assert_eq!(metadata(&store)["deletionTimestamp"], object::time(at(110)));
    }

    #[test]
    fn a_forced_delete_removes_at_once_unless_a_finalizer_holds() {
        let mut free = store(&[]);
        delete(&mut free, Resource::Pods, &key(), Some(0), at(100));
        assert_eq!(free.list(Resource::Pods).count(), 0);

        let mut held = store(&["example.com/backup"]);
        delete(&mut held, Resource::Pods, &key(), Some(0), at(100));
        let metadata = metadata(&held);
        assert_eq!(metadata["deletionTimestamp"], object::time(at(100)));
        assert_eq!(metadata["deletionGracePeriodSeconds"], 0);
    }
}

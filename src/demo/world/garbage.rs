//! The garbage collector and the guards of volumes: what belongs to nobody any more goes, what is in use stays.
//!
//! Owners are known by uid. An object whose owners are all gone is deleted, in the background; one that waits for
//! its dependents (foreground) goes after them, and one that leaves them (orphan) lets go of them first. Finalizers
//! of anybody else are left alone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::pod::is_finished;
use super::volume::claims;
use super::{Controller, Stage};

/// Which resources may own others here, and so be missed.
const OWNERS: [Resource; 11] = [
    Resource::Nodes,
    Resource::Pods,
    Resource::Deployments,
    Resource::ReplicaSets,
    Resource::StatefulSets,
    Resource::DaemonSets,
    Resource::Jobs,
    Resource::Services,
    Resource::PersistentVolumes,
    Resource::PersistentVolumeClaims,
    Resource::Namespaces,
];

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

#[derive(Clone)]
pub(super) struct Garbage;

impl Controller for Garbage {
    fn watches(&self) -> &'static [Resource] {
        &OWNERS
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let present: BTreeSet<String> = OWNERS
            .into_iter()
            .flat_map(|resource| stage.store.list(resource))
            .map(|owner| object::uid(owner).to_owned())
            .collect();
        for resource in OWNERS {
            for owner in stage.all(resource).iter().filter(|owner| object::is_deleting(owner)) {
                settle_dependents(stage, resource, owner);
            }
        }
        for resource in Resource::ALL.into_iter().filter(|resource| *resource != Resource::Events) {
            for object in stage.all(resource) {
                let owners = object::items(&object, "/metadata/ownerReferences");
                let is_abandoned = !owners.is_empty()
                    && !object::is_deleting(&object)
                    && owners.iter().all(|owner| is_gone(owner, &present));
                if is_abandoned {
                    deletion::delete(stage.store, resource, &object::key(&object), None, stage.now);
                }
            }
        }
        release_claims(stage);
        None
    }
}

/// Only owners of a kind that is served can be missed.
fn is_gone(owner: &Value, present: &BTreeSet<String>) -> bool {
    let kind = object::text(owner, "/kind");
    OWNERS.into_iter().any(|resource| resource.spelling().kind == kind)
        && !present.contains(object::text(owner, "/uid"))
}

/// What an owner asked for its dependents when it was deleted.
fn settle_dependents(stage: &mut Stage<'_>, resource: Resource, owner: &Value) {
    let has =
        |finalizer: &str| object::items(owner, "/metadata/finalizers").iter().any(|known| known == finalizer);
    if !has(FOREGROUND) && !has(ORPHAN) {
        return;
    }
    let mut is_waiting = false;
    for kind in Resource::ALL {
        for dependent in stage.all(kind) {
            let owners = object::items(&dependent, "/metadata/ownerReferences");
            let Some(reference) =
                owners.iter().find(|reference| reference["uid"] == owner["metadata"]["uid"])
            else {
                continue;
            };
            if has(ORPHAN) {
                stage.change(kind, &object::key(&dependent), |dependent| {
                    let mut owners = object::items(dependent, "/metadata/ownerReferences").to_vec();
                    owners.retain(|reference| reference["uid"] != owner["metadata"]["uid"]);
                    object::merge(&mut dependent["metadata"], &json!({ "ownerReferences": null }));
                    if !owners.is_empty() {
                        dependent["metadata"]["ownerReferences"] = json!(owners);
                    }
                });
                continue;
            }
            is_waiting |= reference["blockOwnerDeletion"] == true;
            if !object::is_deleting(&dependent) {
                deletion::delete(stage.store, kind, &object::key(&dependent), None, stage.now);
            }
        }
    }
    if !is_waiting {
        drop_finalizers(stage, resource, owner, &[FOREGROUND, ORPHAN]);
    }
}

/// A claim or a volume that was deleted goes when nobody uses it any more.
fn release_claims(stage: &mut Stage<'_>) {
    let claims_deleted: Vec<_> = stage.all(Resource::PersistentVolumeClaims);
    for claim in claims_deleted.iter().filter(|claim| object::is_deleting(claim)) {
        let key = object::key(claim);
        let is_used = stage
            .store
            .list(Resource::Pods)
            .filter(|pod| !is_finished(pod))
            .any(|pod| claims(pod).any(|used| used == key));
        if !is_used {
            drop_finalizers(
                stage,
                Resource::PersistentVolumeClaims,
                claim,
                &["kubernetes.io/pvc-protection"],
            );
        }
    }
    for volume in stage.all(Resource::PersistentVolumes) {
        let bound_to = object::text(&volume, "/spec/claimRef/uid");
        if bound_to.is_empty() {
            continue;
        }
        let is_claim = |claim: &std::sync::Arc<Value>| object::uid(claim) == bound_to;
        if stage.store.list(Resource::PersistentVolumeClaims).any(is_claim) {
            continue;
        }
        let is_kept = volume["spec"]["persistentVolumeReclaimPolicy"] != "Delete";
        stage.change(Resource::PersistentVolumes, &object::key(&volume), |volume| {
            volume["status"]["phase"] = json!("Released");
        });
        if !is_kept && !object::is_deleting(&volume) {
            deletion::delete(
                stage.store,
                Resource::PersistentVolumes,
                &object::key(&volume),
                None,
                stage.now,
            );
        }
        if object::is_deleting(&volume) {
            drop_finalizers(stage, Resource::PersistentVolumes, &volume, &["kubernetes.io/pv-protection"]);
        }
    }
}

fn drop_finalizers(stage: &mut Stage<'_>, resource: Resource, object: &Value, ours: &[&str]) {
    stage.change(resource, &object::key(object), |object| {
        let mut finalizers = object::items(object, "/metadata/finalizers").to_vec();
        finalizers.retain(|finalizer| !ours.iter().any(|known| finalizer == known));
        object["metadata"]["finalizers"] = json!(finalizers);
    });
}

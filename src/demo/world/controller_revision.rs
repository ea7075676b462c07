//! Controller revisions: the templates that stateful sets and daemon sets have had, numbered.
//!
//! A template that comes back gets its old revision with a new number.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::Stage;
use super::pod::{hash, suffix};
use super::rollout::canonical;

const HASH: &str = "controller.kubernetes.io/hash";

/// The revisions of a workload, oldest first.
pub(super) fn of(stage: &Stage<'_>, owner: &Value) -> Vec<Arc<Value>> {
    let revisions = stage.store.list(Resource::ControllerRevisions);
    let mut revisions: Vec<Arc<Value>> =
        revisions.filter(|revision| object::is_controlled_by(revision, owner)).cloned().collect();
    revisions.sort_by_cached_key(|revision| (number(revision), object::name(revision).to_owned()));
    revisions
}

/// Makes sure that today's template has the newest revision, and gives it.
pub(super) fn current(stage: &mut Stage<'_>, owner: &Value) -> Arc<Value> {
    let revisions = of(stage, owner);
    let newest = revisions.last().map_or(0, |revision| number(revision));
    let mut template = owner["spec"]["template"].clone();
    template["$patch"] = json!("replace");
    let wanted = canonical(&template);
    let mark_wanted = suffix(hash(&wanted.to_string()), 10);
    // By its mark, which is made of the template: comparing the templates themselves takes too long for a past that
    // is played while somebody waits.
    let known = revisions.iter().find(|revision| mark(revision) == mark_wanted);
    if let Some(known) = known {
        if number(known) == newest {
            return Arc::clone(known);
        }
        let key = object::key(known);
        stage
            .change(Resource::ControllerRevisions, &key, |revision| revision["revision"] = json!(newest + 1));
        return stage.store.get(Resource::ControllerRevisions, &key).unwrap_or_else(|| Arc::clone(known));
    }
    let mut labels = owner["spec"]["template"]["metadata"]["labels"].clone();
    labels[HASH] = json!(mark_wanted);
    if owner["kind"] == "DaemonSet" {
        labels["controller-revision-hash"] = json!(mark_wanted);
    }
    stage.put(
        Resource::ControllerRevisions,
        json!({
            "metadata": {
                "namespace": object::namespace(owner),
                "name": format!("{}-{mark_wanted}", object::name(owner)),
                "labels": labels,
                "annotations": owner["metadata"]["annotations"],
                "ownerReferences": [object::owner_reference(owner)],
            },
            "data": { "spec": { "template": template } },
            "revision": newest + 1,
        }),
    )
}

/// Lets go of old revisions that no pod has, beyond what the history keeps.
pub(super) fn forget_old(stage: &mut Stage<'_>, owner: &Value, in_use: &[&str]) {
    let limit = object::number(owner, "/spec/revisionHistoryLimit").unwrap_or(10);
    let revisions = of(stage, owner);
    let unused: Vec<&Arc<Value>> =
        revisions.iter().filter(|revision| !in_use.contains(&object::name(revision))).collect();
    let surplus = unused.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    for revision in unused.into_iter().take(surplus) {
        stage.store.remove(Resource::ControllerRevisions, &object::key(revision));
    }
}

/// What pods of a daemon set carry of it; those of a stateful set carry the whole name.
pub(super) fn mark(revision: &Value) -> &str {
    object::text(revision, "/metadata/labels/controller.kubernetes.io~1hash")
}

fn number(revision: &Value) -> i64 {
    object::number(revision, "/revision").unwrap_or(0)
}

//! What runs of the revisions: the digests that their images were when pods pulled them.
//!
//! A tag says what was wanted, and a registry may have given two pods two images for it. The digests are no part of the
//! rows that are watched; they are read with a history, and are as old as that.

use super::{History, Revision};
use crate::cluster::{Kind, Pod, Text};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// So much of a digest is shown.
const SHORT: usize = "sha256:".len() + 12;

/// A pod, as much of it as tells what it runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RunningPod {
    metadata: Metadata,
    status: Statuses,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    owner_references: Vec<Owner>,
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Owner {
    uid: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Statuses {
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Deserialize)]
struct ContainerStatus {
    name: String,
    #[serde(default, rename = "imageID")]
    image_id: String,
}

/// What runs, by the mark of a revision, the container and the digest: on how many pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    pods: BTreeMap<(Text, Text, Text), u32>,
}

impl Running {
    /// Of pods of a workload of this kind.
    pub fn of(kind: Kind, pods: &[RunningPod]) -> Self {
        let mut found: BTreeMap<(Text, Text, Text), u32> = BTreeMap::new();
        for RunningPod { metadata, status } in pods {
            let mark = if kind == Kind::Deployment {
                metadata.owner_references.iter().find(|owner| owner.controller).map(|owner| &owner.uid)
            } else {
                metadata.labels.get(Pod::REVISION)
            };
            let Some(mark) = mark else { continue };
            for container in status.init_container_statuses.iter().chain(&status.container_statuses) {
                // What was never in a registry has an id of its own, which says nothing of what others run.
                let Some((_, digest)) = container.image_id.rsplit_once('@') else { continue };
                let key = (Text::new(mark), Text::new(&container.name), Text::new(digest));
                *found.entry(key).or_default() += 1;
            }
        }
        Self { pods: found }
    }
}

impl History {
    /// The digests that a container of a revision runs with, each with its pods, the most first.
    pub fn digests(&self, revision: &Revision, container: &str) -> Vec<(&Text, u32)> {
        let Ok(running) = &self.running else { return Vec::new() };
        let of = |((mark, name, _), _): &(&(Text, Text, Text), &u32)| {
            *mark == revision.mark && **name == *container
        };
        let mut found: Vec<(&Text, u32)> =
            running.pods.iter().filter(of).map(|((_, _, digest), pods)| (digest, *pods)).collect();
        found.sort_by_key(|(_, pods)| std::cmp::Reverse(*pods));
        found
    }

    /// The images that stand for several by now: pods that run have got different ones under one name.
    pub fn moved_tags(&self) -> BTreeMap<&Text, BTreeSet<&Text>> {
        let mut found: BTreeMap<&Text, BTreeSet<&Text>> = BTreeMap::new();
        for revision in &self.revisions {
            for image in &revision.images {
                let digests = self.digests(revision, &image.container);
                found.entry(&image.image).or_default().extend(digests.into_iter().map(|(digest, _)| digest));
            }
        }
        found.retain(|_, digests| digests.len() > 1);
        found
    }
}

/// As much of a digest as tells it from others.
pub fn short_digest(digest: &Text) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(owner: &str, id: &str) -> RunningPod {
        serde_json::from_value(json!({
            "metadata": { "name": "web-x", "ownerReferences": [{ "uid": owner, "controller": true }] },
            "spec": { "containers": [] },
            "status": { "containerStatuses": [{ "name": "web", "image": "web:1", "imageID": id, "ready": true }] },
        }))
        .unwrap()
    }

    fn history() -> History {
        let spec = |image: &str| json!({ "template": { "spec": { "containers": [{ "name": "web", "image": image }] } } });
        let set = |number: u32, image: &str| -> Value {
            json!({
                "metadata": {
                    "name": format!("web-{number}"), "uid": format!("uid-{number}"),
                    "annotations": { "deployment.kubernetes.io/revision": number.to_string() },
                    "ownerReferences": [{ "controller": true, "uid": "uid" }],
                },
                "spec": spec(image),
            })
        };
        let web = json!({ "metadata": { "namespace": "shop", "name": "web", "uid": "uid" }, "spec": spec("web:2") });
        History::read(Kind::Deployment, web, vec![set(1, "web:1"), set(2, "web:2")]).unwrap()
    }

    #[test]
    fn the_digests_of_a_revision_are_those_that_its_pods_run_with() {
        let mut history = history();
        let pods = [
            pod("uid-1", "registry.local/web@sha256:aa"),
            pod("uid-1", "docker-pullable://registry.local/web@sha256:bb"),
            pod("uid-1", "registry.local/web@sha256:bb"),
            pod("uid-2", "registry.local/web@sha256:cc"),
            pod("uid-2", "sha256:dd"),
            pod("uid-2", ""),
        ];
        history.running = Ok(Running::of(Kind::Deployment, &pods));
        let told = |at: usize| -> Vec<(&str, u32)> {
            let digests = history.digests(&history.revisions[at], "web");
            digests.into_iter().map(|(digest, pods)| (digest.as_str(), pods)).collect()
        };
        assert_eq!(told(0), [("sha256:bb", 2), ("sha256:aa", 1)]);
        assert_eq!(told(1), [("sha256:cc", 1)]);
        let moved: Vec<&str> = history.moved_tags().keys().map(|image| image.as_str()).collect();
        assert_eq!(moved, ["web:1"]);
    }

    #[test]
    fn a_digest_is_cut_and_what_is_shorter_is_not() {
        let digest = Text::from(format!("sha256:{}", "0123456789abcdef".repeat(4)));
        assert_eq!(short_digest(&digest), "sha256:0123456789ab");
        assert_eq!(short_digest(&Text::from("sha256:51d9")), "sha256:51d9");
    }
}

//! Jobs: pods until enough of them have succeeded, or too many have failed.
//!
//! Each pod is held by a finalizer until it has been counted. Indexes, pod failure policies and time limits are not
//! played.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::event::Note;
use super::pod::{from_template, is_active, is_finished, is_ready, suffix};
use super::{Controller, Stage, sooner};

const COMPONENT: &str = "job-controller";
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// Before a failed pod is tried again; doubled each time, up to ten minutes.
const BACK_OFF: i64 = 10;

#[derive(Clone, Default)]
pub(super) struct Jobs {
    /// When a pod of a job last failed, by the job's uid.
    failed_at: BTreeMap<String, Timestamp>,
}

impl Controller for Jobs {
    fn watches(&self) -> &'static [Resource] {
        &[Resource::Jobs, Resource::Pods]
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        let mut due = None;
        for job in stage.all(Resource::Jobs) {
            if count_finished(stage, &job) {
                self.failed_at.insert(object::uid(&job).to_owned(), stage.now);
            }
            if let Some(job) = stage.get(Resource::Jobs, object::namespace(&job), object::name(&job)) {
                let last = self.failed_at.get(object::uid(&job)).copied();
                due = sooner(due, step(stage, &job, last));
            }
        }
        due
    }
}

fn own_pods(stage: &Stage<'_>, job: &Value) -> Vec<Arc<Value>> {
    stage.store.list(Resource::Pods).filter(|pod| object::is_controlled_by(pod, job)).cloned().collect()
}

/// Counts the pods that have ended, and lets go of them; tells whether one had failed.
fn count_finished(stage: &mut Stage<'_>, job: &Value) -> bool {
    let mut has_failed = false;
    for pod in own_pods(stage, job) {
        let is_held =
            object::items(&pod, "/metadata/finalizers").iter().any(|finalizer| finalizer == TRACKING);
        if !is_held || !is_finished(&pod) {
            continue;
        }
        let field = if pod["status"]["phase"] == "Succeeded" { "succeeded" } else { "failed" };
        has_failed |= field == "failed";
        stage.change(Resource::Jobs, &object::key(job), |job| {
            job["status"][field] = json!(job["status"][field].as_i64().unwrap_or(0) + 1);
        });
        stage.change(Resource::Pods, &object::key(&pod), |pod| {
            let mut finalizers = object::items(pod, "/metadata/finalizers").to_vec();
            finalizers.retain(|finalizer| finalizer != TRACKING);
            pod["metadata"]["finalizers"] = json!(finalizers);
        });
    }
    has_failed
}

fn step(stage: &mut Stage<'_>, job: &Value, last: Option<Timestamp>) -> Option<Timestamp> {
    let is_over = ["Complete", "Failed"].iter().any(|kind| object::condition_is(job, kind, "True"));
    if is_over || object::is_deleting(job) {
        return None;
    }
    let number = |pointer: &str| object::number(job, pointer);
    let (succeeded, failed) =
        (number("/status/succeeded").unwrap_or(0), number("/status/failed").unwrap_or(0));
    let completions = number("/spec/completions").unwrap_or(1);
    let pods = own_pods(stage, job);
    let active: Vec<&Arc<Value>> = pods.iter().filter(|pod| is_active(pod)).collect();
    let mut due = None;
    let mut end = None;
    if succeeded >= completions {
        end = Some(("Complete", "CompletionsReached", "Reached expected number of succeeded pods"));
    } else if failed > number("/spec/backoffLimit").unwrap_or(6) {
        end = Some(("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"));
    } else if job["spec"]["suspend"] != true {
        let parallel = number("/spec/parallelism").unwrap_or(1).min(completions - succeeded);
        let missing = parallel - i64::try_from(active.len()).unwrap_or(0);
        let pause = BACK_OFF << (failed - 1).clamp(0, 6);
        let free_at = last.map_or(stage.now, |last| last + stage.timers.seconds(pause.min(600)));
        if missing > 0 && free_at > stage.now {
            due = Some(free_at);
        } else {
            for _ in 0..missing {
                create(stage, job);
            }
        }
    }
    if end.is_some() {
        for pod in &active {
            deletion::delete(stage.store, Resource::Pods, &object::key(pod), None, stage.now);
        }
    }
    sum_up(stage, job, end);
    due
}

fn create(stage: &mut Stage<'_>, job: &Value) {
    let name = format!("{}-{}", object::name(job), suffix(stage.store.version(), 5));
    let mut pod = from_template(job, &name, stage.timers, stage.now);
    pod["metadata"]["finalizers"] = json!([TRACKING]);
    for prefix in ["batch.kubernetes.io/", ""] {
        pod["metadata"]["labels"][format!("{prefix}controller-uid")] = json!(object::uid(job));
        pod["metadata"]["labels"][format!("{prefix}job-name")] = json!(object::name(job));
    }
    stage.put(Resource::Pods, pod);
    let message = format!("Created pod: {name}");
    stage.say(job, &Note::normal(COMPONENT, "SuccessfulCreate", &message));
}

fn sum_up(stage: &mut Stage<'_>, job: &Value, end: Option<(&str, &str, &str)>) {
    let now = stage.now;
    let pods = own_pods(stage, job);
    let count = |is_counted: &dyn Fn(&Value) -> bool| pods.iter().filter(|pod| is_counted(pod)).count();
    let active = count(&is_active);
    let ready = count(&|pod| is_active(pod) && is_ready(pod));
    let leaving = count(&|pod| object::is_deleting(pod) && !is_finished(pod));
    stage.change(Resource::Jobs, &object::key(job), |job| {
        if job["spec"]["selector"].is_null() {
            let uid = object::uid(job).to_owned();
            job["spec"]["selector"] = json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": uid } });
        }
        if job["status"]["startTime"].is_null() {
            job["status"]["startTime"] = json!(object::time(now));
        }
        job["status"]["ready"] = json!(ready);
        job["status"]["terminating"] = json!(leaving);
        job["status"]["uncountedTerminatedPods"] = json!({});
        object::merge(&mut job["status"], &json!({ "active": null }));
        if active > 0 {
            job["status"]["active"] = json!(active);
        }
        if let Some((kind, reason, message)) = end {
            let fields = json!({
                "status": "True",
                "reason": reason,
                "message": message,
                "lastProbeTime": object::time(now),
            });
            object::set_condition(job, kind, &fields, now);
            if kind == "Complete" {
                job["status"]["completionTime"] = json!(object::time(now));
            }
        }
    });
    match end {
        Some(("Complete", ..)) => stage.say(job, &Note::normal(COMPONENT, "Completed", "Job completed")),
        Some((_, reason, message)) => stage.say(job, &Note::warning(COMPONENT, reason, message)),
        None => {}
    }
}

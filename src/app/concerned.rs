//! Which workload is meant where something else is looked at: a finding, a pod, a case file. Its history and its rollback
//! begin from there.
//!
//! It never guesses: where several workloads are concerned, the one under the cursor is meant, or none.

use super::App;
use super::columns::{Look, RowId};
use super::object::{Line, SheetRow};
use crate::actions::ActionKind;
use crate::cluster::{Cluster, Kind, ObjectRef};
use crate::command::{Command, Context, Ui};
use crate::findings::{Finding, RuleId, Subject};
use crate::revision;

/// The workload whose history an object is a part of: a deployment for its replica sets and for their pods.
pub fn with_history(object: &ObjectRef, cluster: &Cluster) -> Option<ObjectRef> {
    let meta = match object.kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => return Some(object.clone()),
        Kind::Pod | Kind::ReplicaSet => cluster.meta(object),
        Kind::Node
        | Kind::PersistentVolume
        | Kind::PersistentVolumeClaim
        | Kind::VolumeAttachment
        | Kind::Namespace
        | Kind::Job
        | Kind::PodDisruptionBudget
        | Kind::Service
        | Kind::Event
        | Kind::ApiService => None,
    };
    let owner = cluster.owner_of(meta?)?;
    let top = cluster.owner_of(owner.meta()).unwrap_or(owner).object();
    revision::is_for(top.kind).then_some(top)
}

/// Whether what is wrong may have come with a release, so that going back is a way out.
const fn may_be_of_a_release(rule: RuleId) -> bool {
    matches!(
        rule,
        RuleId::RolloutStuck
            | RuleId::RolloutBlocksItself
            | RuleId::StatefulSetBlocked
            | RuleId::PodCrashLooping
            | RuleId::PodImageNotPulled
    )
}

/// Which keys lead back from what a release may have broken.
pub fn way_back(finding: &Finding, context: Context, look: &Look<'_>) -> Option<String> {
    let subject = finding.subject.object().filter(|_| may_be_of_a_release(finding.rule))?;
    let workload = with_history(subject, look.cluster)?;
    let key = |command: Command| {
        let key = look.keymap.keys(context, command).next();
        key.map_or_else(|| format!(":{}", command.spec().id), |key| key.to_string())
    };
    let (history, rollback) = (key(Command::Ui(Ui::History)), key(Command::Act(ActionKind::Rollback)));
    Some(format!("{rollback} rolls {workload} back, {history} shows its history"))
}

impl App {
    /// The workload whose history is meant here, or why there is none.
    pub fn concerned(&self) -> Result<ObjectRef, String> {
        let of_row = |row: &RowId| match row {
            RowId::Object(object) => self.of_object(object),
            RowId::Volume(_) | RowId::Case(_) => Err(none("this")),
        };
        match (self.open(), self.view()) {
            (Some(open), _) => {
                let rows = self.sheet_rows(open);
                let link = rows.get(open.at()).and_then(|row| match row {
                    SheetRow::Line(Line { link, .. }) => link.as_ref(),
                    SheetRow::Title(_) => None,
                });
                // What is open comes first: its name stands above everything.
                of_row(&open.target)
                    .or_else(|reason| link.map_or(Err(reason.clone()), of_row).map_err(|_| reason))
            }
            (None, Some(view)) => view.cursor().map_or_else(|| Err(none("nothing")), of_row),
            (None, None) => {
                let finding = self.triage.selected(&self.findings);
                finding.map_or_else(|| Err(none("nothing")), |finding| self.of_finding(finding))
            }
        }
    }

    fn of_object(&self, object: &ObjectRef) -> Result<ObjectRef, String> {
        with_history(object, &self.cluster).ok_or_else(|| none(&object.to_string()))
    }

    /// Of what it is about, where that is a workload or a part of one; else of all that it names, where that is one.
    fn of_finding(&self, finding: &Finding) -> Result<ObjectRef, String> {
        let found = finding.subject.object().and_then(|object| with_history(object, &self.cluster));
        if let Some(workload) = found {
            return Ok(workload);
        }
        // What hangs on a machine says nothing of releases.
        let is_elsewhere = matches!(&finding.subject, Subject::Object(object) if object.kind != Kind::Node);
        let mut named: Vec<ObjectRef> = finding
            .about
            .iter()
            .filter(|_| is_elsewhere)
            .filter_map(|object| with_history(object, &self.cluster))
            .collect();
        named.sort();
        named.dedup();
        match named.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(none(&finding.subject.to_string())),
            many => Err(format!("{} workloads are concerned: move to one of them", many.len())),
        }
    }
}

fn none(what: &str) -> String {
    format!("{what} has no history: deployments, stateful sets and daemon sets have one")
}

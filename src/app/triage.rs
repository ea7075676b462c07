//! The triage screen: incidents worst first, each with what hangs on it; the cursor is on a finding.

use super::attention::{Attention, Resolved, Standing};
use super::columns::Look;
use super::filter::Typed;
use super::namespaces::{is_hidden, namespaces_of};
use super::view::Move;
use crate::cluster::Kind;
use crate::findings::{Finding, FindingId, Findings, Incident, Severity, Subject};
use std::collections::BTreeSet;

mod asked;

pub use asked::{Asked, FIELDS};

/// Members of an incident that are shown before it is unfolded, where not all lines fit on the screen: one dead
/// node is not sixty rows. Pods and volumes both have their part.
const FOLDED: usize = 5;
const FOLDED_PODS: usize = 3;

#[derive(Debug, Default)]
pub struct Triage {
    pub filter: Typed,
    pub attention: Attention,
    /// Incidents that are hidden because they are in other namespaces than the one that is shown.
    elsewhere: usize,
    entries: Vec<Entry>,
    unfolded: BTreeSet<FindingId>,
    cursor: Option<EntryId>,
    at: usize,
    top: usize,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: EntryId,
    incident: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum EntryId {
    Root(FindingId),
    Member(FindingId),
    /// The members of this incident that are folded away.
    Rest(FindingId),
    /// An incident that is over.
    Resolved(FindingId),
}

/// A line as it is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    Root(&'a Incident),
    Member(&'a Finding),
    Rest { many: usize, worst: Severity },
    Resolved(&'a Resolved),
}

impl Triage {
    /// Makes the lines anew from the findings, for a screen of so many lines: what is new before what was acknowledged
    /// and what was put off, and what is over last.
    pub fn refresh(&mut self, look: &Look<'_>, lines: usize) {
        self.elsewhere = 0;
        let mut kept: Vec<(usize, &Incident)> = Vec::new();
        for (at, incident) in look.findings.incidents.iter().enumerate() {
            if is_elsewhere(incident, look) {
                self.elsewhere += 1;
                continue;
            }
            // An incident is kept whole: what hangs on a dead node is no answer without the node.
            let asked = Asked { incident, look: *look };
            if self.filter.filter().is_none_or(|filter| filter.keeps(&asked)) {
                kept.push((at, incident));
            }
        }
        kept.sort_by_key(|(_, incident)| match self.attention.standing(incident, look.now) {
            Standing::New => 0,
            Standing::Acknowledged => 1,
            Standing::Snoozed { .. } => 2,
        });
        let all: usize = kept.iter().map(|(_, incident)| 1 + incident.members.len()).sum();
        self.entries.clear();
        for (at, incident) in kept {
            let root = incident.root.id();
            let is_whole =
                all <= lines || self.unfolded.contains(&root) || incident.members.len() <= FOLDED + 1;
            let members: Vec<&Finding> =
                if is_whole { incident.following().collect() } else { folded(incident) };
            let rest = incident.members.len() - members.len();
            self.entries.push(Entry { id: EntryId::Root(root.clone()), incident: at });
            self.entries.extend(
                members.iter().map(|member| Entry { id: EntryId::Member(member.id()), incident: at }),
            );
            if rest > 0 {
                self.entries.push(Entry { id: EntryId::Rest(root), incident: at });
            }
        }
        // A filter asks of what is there: what is over is shown without one.
        let resolved = self.attention.resolved(look.now).filter(|_| self.filter.filter().is_none());
        self.entries.extend(
            resolved
                .map(|resolved| Entry { id: EntryId::Resolved(resolved.id.clone()), incident: usize::MAX }),
        );
        let found =
            self.cursor.as_ref().and_then(|cursor| self.entries.iter().position(|entry| entry.id == *cursor));
        self.at = found.unwrap_or_else(|| self.at.min(self.entries.len().saturating_sub(1)));
        self.cursor = self.entries.get(self.at).map(|entry| entry.id.clone());
    }

    pub fn move_cursor(&mut self, movement: Move) {
        let last = self.entries.len().saturating_sub(1);
        self.at = match movement {
            Move::By(lines) => self.at.saturating_add_signed(lines).min(last),
            Move::Top => 0,
            Move::Bottom => last,
        };
        self.cursor = self.entries.get(self.at).map(|entry| entry.id.clone());
    }

    pub fn scroll(&mut self, lines: usize) {
        let lines = lines.max(1);
        let most = self.entries.len().saturating_sub(lines);
        self.top = self.top.min(most).min(self.at).max((self.at + 1).saturating_sub(lines));
    }

    /// Shows all members of the incident under the cursor, or folds them again.
    pub fn fold(&mut self, findings: &Findings, is_folded: bool) {
        let Some(incident) =
            self.entries.get(self.at).and_then(|entry| findings.incidents.get(entry.incident))
        else {
            return;
        };
        let root = incident.root.id();
        if is_folded {
            self.unfolded.remove(&root);
            self.cursor = Some(EntryId::Root(root));
        } else {
            self.unfolded.insert(root);
        }
    }

    pub fn is_on_fold(&self) -> bool {
        matches!(self.cursor, Some(EntryId::Rest(_)))
    }

    /// The finding under the cursor; an incident's root on its folded rest.
    pub fn selected<'a>(&self, findings: &'a Findings) -> Option<&'a Finding> {
        let entry = self.entries.get(self.at)?;
        let incident = findings.incidents.get(entry.incident)?;
        shown(entry, incident).map(|shown| match shown {
            Shown::Root(incident) => &incident.root,
            Shown::Member(finding) => finding,
            Shown::Rest { .. } | Shown::Resolved(_) => &incident.root,
        })
    }

    /// The incident under the cursor.
    pub fn incident<'a>(&self, findings: &'a Findings) -> Option<&'a Incident> {
        findings.incidents.get(self.entries.get(self.at)?.incident)
    }

    /// The visible lines, each with whether the cursor is on it.
    pub fn lines<'a>(&'a self, findings: &'a Findings, lines: usize) -> Vec<(Shown<'a>, bool)> {
        self.entries
            .iter()
            .enumerate()
            .skip(self.top)
            .take(lines)
            .filter_map(|(at, entry)| {
                let shown = match &entry.id {
                    EntryId::Resolved(id) => Shown::Resolved(self.attention.named(id)?),
                    EntryId::Root(_) | EntryId::Member(_) | EntryId::Rest(_) => {
                        shown(entry, findings.incidents.get(entry.incident)?)?
                    }
                };
                Some((shown, at == self.at))
            })
            .collect()
    }

    pub const fn elsewhere(&self) -> usize {
        self.elsewhere
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A node in trouble concerns every namespace, whatever runs on it; all else those in which it has objects.
fn is_elsewhere(incident: &Incident, look: &Look<'_>) -> bool {
    let namespaces = namespaces_of(incident);
    let concerns_all = match &incident.root.subject {
        Subject::Object(object) => object.kind == Kind::Node,
        Subject::ControlPlane | Subject::Place { .. } => true,
    };
    look.namespace.is_some()
        && !concerns_all
        && !namespaces.is_empty()
        && namespaces.into_iter().all(|namespace| is_hidden(look.namespace, Some(namespace)))
}

fn shown<'a>(entry: &Entry, incident: &'a Incident) -> Option<Shown<'a>> {
    match &entry.id {
        EntryId::Resolved(_) => None,
        EntryId::Root(_) => Some(Shown::Root(incident)),
        EntryId::Member(id) => incident.following().find(|member| member.id() == *id).map(Shown::Member),
        EntryId::Rest(_) => {
            let kept = folded(incident);
            let rest = || incident.following().filter(|member| !kept.contains(member));
            Some(Shown::Rest { many: rest().count(), worst: rest().map(|member| member.severity).max()? })
        }
    }
}

/// The members that stay when an incident is folded: pods first, then what is not a pod, filled up in their order.
fn folded(incident: &Incident) -> Vec<&Finding> {
    let (pods, others): (Vec<&Finding>, Vec<&Finding>) =
        incident.following().partition(|member| member.subject.kind() == Some(Kind::Pod));
    let of_others = others.len().min(FOLDED - FOLDED_PODS.min(pods.len()));
    let of_pods = pods.len().min(FOLDED - of_others);
    pods.into_iter().take(of_pods).chain(others.into_iter().take(of_others)).collect()
}

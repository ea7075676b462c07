//! The triage screen: incidents worst first, each with what hangs on it; the cursor is on a finding.

use super::filter::Filter;
use super::view::Move;
use crate::findings::{Finding, FindingId, Findings, Incident, Severity};
use std::collections::BTreeSet;

/// Members of an incident that are shown before it is unfolded: one dead node is not sixty rows.
const FOLDED: usize = 5;

#[derive(Debug, Default)]
pub struct Triage {
    pub filter: String,
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
}

/// A line as it is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    Root(&'a Incident),
    Member(&'a Finding),
    Rest { many: usize, worst: Severity },
}

impl Triage {
    /// Makes the lines anew from the findings.
    pub fn refresh(&mut self, findings: &Findings) {
        self.entries.clear();
        let mut filter = Filter::new(&self.filter);
        // An incident is kept whole: what hangs on a dead node is no answer without the node.
        let mut is_kept = |incident: &Incident| {
            filter
                .as_mut()
                .is_none_or(|filter| incident.findings().any(|finding| filter.matches(&finding.sentence)))
        };
        for (at, incident) in findings.incidents.iter().enumerate() {
            if !is_kept(incident) {
                continue;
            }
            let root = incident.root.id();
            let is_unfolded = self.unfolded.contains(&root);
            // A single line more is not worth folding.
            let is_short = incident.members.len() <= FOLDED + 1;
            let many = if is_unfolded || is_short { incident.members.len() } else { FOLDED };
            self.entries.push(Entry { id: EntryId::Root(root.clone()), incident: at });
            self.entries.extend(
                incident.members[..many]
                    .iter()
                    .map(|member| Entry { id: EntryId::Member(member.id()), incident: at }),
            );
            if many < incident.members.len() {
                self.entries.push(Entry { id: EntryId::Rest(root), incident: at });
            }
        }
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
        self.refresh(findings);
    }

    pub fn is_on_fold(&self) -> bool {
        matches!(self.cursor, Some(EntryId::Rest(_)))
    }

    /// The finding under the cursor; an incident's root on its folded rest.
    pub fn selected<'a>(&self, findings: &'a Findings) -> Option<&'a Finding> {
        let entry = self.entries.get(self.at)?;
        shown(entry, findings.incidents.get(entry.incident)?).map(|shown| match shown {
            Shown::Root(incident) => &incident.root,
            Shown::Member(finding) => finding,
            Shown::Rest { .. } => &findings.incidents[entry.incident].root,
        })
    }

    /// The visible lines, each with whether the cursor is on it.
    pub fn lines<'a>(&self, findings: &'a Findings, lines: usize) -> Vec<(Shown<'a>, bool)> {
        self.entries
            .iter()
            .enumerate()
            .skip(self.top)
            .take(lines)
            .filter_map(|(at, entry)| {
                Some((shown(entry, findings.incidents.get(entry.incident)?)?, at == self.at))
            })
            .collect()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn shown<'a>(entry: &Entry, incident: &'a Incident) -> Option<Shown<'a>> {
    match &entry.id {
        EntryId::Root(_) => Some(Shown::Root(incident)),
        EntryId::Member(id) => incident.members.iter().find(|member| member.id() == *id).map(Shown::Member),
        EntryId::Rest(_) => {
            let rest = incident.members.get(FOLDED..)?;
            let worst = rest.iter().map(|member| member.severity).max()?;
            Some(Shown::Rest { many: rest.len(), worst })
        }
    }
}

//! The namespace that is shown: picked from those there are, some of them favourites.
//!
//! It narrows what is shown and nothing else: what is read stays what `-n` says, and so do the findings. It hides what
//! is in another namespace; what is in none stays.

use super::filter::Ranking;
use crate::cluster::{Cluster, ObjectRef, Text};
use crate::findings::{Findings, Incident};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Namespaces that were picked before and are offered first.
const MOST_RECENT: usize = 5;

#[derive(Debug, Default)]
pub struct Namespaces {
    /// The only one that is shown; `None` for all.
    pub shown: Option<Text>,
    pub favourites: BTreeSet<Text>,
    /// Newest first.
    recent: Vec<Text>,
}

/// The overlay in which one is picked.
#[derive(Debug, Default)]
pub struct Picker {
    pub typed: String,
    at: usize,
}

/// A line of the picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// `None` for all namespaces.
    pub namespace: Option<Text>,
    pub is_favourite: bool,
    pub pods: usize,
    /// Incidents in which one of its objects appears.
    pub incidents: usize,
}

/// Whether something in that namespace is hidden.
pub fn is_hidden(shown: Option<&Text>, namespace: Option<&Text>) -> bool {
    match (shown, namespace) {
        (Some(shown), Some(namespace)) => shown != namespace,
        (Some(_), None) | (None, Some(_) | None) => false,
    }
}

/// Namespaces in which an incident has objects. A node's own trouble is in none, whatever runs on it.
pub fn namespaces_of(incident: &Incident) -> BTreeSet<&Text> {
    let objects = incident.findings().flat_map(|finding| finding.objects());
    objects
        .map(|object: &ObjectRef| &object.name.namespace)
        .filter(|namespace| !namespace.is_empty())
        .collect()
}

impl Namespaces {
    pub fn pick(&mut self, namespace: Option<Text>) {
        if let Some(picked) = &namespace {
            self.recent.retain(|known| known != picked);
            self.recent.insert(0, picked.clone());
            self.recent.truncate(MOST_RECENT);
        }
        self.shown = namespace;
    }

    /// Makes it a favourite, or none again.
    pub fn toggle_favourite(&mut self, namespace: &Text) {
        if !self.favourites.remove(namespace) {
            self.favourites.insert(namespace.clone());
        }
    }

    /// What there is to pick from: all, then favourites, then what was picked before, then the rest; once something
    /// is typed, the best match first.
    pub fn choices(&self, typed: &str, cluster: &Cluster, findings: &Findings) -> Vec<Choice> {
        let mut pods: BTreeMap<&Text, usize> = BTreeMap::new();
        for namespace in cluster.namespaces.values() {
            pods.insert(&namespace.meta.name.name, 0);
        }
        // Who may not list namespaces knows those of the pods.
        for pod in cluster.pods.values() {
            *pods.entry(&pod.meta.name.namespace).or_default() += 1;
        }
        let mut incidents: BTreeMap<&Text, usize> = BTreeMap::new();
        for namespace in findings.incidents.iter().flat_map(namespaces_of) {
            *incidents.entry(namespace).or_default() += 1;
        }
        let all = Choice {
            namespace: None,
            is_favourite: false,
            pods: cluster.pods.len(),
            incidents: findings.incidents.len(),
        };
        let mut choices: Vec<Choice> = pods
            .into_iter()
            .map(|(namespace, pods)| Choice {
                namespace: Some(namespace.clone()),
                is_favourite: self.favourites.contains(namespace),
                pods,
                incidents: incidents.get(namespace).copied().unwrap_or_default(),
            })
            .collect();
        let typed = typed.trim();
        let Some(mut ranking) = Ranking::new(typed) else {
            let recent = |choice: &Choice| {
                self.recent
                    .iter()
                    .position(|known| Some(known) == choice.namespace.as_ref())
                    .unwrap_or(MOST_RECENT)
            };
            choices.sort_by_key(|choice| (!choice.is_favourite, recent(choice)));
            choices.insert(0, all);
            return choices;
        };
        let mut ranked: Vec<(bool, Reverse<u32>, Choice)> = choices
            .into_iter()
            .filter_map(|choice| {
                let name = choice.namespace.as_deref()?;
                Some((!name.starts_with(typed), Reverse(ranking.score(name)?), choice))
            })
            .collect();
        ranked.sort_by_key(|(is_inside, score, choice)| (*is_inside, *score, !choice.is_favourite));
        ranked.into_iter().map(|(_, _, choice)| choice).collect()
    }
}

impl Picker {
    pub fn edit(&mut self, edit: impl FnOnce(&mut String)) {
        edit(&mut self.typed);
        self.at = 0;
    }

    pub fn move_cursor(&mut self, by: isize, choices: usize) {
        self.at = self.at.saturating_add_signed(by).min(choices.saturating_sub(1));
    }

    pub const fn at(&self) -> usize {
        self.at
    }
}

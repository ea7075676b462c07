//! Live questions to the API, asked before an action: what is allowed, and what the server would say.
//!
//! It deliberately asks nobody: `k8s` does, and the answers come back as values.

use super::errand::Purpose;
use super::evidence::inquiry::{Leader, Reading, Seen};
use super::evidence::{Inquiry, Speech};
use super::extent::{Autoscaler, Quota};
use super::others::Survey;
use super::{Call, CallError, Errand, Ran};
use crate::cluster::{Cluster, ObjectRef, Pod, Text};
use crate::revision::Reference;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// One thing that RBAC can allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    pub verb: &'static str,
    /// Empty for the core group.
    pub group: &'static str,
    /// Plural, as in a path.
    pub resource: &'static str,
    /// Empty for the object itself.
    pub subresource: &'static str,
}

impl fmt::Display for Right {
    /// `patch nodes`, `create pods/eviction`, `get daemonsets.apps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, subresource } = self;
        write!(f, "{verb} {resource}")?;
        if !group.is_empty() {
            write!(f, ".{group}")?;
        }
        if !subresource.is_empty() {
            write!(f, "/{subresource}")?;
        }
        Ok(())
    }
}

/// A right, and for what: an empty namespace is all of them, an empty name is all objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    pub right: Right,
    pub namespace: Text,
    pub name: Text,
}

impl Access {
    pub fn to(right: Right, object: &ObjectRef) -> Self {
        Self { right, namespace: object.name.namespace.clone(), name: object.name.name.clone() }
    }

    /// For all objects, in all namespaces.
    pub fn everywhere(right: Right) -> Self {
        Self { right, namespace: Text::default(), name: Text::default() }
    }

    /// The same for all objects of the kind, where there are too many to ask for each.
    #[must_use]
    pub fn to_any(self) -> Self {
        Self { name: Text::default(), ..self }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.right)?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        if !self.namespace.is_empty() {
            write!(f, " in {}", self.namespace)?;
        }
        Ok(())
    }
}

/// A live question. None of them changes anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    May(Access),
    /// What the server would say to a call.
    DryRun(Call),
    /// The pods of a node, in all namespaces, as they are now and not as a watch saw them last.
    PodsOn(ObjectRef),
    /// Whether what a template needs is there, and when it was last written.
    Needed(Needed),
    /// The lease of a node, past every cache.
    Lease(ObjectRef),
    /// A node, past every cache.
    Node(ObjectRef),
    /// One byte of a pod's log, which nobody but the kubelet of its node can give.
    Log {
        node: ObjectRef,
        pod: ObjectRef,
        container: Text,
    },
    /// The lease of the controller-manager that leads.
    Leader,
    /// What scales workloads of a namespace by itself.
    Autoscalers {
        namespace: Text,
    },
    /// What a namespace may have, and has.
    Quotas {
        namespace: Text,
    },
    /// The objects of those who act on a node by themselves.
    Others(ObjectRef),
    /// A configured command that only asks.
    Errand(Errand),
}

/// Something that a template needs and does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    pub reference: Reference,
    pub namespace: Text,
    /// When the template was last in use, as far as that is known.
    pub replaced: Option<Timestamp>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// The server says no, and why as far as it tells.
    No {
        reason: Text,
    },
    Pods(Vec<Pod>),
    /// It is there; when it was last written, where that is known.
    Written {
        at: Option<Timestamp>,
    },
    Lease(Box<Reading>),
    Node(Box<Seen>),
    Speech(Speech),
    Leader(Leader),
    Autoscalers(Vec<Autoscaler>),
    Quotas(Vec<Quota>),
    Others(Survey),
    Ran(Ran),
    /// It could not be asked, or refused the call that was only tried.
    Failed(CallError),
}

/// Probes with their answers, in the order in which they were asked; and what goes on being asked about machines that
/// are said to be dead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    asked: Vec<(Probe, Option<Answer>)>,
    inquiries: BTreeMap<ObjectRef, Inquiry>,
}

impl Answers {
    pub fn to(probes: Vec<Probe>) -> Self {
        let answering = |node: &ObjectRef| {
            probes.iter().find_map(|probe| match probe {
                Probe::Errand(errand) if errand.purpose == Purpose::Probe && errand.node == *node => {
                    Some(errand)
                }
                _ => None,
            })
        };
        let machines = probes.iter().filter_map(|probe| {
            let Probe::Lease(node) = probe else { return None };
            Some((node.clone(), Inquiry::new(node).with_probe(answering(node))))
        });
        let inquiries = machines.collect();
        Self { asked: probes.into_iter().map(|probe| (probe, None)).collect(), inquiries }
    }

    /// What was found out about machines before goes on, and is not begun anew; but for one that showed life.
    pub fn after(mut self, before: Self, cluster: &Cluster) -> Self {
        for (node, mut inquiry) in before.inquiries {
            if inquiry.life(cluster).is_none() && self.inquiries.contains_key(&node) {
                inquiry.again();
                self.inquiries.insert(node, inquiry);
            }
        }
        self
    }

    /// Since when they are awaited: who leads is judged by the times at which that was asked.
    pub fn awaited(mut self, probes: &[Probe], now: Timestamp) -> Self {
        self.inquiries.values_mut().for_each(|inquiry| inquiry.awaits(probes, now));
        self
    }

    /// What to ask now beside it about the machines, each with the rights that are needed there.
    pub fn asks(&mut self, accesses: &[Access], cluster: &Cluster, now: Timestamp) -> Vec<Probe> {
        if self.open() > 0 {
            return Vec::new();
        }
        self.inquiries.values_mut().flat_map(|inquiry| inquiry.asks(accesses, cluster, now)).collect()
    }

    pub fn inquiry(&self, node: &ObjectRef) -> Option<&Inquiry> {
        self.inquiries.get(node)
    }

    pub fn take(&mut self, probe: &Probe, answer: Answer) {
        self.inquiries.values_mut().for_each(|inquiry| inquiry.overhear(probe, &answer));
        if let Some((_, known)) = self.asked.iter_mut().find(|(asked, _)| asked == probe) {
            *known = Some(answer);
        }
    }

    /// How many are still awaited.
    pub fn open(&self) -> usize {
        self.asked.iter().filter(|(_, answer)| answer.is_none()).count()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Probe, Option<&Answer>)> {
        self.asked.iter().map(|(probe, answer)| (probe, answer.as_ref()))
    }
}

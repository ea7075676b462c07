//! An incident as a filter sees it: on the screen and on the command line.

use crate::app::columns::Look;
use crate::app::filter::{Fact, Field, Measure, Subject};
use crate::cluster::{Kind, Name, Text};
use crate::findings::{Awaited, Finding, Incident};
use std::borrow::Cow;

/// What can be asked of incidents. Their order is that of `Part::ALL`.
pub const FIELDS: [Field; 8] = [
    field("severity", Measure::Text),
    field("rule", Measure::Text),
    field("kind", Measure::Text),
    field("namespace", Measure::Text),
    field("name", Measure::Text),
    field("node", Measure::Text),
    field("since", Measure::Duration),
    field("overdue", Measure::Duration),
];

const fn field(id: &'static str, measure: Measure) -> Field {
    Field { id, title: id, measure }
}

#[derive(Clone, Copy)]
enum Part {
    Severity,
    Rule,
    Kind,
    Namespace,
    Name,
    Node,
    Since,
    Overdue,
}

impl Part {
    const ALL: [Self; FIELDS.len()] = [
        Self::Severity,
        Self::Rule,
        Self::Kind,
        Self::Namespace,
        Self::Name,
        Self::Node,
        Self::Since,
        Self::Overdue,
    ];
}

/// An incident is asked as a whole: it has what any of its findings has, and what it is said not to have none has.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub incident: &'a Incident,
    pub look: Look<'a>,
}

impl Subject for Asked<'_> {
    fn words(&self) -> Cow<'_, str> {
        let sentences: Vec<&str> =
            self.incident.findings().map(|finding| finding.sentence.as_str()).collect();
        Cow::Owned(sentences.join("\n"))
    }

    fn fact(&self, field: usize) -> Fact<'_> {
        let Some(part) = Part::ALL.get(field) else { return Fact::None };
        Fact::Any(self.incident.findings().flat_map(|finding| self.facts(*part, finding)).collect())
    }

    fn labels(&self, key: &str) -> Vec<Text> {
        let cluster = self.look.cluster;
        let objects = self.incident.findings().flat_map(Finding::objects);
        let labels = objects.filter_map(|object| {
            let meta = if object.kind == Kind::Node {
                &cluster.nodes.get(&object.name)?.meta
            } else if object.kind == Kind::Pod {
                &cluster.pods.get(&object.name)?.meta
            } else {
                return None;
            };
            meta.label(key).map(Text::from)
        });
        labels.collect()
    }
}

impl<'a> Asked<'a> {
    fn facts(&self, part: Part, finding: &'a Finding) -> Vec<Fact<'a>> {
        let texts = |texts: Vec<&'a str>| texts.into_iter().map(Fact::text).collect();
        let names =
            |of: fn(&Name) -> &Text| finding.objects().map(|object| of(&object.name).as_str()).collect();
        let now = self.look.now;
        match part {
            Part::Severity => texts(vec![finding.severity.word()]),
            Part::Rule => texts(vec![finding.rule.id()]),
            Part::Kind => texts(finding.objects().map(|object| object.kind.word()).collect()),
            Part::Namespace => texts(names(|name| &name.namespace)),
            Part::Name => texts(names(|name| &name.name)),
            Part::Node => {
                let cause = finding.cause.as_ref().and_then(|cause| cause.object());
                let nodes = finding.objects().chain(cause).filter(|object| object.kind == Kind::Node);
                texts(nodes.map(|node| node.name.name.as_str()).collect())
            }
            Part::Since => {
                finding.since.map(|since| Fact::duration(now.duration_since(since))).into_iter().collect()
            }
            Part::Overdue => {
                let deadline = finding.clock.filter(|clock| clock.what == Awaited::Deadline);
                let late = deadline.map(|clock| now.duration_since(clock.at));
                late.filter(|late| late.is_positive()).map(Fact::duration).into_iter().collect()
            }
        }
    }
}

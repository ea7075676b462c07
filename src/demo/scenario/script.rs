//! The files of the scenarios: a closed schema, read once and checked as a whole.
//!
//! A line has a moment, counted from the failure, and one act. What an act does to the world is in `world`.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use super::super::object;
use super::super::resource::Resource;
use super::super::store::Key;

/// What one scenario plays.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Script {
    /// What happens, in a sentence.
    pub(crate) about: String,
    /// What stands in the cluster besides its usual cast, long before the failure.
    pub(crate) before: Vec<(Resource, Value)>,
    /// Moments from the failure, in order.
    pub(crate) acts: Vec<(SignedDuration, Act)>,
}

/// What comes from outside: something breaks, or somebody acts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// The machines go off, with everything on them.
    PowerOff(Vec<String>),
    /// They boot: a new boot id, and a Node that was deleted meanwhile is registered afresh.
    PowerOn(Vec<String>),
    /// The kubelet stops; what runs on the machine goes on, and writes.
    StopKubelet(Vec<String>),
    /// It starts again on the same boot; a Node that was deleted meanwhile is registered afresh.
    StartKubelet(Vec<String>),
    /// The API and the machines do not reach each other; both live.
    CutOff(Vec<String>),
    /// They do again, as if nothing had been.
    Reconnect(Vec<String>),
    /// The kubelets speak, but their runtime stops no container any more.
    Hang(Vec<String>),
    /// It does again.
    Unhang(Vec<String>),
    /// The storage refuses to detach what is attached to the nodes, and says why.
    RefuseDetach { nodes: Vec<String>, message: String },
    /// It does no longer.
    AllowDetach(Vec<String>),
    /// `kubectl cordon`.
    Cordon(Vec<String>),
    /// `kubectl taint`.
    Taint { nodes: Vec<String>, taint: Taint },
    /// `kubectl delete`.
    Delete(Target),
    /// `kubectl delete --force --grace-period=0`.
    ForceDelete(Target),
    /// `kubectl set image` for the first container of a workload.
    SetImage { of: Target, image: String },
    /// `kubectl create`.
    Create(Vec<(Resource, Value)>),
}

/// `key=value:Effect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taint {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) effect: String,
}

/// One object: `node/worker-2`, `pod/data/postgres-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) resource: Resource,
    pub(crate) key: Key,
}

/// Why a file is no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("it is not written as a scenario is: {0}")]
    Shape(String),
    #[error("act {0}: {1:?} is no moment such as 0s, 90s or 8m")]
    Moment(usize, String),
    #[error("act {0}: it needs exactly one thing to happen, and has {1}: give each its own line")]
    Count(usize, usize),
    #[error("act {0}: it comes before the one above it: put them in order")]
    Order(usize),
    #[error("act {0}: no machine is named: list one or more")]
    NoMachine(usize),
    #[error("act {0}: {1:?} is no taint: write key=value:Effect")]
    Taint(usize, String),
    #[error("act {0}: {1:?} names no object: write KIND/NAME or KIND/NAMESPACE/NAME")]
    Target(usize, String),
    #[error("an object of kind {0:?} in {1:?} is not one of the demo's: use another apiVersion or kind")]
    Kind(String, String),
    #[error("an object of kind {0:?} has no name: give it metadata.name")]
    Unnamed(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    about: String,
    #[serde(default)]
    before: Vec<Value>,
    #[serde(default)]
    acts: Vec<Line>,
}

/// An act that needs nothing but machines.
type OnMachines = fn(Vec<String>) -> Act;

/// All acts as fields, so that what is misspelt is answered with what there is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Line {
    at: String,
    power_off: Option<Vec<String>>,
    power_on: Option<Vec<String>>,
    stop_kubelet: Option<Vec<String>>,
    start_kubelet: Option<Vec<String>>,
    cut_off: Option<Vec<String>>,
    reconnect: Option<Vec<String>>,
    hang: Option<Vec<String>>,
    unhang: Option<Vec<String>>,
    refuse_detach: Option<Refusal>,
    allow_detach: Option<Vec<String>>,
    cordon: Option<Vec<String>>,
    taint: Option<Tainting>,
    delete: Option<String>,
    force_delete: Option<String>,
    set_image: Option<Image>,
    create: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    nodes: Vec<String>,
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tainting {
    nodes: Vec<String>,
    taint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    of: String,
    image: String,
}

impl Script {
    /// Reads a file; the first thing wrong with it is told.
    pub(crate) fn read(text: &str) -> Result<Self, Flaw> {
        let file: File = serde_yaml::from_str(text).map_err(|error| Flaw::Shape(error.to_string()))?;
        let before = file.before.into_iter().map(object).collect::<Result<_, _>>()?;
        let mut acts: Vec<(SignedDuration, Act)> = Vec::new();
        for (line, number) in file.acts.into_iter().zip(1..) {
            let act = line.read(number)?;
            if acts.last().is_some_and(|(last, _)| *last > act.0) {
                return Err(Flaw::Order(number));
            }
            acts.push(act);
        }
        Ok(Self { about: file.about, before, acts })
    }
}

impl Line {
    fn read(self, number: usize) -> Result<(SignedDuration, Act), Flaw> {
        let at: SignedDuration = self.at.parse().map_err(|_| Flaw::Moment(number, self.at.clone()))?;
        if at.is_negative() {
            return Err(Flaw::Moment(number, self.at));
        }
        let mut acts = Vec::new();
        let on_machines: [(_, OnMachines); 10] = [
            (self.power_off, Act::PowerOff),
            (self.power_on, Act::PowerOn),
            (self.stop_kubelet, Act::StopKubelet),
            (self.start_kubelet, Act::StartKubelet),
            (self.cut_off, Act::CutOff),
            (self.reconnect, Act::Reconnect),
            (self.hang, Act::Hang),
            (self.unhang, Act::Unhang),
            (self.allow_detach, Act::AllowDetach),
            (self.cordon, Act::Cordon),
        ];
        for (nodes, act) in on_machines {
            acts.extend(nodes.map(|nodes| some(nodes, number).map(act)));
        }
        acts.extend(self.refuse_detach.map(|Refusal { nodes, message }| {
            some(nodes, number).map(|nodes| Act::RefuseDetach { nodes, message })
        }));
        acts.extend(self.taint.map(|Tainting { nodes, taint }| {
            let taint = Taint::read(&taint).ok_or(Flaw::Taint(number, taint))?;
            Ok(Act::Taint { nodes: some(nodes, number)?, taint })
        }));
        acts.extend(self.delete.map(|name| target(&name, number).map(Act::Delete)));
        acts.extend(self.force_delete.map(|name| target(&name, number).map(Act::ForceDelete)));
        acts.extend(
            self.set_image.map(|Image { of, image }| Ok(Act::SetImage { of: target(&of, number)?, image })),
        );
        acts.extend(
            self.create
                .map(|objects| objects.into_iter().map(object).collect::<Result<_, _>>().map(Act::Create)),
        );
        let count = acts.len();
        match acts.pop() {
            Some(act) if count == 1 => Ok((at, act?)),
            Some(_) | None => Err(Flaw::Count(number, count)),
        }
    }
}

impl Taint {
    fn read(text: &str) -> Option<Self> {
        let (rest, effect) = text.rsplit_once(':')?;
        let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
        let is_one = !key.is_empty() && ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect);
        is_one.then(|| Self { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
    }
}

fn some(nodes: Vec<String>, number: usize) -> Result<Vec<String>, Flaw> {
    if nodes.is_empty() { Err(Flaw::NoMachine(number)) } else { Ok(nodes) }
}

fn target(text: &str, number: usize) -> Result<Target, Flaw> {
    let wrong = || Flaw::Target(number, text.to_owned());
    let mut parts = text.split('/');
    let kind = parts.next().unwrap_or_default();
    let resource = Resource::ALL.into_iter().find(|resource| resource.spelling().singular == kind);
    let resource = resource.ok_or_else(wrong)?;
    let key = match (resource.spelling().is_namespaced, parts.next(), parts.next(), parts.next()) {
        (true, Some(namespace), Some(name), None) => Key::new(namespace, name),
        (false, Some(name), None, None) => Key::new("", name),
        _ => return Err(wrong()),
    };
    Ok(Target { resource, key })
}

fn object(object: Value) -> Result<(Resource, Value), Flaw> {
    let (version, kind) = (object::text(&object, "/apiVersion"), object::text(&object, "/kind"));
    let resource = Resource::ALL
        .into_iter()
        .find(|resource| resource.api_version() == version && resource.spelling().kind == kind)
        .ok_or_else(|| Flaw::Kind(kind.to_owned(), version.to_owned()))?;
    if object::name(&object).is_empty() {
        return Err(Flaw::Unnamed(kind.to_owned()));
    }
    Ok((resource, object))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(acts: &str) -> String {
        Script::read(&format!("about: x\nacts:\n{acts}")).unwrap_err().to_string()
    }

    #[test]
    fn a_line_has_a_moment_and_one_act() {
        let script = Script::read(
            "about: a node dies\nacts:\n- at: 0s\n  power-off: [worker-2]\n- at: 8m\n  force-delete: pod/data/postgres-1\n",
        )
        .unwrap();
        let pod = Target { resource: Resource::Pods, key: Key::new("data", "postgres-1") };
        assert_eq!(
            script.acts,
            [
                (SignedDuration::ZERO, Act::PowerOff(vec!["worker-2".to_owned()])),
                (SignedDuration::from_mins(8), Act::ForceDelete(pod)),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let misspelt = flaw("- at: 0s\n  power-of: [worker-2]\n");
        assert!(
            misspelt.contains("unknown field `power-of`, expected one of `at`, `power-off`"),
            "{misspelt}"
        );
        assert!(misspelt.contains("line 4"), "{misspelt}");
        for (acts, said) in [
            ("- at: soon\n  hang: [a]\n", "act 1: \"soon\" is no moment such as 0s, 90s or 8m"),
            ("- at: 0s\n", "act 1: it needs exactly one thing to happen, and has 0"),
            (
                "- at: 0s\n  hang: [a]\n  unhang: [a]\n",
                "act 1: it needs exactly one thing to happen, and has 2",
            ),
            ("- at: 9s\n  hang: [a]\n- at: 8s\n  hang: [a]\n", "act 2: it comes before the one above it"),
            ("- at: 0s\n  hang: []\n", "act 1: no machine is named"),
            (
                "- at: 0s\n  taint: {nodes: [a], taint: x}\n",
                "act 1: \"x\" is no taint: write key=value:Effect",
            ),
            ("- at: 0s\n  delete: pod/postgres-1\n", "act 1: \"pod/postgres-1\" names no object"),
            ("- at: 0s\n  delete: unicorn/x\n", "act 1: \"unicorn/x\" names no object"),
            (
                "- at: 0s\n  create: [{apiVersion: v1, kind: Unicorn}]\n",
                "kind \"Unicorn\" in \"v1\" is not one",
            ),
            ("- at: 0s\n  create: [{apiVersion: v1, kind: Pod}]\n", "kind \"Pod\" has no name"),
        ] {
            let told = flaw(acts);
            assert!(told.contains(said), "{told}");
        }
    }
}

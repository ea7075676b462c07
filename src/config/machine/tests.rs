//! The commands as they are written: whole, or told what is wrong and none of them.

use crate::actions::errand::{IdSource, Kit, Purpose};
use crate::config::{Config, Names};
use crate::problem::Source;
use jiff::SignedDuration;

const UID: &str = "4f0a2c1e-6d0b-4c57-9c43-0e6f1f0d8a11";
const SERVER: &str = "https://10.0.0.1:6443";

fn parse(text: &str) -> (Config, Vec<String>) {
    let source = Source { file: "config.yaml".to_owned(), text: text.to_owned() };
    let (config, problems) = Config::parse(&source, Names { keymaps: &[], themes: &[], columns: &[] });
    (config, problems.iter().map(ToString::to_string).collect())
}

/// An entry for [`SERVER`] with these lines below `machine`.
fn entry(lines: &[&str]) -> String {
    format!(
        "clusters:\n  {SERVER}:\n    kube-system: {UID}\n    machine:\n      {}\n",
        lines.join("\n      ")
    )
}

/// What is wrong with it; and nothing of it may be run then.
fn wrong(text: &str) -> Vec<String> {
    let (config, problems) = parse(text);
    assert!(!config.has_kits(), "{text}");
    assert!(!problems.is_empty(), "{text}");
    problems
}

#[test]
fn every_command_is_read() {
    let (config, problems) = parse(&entry(&[
        "id: label example.com/bmc",
        "ids: {worker-2: bmc-2}",
        "fence: {kind: off, command: [fence, '{id}'], timeout: 30s}",
        "power: {command: [power, '{id}'], prints-when-off: shut off}",
        "probe: {command: [/bin/ping, '{node}'], timeout: 5s}",
        "restart-kubelet: {command: [ssh, '{node}', restart]}",
        "replace: {command: [replace, '{id}']}",
    ]));
    assert_eq!(problems, [""; 0]);
    let kit = config.kit(SERVER, Some(UID));
    assert_eq!(kit.id, Some(IdSource::Label("example.com/bmc".to_owned())));
    assert_eq!(kit.ids.get("worker-2").map(String::as_str), Some("bmc-2"));
    assert_eq!((&*kit.cluster, &*kit.means_off), (UID, "shut off"));
    let limit = |purpose| kit.commands.get(&purpose).map(|template| template.limit.as_secs());
    assert_eq!(limit(Purpose::SwitchOff), Some(30));
    assert_eq!(limit(Purpose::Reset), None);
    assert_eq!(limit(Purpose::CheckPower), Some(15));
    assert_eq!(limit(Purpose::Probe), Some(5));
    assert_eq!(limit(Purpose::RestartKubelet), Some(60));
    assert_eq!(limit(Purpose::Replace), Some(120));
    let argv = &kit.commands.get(&Purpose::Probe).unwrap().argv;
    assert_eq!(*argv, ["/bin/ping", "{node}"]);
}

#[test]
fn a_fence_is_of_the_kind_that_is_written() {
    for (kind, purpose) in [("off", Purpose::SwitchOff), ("reset", Purpose::Reset)] {
        let (config, _) = parse(&entry(&[&format!("fence: {{kind: {kind}, command: [fence, '{{node}}']}}")]));
        assert_eq!(config.kit(SERVER, Some(UID)).fence(), Some(purpose));
    }
}

#[test]
fn commands_are_for_one_cluster_alone() {
    let (config, _) = parse(&entry(&["probe: {command: [ping, '{node}']}"]));
    assert!(config.kit(SERVER, Some(UID)).has(Purpose::Probe));
    assert!(config.kit(&format!("{SERVER}/"), Some(UID)).has(Purpose::Probe));
    assert_eq!(config.kit("https://10.0.0.2:6443", Some(UID)), Kit::default());
    for uid in [None, Some("4f0a2c1e-6d0b-4c57-9c43-000000000000")] {
        let kit = config.kit(SERVER, uid);
        assert!(kit.commands.is_empty() && kit.absence.is_some(), "{uid:?}");
    }
}

#[test]
fn of_two_clusters_that_one_server_had_each_keeps_its_commands() {
    let other = "11111111-2222-4333-8444-555555555555";
    let two = entry(&["probe: {command: [old, '{node}']}"])
        + &entry(&["probe: {command: [new, '{node}']}"])
            .replace("clusters:\n", "")
            .replace(SERVER, &format!("{SERVER}/"))
            .replace(UID, other);
    let (config, problems) = parse(&two);
    assert_eq!(problems, [""; 0]);
    let program = |uid| config.kit(SERVER, Some(uid)).commands[&Purpose::Probe].argv[0].clone();
    assert_eq!((program(UID), program(other)), ("old".to_owned(), "new".to_owned()));
}

#[test]
fn half_a_command_is_none_and_says_what_is_missing() {
    for (lines, place) in [
        (&["fence: {command: [fence, '{node}']}"][..], "machine.fence.kind: is missing"),
        (&["fence: {kind: off}"], "machine.fence.command: is missing"),
        (&["power: {timeout: 5s}"], "machine.power.command: is missing"),
        (&["power: {prints-when-off: 'no'}"], "machine.power.command: is missing"),
        (&["probe: {command: [ping, '{id}']}"], "machine.id: is missing"),
    ] {
        let problems = wrong(&entry(lines));
        assert!(problems.len() == 1 && problems[0].contains(place), "{problems:?}");
        assert!(problems[0].starts_with("config.yaml:"), "{problems:?}");
    }
    let without =
        entry(&["probe: {command: [ping, '{node}']}"]).replace(&format!("    kube-system: {UID}\n"), "");
    assert!(wrong(&without)[0].contains("kube-system: is missing"));
    let context = entry(&["probe: {command: [ping, '{node}']}"]).replace(SERVER, "prod");
    assert!(wrong(&context)[0].contains("commands are for a server"));
}

#[test]
fn what_is_wrong_in_one_command_leaves_none() {
    let good = "probe: {command: [ping, '{node}']}";
    for (bad, reason) in [
        (
            "fence: {kind: of, command: [fence, '{node}']}",
            "must be off or reset, and is `of`; did you mean `off`?",
        ),
        ("fence: {kind: off, command: fence --node x}", "there is no shell to split it"),
        ("fence: {kind: off, command: []}", "must be a list"),
        ("fence: {kind: off, command: [fence]}", "names neither the node nor its machine"),
        ("fence: {kind: off, command: [fence, 'root@{id}']}", "`{id}` must be an argument of its own"),
        ("fence: {kind: off, command: [fence, '--node={node}']}", "`{node}` must be an argument of its own"),
        (
            "fence: {kind: off, command: [fence, '{name}']}",
            "stands for nothing; there are `{node}` and `{id}`",
        ),
        ("fence: {kind: off, command: ['{id}', off]}", "for a program"),
        ("fence: {kind: off, command: [./fence, '{node}']}", "relative path"),
        ("fence: {kind: off, command: [fence, '{node}', 22]}", "write it in quotes: `\"22\"`"),
        ("fence: {kind: off, command: [fence, '{node}', true]}", "write it in quotes"),
        ("fence: {kind: off, command: [fence, '{node}', \"a\\nb\"]}", "control character"),
        ("fence: {kind: off, command: [fence, '{node}'], timeout: 30}", "`30s` would be seconds"),
        ("id: provider", "must be name, provider-id, internal-ip or `label KEY`"),
        ("id: label not a key", "must be name"),
        ("ids: {worker-1: '-x'}", "which is no id"),
        ("ids: {worker-1: 17}", "write it in quotes"),
        ("ids: {worker-1: bmc, worker-2: bmc}", "two nodes are not one machine"),
        ("ids: [worker-1]", "must be a mapping"),
    ] {
        let problems = wrong(&entry(&[good, bad]));
        assert!(problems.iter().any(|problem| problem.contains(reason)), "{bad}: {problems:?}");
        assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
    }
    let uid = entry(&[good]).replace(UID, "prod");
    assert!(wrong(&uid)[0].contains("must be a uid, and is `prod`"));
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let page = include_str!("../../../docs/fencing.md");
    let examples: Vec<&str> =
        page.split("\n```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    let mut programs = Vec::new();
    for example in &examples {
        let (config, problems) = parse(example);
        assert_eq!(problems, [""; 0], "{example}");
        let server = config.clusters[0].name.clone();
        let kit = config.kit(&server, Some(UID));
        assert!(!kit.commands.is_empty(), "{example}");
        programs.extend(kit.commands.values().map(|template| template.argv[0].clone()));
        assert!(kit.commands.values().all(|template| template.limit > SignedDuration::ZERO), "{example}");
    }
    for program in ["ssh", "virsh", "ipmitool", "openstack"] {
        assert!(programs.iter().any(|known| known == program), "{program} is in {programs:?}");
    }
}

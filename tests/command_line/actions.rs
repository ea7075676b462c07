//! Guided actions as scripts meet them: checks, exit codes, the journal, and what leaves in a read-only session.

use crate::program::{Cluster, Run};
use serde_json::Value;
use sickbay::cluster::Kind;
use sickbay::demo::{Resource, Scenario, Scope};
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;

/// A cluster and a user with a home of their own.
struct Ward {
    cluster: Cluster,
    state: TempDir,
}

impl Ward {
    async fn start() -> Self {
        Self { cluster: Cluster::start(Scenario::Healthy).await, state: tempfile::tempdir().unwrap() }
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        let state = self.state.path().to_owned();
        self.cluster
            .run_with(arguments, |command| command.env("XDG_STATE_HOME", state).env("USER", "alice"))
            .await
    }

    fn node(&self, name: &str) -> Value {
        self.cluster.demo.get(Resource::Nodes, "", name).unwrap()
    }

    fn journals(&self) -> Vec<String> {
        let folder = self.state.path().join("sickbay/journal");
        let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    /// Requests other than reads, since they were last forgotten.
    fn writes(&self) -> Vec<String> {
        let received = self.cluster.demo.faults().received();
        let writes = received.iter().filter(|request| request.method != "GET");
        writes.map(|request| format!("{} {}?{}", request.method, request.path, request.query)).collect()
    }
}

const REVIEWS: &str = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews?";

#[tokio::test]
async fn a_plan_changes_nothing() {
    let ward = Ward::start().await;
    let planned = ward.run(&["plan", "cordon", "worker-1", "node/worker-2"]).await;
    assert_eq!(planned.code, 0, "{planned:?}");
    for line in
        ["ok     you may patch nodes worker-1", "step 2 cordon node worker-2  (kubectl cordon worker-2)"]
    {
        assert!(planned.out.contains(line), "{planned:?}");
    }
    assert_eq!(ward.node("worker-1")["spec"]["unschedulable"], Value::Null);
    assert!(ward.journals().is_empty());
    assert!(ward.writes().iter().all(|write| write.starts_with(REVIEWS) || write.contains("dryRun=All")));
}

#[tokio::test]
async fn a_node_is_cordoned_with_who_and_why_and_uncordoned_without() {
    let ward = Ward::start().await;
    let ran = ward.run(&["run", "cordon", "worker-1", "--yes", "--why", "the disk is failing"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let node = ward.node("worker-1");
    assert_eq!(node["spec"]["unschedulable"], true);
    let annotations = &node["metadata"]["annotations"];
    assert_eq!(annotations["sickbay.dev/cordoned-why"], "the disk is failing");
    assert!(annotations["sickbay.dev/cordoned-by"].as_str().unwrap().starts_with("alice"), "{annotations}");
    let again = ward.run(&["run", "cordon", "worker-1", "--yes"]).await;
    assert_eq!(again.code, 0);
    assert!(again.out.contains("cordoned already") && again.out.contains("nothing to do"), "{again:?}");
    let ran = ward.run(&["run", "uncordon", "worker-1", "--yes", "-o", "json"]).await;
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &document["outcome"], &document["done"]), (0, &"done".into(), &1.into()));
    let node = ward.node("worker-1");
    assert_eq!(node["spec"]["unschedulable"], Value::Null);
    let left = node["metadata"]["annotations"].to_string();
    assert!(!left.contains("sickbay.dev"), "{left}");
}

#[tokio::test]
async fn a_node_is_drained_and_the_pods_that_were_meant_to_stay_stay() {
    let ward = Ward::start().await;
    let planned = ward.run(&["plan", "drain", "worker-1", "--timeout", "5m"]).await;
    assert_eq!(planned.code, 0, "{planned:?}");
    for line in [
        "each stays: its daemon set keeps it on every node",
        "kubectl drain worker-1 --ignore-daemonsets --timeout=300s",
        "you may create pods/eviction in shop",
        "look whether node worker-1 is empty",
    ] {
        assert!(planned.out.contains(line), "{line}: {planned:?}");
    }
    let tried = ward.writes();
    assert!(
        tried.iter().all(|write| write.starts_with(REVIEWS) || write.contains("dryRun=All")),
        "{tried:?}"
    );
    assert!(tried.iter().all(|write| !write.contains("/eviction")), "no pod is tried");
    let blocked = ward.run(&["run", "drain", "worker-1", "--ignore-daemonsets=false", "--yes"]).await;
    assert_eq!(blocked.code, 4, "{blocked:?}");
    let typed = ward.run(&["run", "drain", "worker-1", "--disable-eviction", "--yes"]).await;
    assert!(typed.code == 4 && typed.err.contains("type \"worker-1\" to confirm"), "{typed:?}");
    assert_eq!(ward.node("worker-1")["spec"]["unschedulable"], Value::Null);
}

#[tokio::test]
async fn options_of_a_drain_are_no_options_of_another_action() {
    let ward = Ward::start().await;
    let ran = ward.run(&["plan", "cordon", "worker-1", "--force"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (2, "sickbay: cordon takes no options of drain\n"));
}

#[tokio::test]
async fn what_nobody_agreed_to_is_not_carried_out() {
    let ward = Ward::start().await;
    let ran = ward.run(&["run", "cordon", "worker-1"]).await;
    assert_eq!(ran.code, 4);
    assert_eq!(ran.err, "sickbay: not carried out: nobody has agreed; say so with --yes\n");
    assert_eq!(ward.node("worker-1")["spec"]["unschedulable"], Value::Null);
}

#[tokio::test]
async fn a_protected_cluster_wants_the_name_as_well() {
    let ward = Ward::start().await;
    let config = tempfile::tempdir().unwrap();
    let text = format!("clusters: {{{:?}: {{protected: true}}}}\n", ward.cluster.demo.url());
    std::fs::write(config.path().join("config.yaml"), text).unwrap();
    let config = config.path().to_str().unwrap();
    let run = ["run", "cordon", "worker-1", "--yes", "--config", config];
    let ran = ward.run(&run).await;
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("type \"worker-1\" to confirm: give it with --confirm"), "{ran:?}");
    let ran = ward.run(&[&run[..], &["--confirm", "worker-2"]].concat()).await;
    assert_eq!(ran.code, 4);
    let ran = ward.run(&[&run[..], &["--confirm", "worker-1"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn without_the_journal_nothing_is_sent() {
    let ward = Ward::start().await;
    let journal = "/proc/nowhere/journal.jsonl";
    let ran = ward.run(&["run", "cordon", "worker-1", "--yes", "--journal", journal]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("the journal /proc/nowhere/journal.jsonl cannot be written"), "{ran:?}");
    assert_eq!(ward.node("worker-1")["spec"]["unschedulable"], Value::Null);
    assert!(ward.writes().iter().all(|write| write.starts_with(REVIEWS) || write.contains("dryRun=All")));
}

#[tokio::test]
async fn the_record_names_who_where_what_and_how_it_ended() {
    let ward = Ward::start().await;
    let path = ward.state.path().join("own.jsonl");
    let path = path.to_str().unwrap();
    ward.run(&["run", "cordon", "worker-1", "--yes", "--why", "rack move", "--journal", path]).await;
    assert!(ward.journals().is_empty(), "it was told to write elsewhere");
    let text = std::fs::read_to_string(Path::new(path)).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [started, step, ended] = &records[..] else { panic!("{text}") };
    assert_eq!((&started["record"], &started["why"]), (&"started".into(), &"rack move".into()));
    assert_eq!(started["server"], ward.cluster.demo.url());
    assert_eq!(started["targets"][0]["uid"], ward.node("worker-1")["metadata"]["uid"]);
    assert_eq!((&step["result"], &step["object"]["name"]), (&"done".into(), &"worker-1".into()));
    assert_eq!((&ended["record"], &ended["outcome"]), (&"ended".into(), &"done".into()));
    let printed = ward.run(&["journal", "--journal", path]).await;
    assert_eq!(printed.out.lines().count(), 3, "{printed:?}");
}

#[tokio::test]
async fn what_a_run_did_is_taken_back_and_no_more() {
    let ward = Ward::start().await;
    ward.run(&["run", "cordon", "worker-2", "--yes"]).await;
    ward.run(&["run", "cordon", "worker-1", "worker-2", "--yes"]).await;
    let listed = ward.run(&["runs", "-o", "json"]).await;
    let runs: Value = serde_json::from_str(&listed.out).unwrap();
    let mut runs = runs.as_array().unwrap().iter();
    // The cluster's clock stands still, so their times do not tell them apart.
    let second = runs.find(|run| run["started"]["targets"].as_array().unwrap().len() == 2).unwrap();
    assert_eq!((&second["state"], &second["undo"]), (&"done".into(), &true.into()));
    let ran = ward.run(&["runs", "undo", second["id"].as_str().unwrap(), "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ward.node("worker-1")["spec"]["unschedulable"], Value::Null);
    assert_eq!(ward.node("worker-2")["spec"]["unschedulable"], true, "the first run did that");
    let unknown = ward.run(&["runs", "undo", "nope-1", "--yes"]).await;
    assert_eq!(
        (unknown.code, unknown.err.as_str()),
        (1, "sickbay: there is no run \"nope-1\"; `sickbay runs` lists them\n")
    );
}

#[tokio::test]
async fn who_may_not_is_blocked_with_the_reason() {
    let ward = Ward::start().await;
    ward.cluster.demo.faults().deny("patch", Resource::Nodes, Scope::Everywhere);
    for command in ["plan", "run"] {
        let ran = ward.run(&[command, "cordon", "worker-1"]).await;
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.out.contains("block  "), "{ran:?}");
    }
    assert_eq!(ward.node("worker-1")["spec"]["unschedulable"], Value::Null);
}

#[tokio::test]
async fn nothing_is_read_but_what_the_action_relies_on() {
    let ward = Ward::start().await;
    for resource in Resource::ALL.into_iter().filter(|resource| *resource != Resource::Nodes) {
        ward.cluster.demo.faults().deny("list", resource, Scope::Everywhere);
        ward.cluster.demo.faults().deny("watch", resource, Scope::Everywhere);
    }
    ward.cluster.demo.faults().forget_received();
    let ran = ward.run(&["run", "cordon", "worker-1", "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let received = ward.cluster.demo.faults().received();
    let lists: BTreeSet<&str> = received
        .iter()
        .filter(|request| request.method == "GET" && request.query.contains("watch"))
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(lists, BTreeSet::from(["/api/v1/nodes"]));
}

#[tokio::test]
async fn in_a_read_only_session_nothing_leaves_but_reads_and_access_reviews() {
    let ward = Ward::start().await;
    ward.run(&["run", "cordon", "worker-2", "--yes"]).await;
    let listed = ward.run(&["runs", "-o", "json"]).await;
    let runs: Value = serde_json::from_str(&listed.out).unwrap();
    let id = runs[0]["id"].as_str().unwrap().to_owned();
    ward.cluster.demo.faults().forget_received();
    let of = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap().to_owned();
    let pod = &ward.cluster.demo.list(Resource::Pods)[0];
    let pod = format!("pod/{}/{}", of(pod, "namespace"), of(pod, "name"));
    let attachment = of(&ward.cluster.demo.list(Resource::VolumeAttachments)[0], "name");
    let mut actions = vec![vec!["findings"], vec!["runs"], vec!["journal"], vec!["actions"]];
    for action in sickbay::actions::ActionKind::ALL {
        let id = action.spec().id;
        let targets: Vec<&str> = match action.spec().kinds {
            [Kind::Node, ..] => vec!["worker-1", "worker-2"],
            [Kind::Pod, ..] => vec![pod.as_str()],
            [Kind::VolumeAttachment, ..] => vec![attachment.as_str()],
            [Kind::PersistentVolumeClaim, ..] => vec!["pvc/data/data-postgres-1"],
            _ => vec!["deploy/shop/web", "deployment/shop/cart"],
        };
        for target in targets {
            actions.push(vec!["plan", id, target]);
            actions.push(vec!["run", id, target, "--yes", "--confirm", target]);
        }
    }
    actions.push(vec!["runs", "undo", &id, "--yes"]);
    for arguments in &mut actions {
        arguments.push("--read-only");
        let ran = ward.run(arguments).await;
        let may_end = if arguments.contains(&"--yes") || arguments[0] == "plan" { [0, 4] } else { [0, 0] };
        assert!(may_end.contains(&ran.code), "{arguments:?}: {ran:?}");
    }
    let writes = ward.writes();
    assert!(!writes.is_empty(), "access reviews are asked");
    assert!(writes.iter().all(|write| write == REVIEWS), "{writes:?}");
    assert_eq!(ward.node("worker-2")["spec"]["unschedulable"], true);
}

#[tokio::test]
async fn what_is_no_action_and_no_target_is_told() {
    let ward = Ward::start().await;
    let ran = ward.run(&["plan", "cordn", "worker-1"]).await;
    let known: Vec<&str> = sickbay::actions::ActionKind::ALL.iter().map(|action| action.spec().id).collect();
    let words = format!("sickbay: there is no action \"cordn\": there are {}\n", known.join(", "));
    assert_eq!((ran.code, ran.err), (2, words));
    let ran = ward.run(&["plan", "cordon", "worker-99"]).await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.err, "sickbay: there is no node \"worker-99\"; check its spelling and the context\n");
    let ran = ward.run(&["plan", "cordon"]).await;
    assert_eq!(ran.code, 2);
}

#[tokio::test]
async fn a_rollback_is_planned_from_the_history_and_names_the_pod_that_blocks_it() {
    let ward =
        Ward { cluster: Cluster::start(Scenario::BadRollout).await, state: tempfile::tempdir().unwrap() };
    let planned = ward.run(&["plan", "rollback", "deployment/web", "-n", "shop"]).await;
    assert_eq!(planned.code, 0, "{planned:?}");
    for line in
        ["ok     dry run of roll deployment shop/web back to revision 1", "step 2 watch the rollout of"]
    {
        assert!(planned.out.contains(line), "{planned:?}");
    }
    let planned = ward.run(&["plan", "rollback", "sts/data/postgres"]).await;
    assert_eq!(planned.code, 0, "{planned:?}");
    for line in ["which blocks the way back", "to confirm, postgres has to be typed"] {
        assert!(planned.out.contains(line), "{planned:?}");
    }
    let refused = ward.run(&["run", "rollback", "sts/data/postgres", "--yes"]).await;
    assert_eq!(refused.code, 4, "{refused:?}");
    let refused = ward.run(&["plan", "rollback", "deployment/web", "-n", "shop", "--to", "99"]).await;
    assert!(refused.code == 4 && refused.out.contains("there is no revision 99"), "{refused:?}");
    let unclear = ward.run(&["plan", "rollback", "web"]).await;
    assert!(unclear.code == 1 && unclear.err.contains("write KIND/web"), "{unclear:?}");
    let unused = ward.run(&["plan", "rollback", "deployment/web", "--replicas", "2"]).await;
    assert!(unused.code == 2 && unused.err.contains("rollback takes no --replicas"), "{unused:?}");
    // What a deletion says of a dry run is in its body.
    let is_dry = |write: &String| {
        write.starts_with(REVIEWS) || write.contains("dryRun=All") || write.starts_with("DELETE /api/v1/")
    };
    assert!(ward.writes().iter().all(is_dry), "{:?}", ward.writes());
    let pod = ward.cluster.demo.get(Resource::Pods, "data", "postgres-2").unwrap();
    assert_eq!(pod["metadata"]["deletionTimestamp"], Value::Null);
}

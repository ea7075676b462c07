//! What operators type: the real kubectl, where it is installed, and what it prints and leaves behind.

use crate::stage::{JSON_PATCH, Stage, workload};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

/// How a command has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    Badly,
}

use End::{Badly, Well};

/// The commands, how they end, and what they say among other things. `NODE` is a node, `DIR` a folder with manifests.
const TYPED: &[(&str, End, &str)] = &[
    ("get nodes NODE", Well, "Ready"),
    ("get nodes NODE -o wide", Well, "INTERNAL-IP"),
    ("get nodes NODE -o json", Well, "\"kind\": \"Node\""),
    ("get nodes NODE -o yaml", Well, "kind: Node"),
    ("get nodes -l no=such", Well, "No resources found"),
    ("get pods --field-selector spec.x=y", Badly, "field label not supported"),
    ("get things", Badly, "the server doesn't have a resource type \"things\""),
    ("cordon NODE", Well, "node/NODE cordoned"),
    ("cordon NODE", Well, "node/NODE already cordoned"),
    ("get node NODE", Well, "Ready,SchedulingDisabled"),
    ("uncordon NODE", Well, "node/NODE uncordoned"),
    ("taint node NODE a=b:NoSchedule", Well, "node/NODE tainted"),
    ("taint node NODE a=c:NoSchedule", Badly, "--overwrite is false"),
    ("taint node NODE a=c:NoSchedule --overwrite", Well, "node/NODE modified"),
    ("taint node NODE a-", Well, "node/NODE untainted"),
    ("taint node NODE a=b:Sometimes", Badly, "invalid taint effect: Sometimes"),
    ("label node NODE x=y", Well, "node/NODE labeled"),
    ("label node NODE x=z", Badly, "--overwrite is false"),
    ("label node NODE x=z --overwrite", Well, "node/NODE labeled"),
    ("label node NODE x-", Well, "node/NODE unlabeled"),
    ("annotate node NODE a/b=c", Well, "node/NODE annotated"),
    ("annotate node NODE a/b-", Well, "node/NODE annotated"),
    ("create -f DIR/deployment.json", Well, "deployment.apps/deployment created"),
    ("create -f DIR/deployment.json", Badly, "\"deployment\" already exists"),
    ("create -f DIR/misspelt.json", Badly, "strict decoding error: unknown field \"spec.replica\""),
    ("rollout status deployment/deployment --timeout=60s", Well, "successfully rolled out"),
    ("set image deployment/deployment main=main:2", Well, "image updated"),
    ("rollout status deployment/deployment --timeout=60s", Well, "successfully rolled out"),
    ("rollout history deployment/deployment", Well, "2         <none>"),
    ("rollout undo deployment/deployment", Well, "deployment.apps/deployment rolled back"),
    ("rollout status deployment/deployment --timeout=60s", Well, "successfully rolled out"),
    ("get deployment deployment -o jsonpath={.spec.template.spec.containers[0].image}", Well, "main:1"),
    (
        "rollout undo deployment/deployment --to-revision=9",
        Badly,
        "unable to find specified revision 9 in history",
    ),
    ("rollout pause deployment/deployment", Well, "paused"),
    ("rollout undo deployment/deployment", Badly, "you cannot rollback a paused deployment"),
    ("rollout restart deployment/deployment", Badly, "can't restart paused deployment"),
    ("rollout resume deployment/deployment", Well, "resumed"),
    ("rollout restart deployment/deployment", Well, "restarted"),
    ("rollout status deployment/deployment --timeout=60s", Well, "successfully rolled out"),
    ("scale deployment/deployment --replicas=3", Well, "scaled"),
    (
        "scale deployment/deployment --replicas=5 --current-replicas=9",
        Badly,
        "Expected replicas to be 9, was 3",
    ),
    ("create -f DIR/statefulset.json", Well, "statefulset.apps/statefulset created"),
    ("rollout status statefulset/statefulset --timeout=60s", Well, "2 new pods have been updated"),
    ("set image statefulset/statefulset main=main:2", Well, "image updated"),
    ("rollout status statefulset/statefulset --timeout=60s", Well, "2 new pods have been updated"),
    ("rollout history statefulset/statefulset", Well, "2         <none>"),
    ("rollout undo statefulset/statefulset", Well, "statefulset.apps/statefulset rolled back"),
    ("rollout status statefulset/statefulset --timeout=60s", Well, "2 new pods have been updated"),
    ("get statefulset statefulset -o jsonpath={.spec.template.spec.containers[0].image}", Well, "main:1"),
    ("create -f DIR/daemonset.json", Well, "daemonset.apps/daemonset created"),
    ("rollout status daemonset/daemonset --timeout=60s", Well, "successfully rolled out"),
    ("set image daemonset/daemonset main=main:2", Well, "image updated"),
    ("rollout status daemonset/daemonset --timeout=60s", Well, "successfully rolled out"),
    ("rollout undo daemonset/daemonset", Well, "daemonset.apps/daemonset rolled back"),
    ("rollout status daemonset/daemonset --timeout=60s", Well, "successfully rolled out"),
    ("rollout restart daemonset/daemonset", Well, "restarted"),
    ("rollout status daemonset/daemonset --timeout=60s", Well, "successfully rolled out"),
    ("scale daemonset/daemonset --replicas=3", Badly, "could not find the requested resource"),
    ("logs statefulset-0 --tail=1", Well, "\"pod\":\"statefulset-0\""),
    ("logs statefulset-0 -c other", Badly, "container other is not valid for pod statefulset-0"),
    ("logs nobody", Badly, "pods \"nobody\" not found"),
    ("patch deployment deployment -p {\"spec\":{\"paused\":true}}", Well, "patched"),
    ("patch deployment deployment --type=merge -p {\"spec\":{\"paused\":null}}", Well, "patched"),
    (
        "patch deployment deployment --type=json -p [{\"op\":\"test\",\"path\":\"/kind\",\"value\":\"Pod\"}]",
        Badly,
        "the server rejected our request",
    ),
    (
        "patch deployment deployment -p {\"spec\":{\"replica\":1}}",
        Well,
        "Warning: unknown field \"spec.replica\"",
    ),
    ("create -f DIR/config.json", Well, "configmap/config created"),
    ("replace -f DIR/config.json", Well, "configmap/config replaced"),
    ("delete configmap config --timeout=1s", Badly, "timed out waiting for the condition"),
    (
        "patch configmap config --type=json -p [{\"op\":\"remove\",\"path\":\"/metadata/finalizers\"}]",
        Well,
        "patched",
    ),
    ("get configmap config", Badly, "configmaps \"config\" not found"),
    ("replace -f DIR/config.json", Badly, "configmaps \"config\" not found"),
    ("apply -f DIR/applied.json", Well, "configmap/applied created"),
    ("apply -f DIR/applied.json", Well, "configmap/applied unchanged"),
    ("delete -f DIR/applied.json", Well, "configmap \"applied\" deleted"),
    ("create -f DIR/budget.json", Well, "poddisruptionbudget.policy/budget created"),
    ("create deployment typed --image=main:1 --replicas=0 --port=80", Well, "deployment.apps/typed created"),
    ("get deployment typed -o jsonpath={.spec.replicas},{..containerPort},{..image}", Well, "0,80,main:1"),
    (
        "create pdb typed --selector=app=typed --min-available=50%",
        Well,
        "poddisruptionbudget.policy/typed created",
    ),
    ("get pdb typed -o jsonpath={.spec.minAvailable},{.spec.selector.matchLabels.app}", Well, "50%,typed"),
    ("create configmap typed --from-literal=a=b", Well, "configmap/typed created"),
    ("create service clusterip typed --tcp=80:8080", Well, "service/typed created"),
    ("get service typed -o jsonpath={.spec.ports[0].targetPort},{.spec.type}", Well, "8080,ClusterIP"),
    ("create job typed --image=main:1 -- sleep 1", Well, "job.batch/typed created"),
    ("create namespace kube-system", Badly, "namespaces \"kube-system\" already exists"),
    ("auth can-i create pods --subresource=eviction", Well, "yes"),
    ("delete pod nobody", Badly, "pods \"nobody\" not found"),
    ("delete pod statefulset-1 --grace-period=0 --force", Well, "pod \"statefulset-1\" force deleted"),
    (
        "delete daemonset daemonset --cascade=foreground --timeout=60s",
        Well,
        "daemonset.apps \"daemonset\" deleted",
    ),
    ("delete pods -l app=nobody", Well, "No resources found"),
];

struct Terminal<'a> {
    stage: &'a Stage,
    folder: tempfile::TempDir,
    node: String,
}

impl Terminal<'_> {
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("kubectl");
        let folder = self.folder.path();
        let namespace = format!("--namespace={}", self.stage.namespace);
        let line = line.replace("NODE", &self.node).replace("DIR", &folder.to_string_lossy());
        command.args(line.split(' ')).arg(namespace).stdin(Stdio::null());
        command
            .env("KUBECONFIG", &self.stage.kubeconfig)
            .env("HOME", folder)
            .env("KUBECACHEDIR", folder.join("cache"));
        command
    }

    /// Its exit code's meaning, and all that it said.
    async fn run(&self, line: &str) -> (End, String) {
        let mut command = self.command(line);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        (if output.status.success() { Well } else { Badly }, said.concat())
    }

    async fn expect(&self, line: &str, end: End, words: &str) {
        let (ended, said) = self.run(line).await;
        let words = words.replace("NODE", &self.node);
        assert!(
            ended == end && said.contains(&words),
            "kubectl {line}\n{words:?} is wanted, {ended:?}:\n{said}"
        );
    }
}

fn write(folder: &Path, name: &str, mut object: Value, (version, kind): (&str, &str)) {
    object["apiVersion"] = json!(version);
    object["kind"] = json!(kind);
    std::fs::write(folder.join(format!("{name}.json")), object.to_string()).unwrap();
}

pub async fn what_operators_type_works(stage: &Stage) {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "kubectl is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        let name = kind.to_lowercase();
        write(folder.path(), &name, workload(kind, &name, 2), ("apps/v1", kind));
    }
    let mut misspelt = workload("Deployment", "misspelt", 2);
    misspelt["spec"]["replica"] = json!(3);
    write(folder.path(), "misspelt", misspelt, ("apps/v1", "Deployment"));
    let config =
        json!({ "metadata": { "name": "config", "finalizers": ["example.com/hold"] }, "data": { "a": "b" } });
    write(folder.path(), "config", config, ("v1", "ConfigMap"));
    let applied = json!({ "metadata": { "name": "applied" }, "data": { "a": "b" } });
    write(folder.path(), "applied", applied, ("v1", "ConfigMap"));
    let budget = json!({
        "metadata": { "name": "budget" },
        "spec": { "minAvailable": 3, "selector": { "matchLabels": { "app": "deployment" } } },
    });
    write(folder.path(), "budget", budget, ("policy/v1", "PodDisruptionBudget"));

    let terminal = Terminal { stage, folder, node: "worker-1".to_owned() };
    for (line, end, words) in TYPED {
        terminal.expect(line, *end, words).await;
    }
    drain(stage, terminal).await;
}

/// A drain that a budget blocks goes on when the budget allows it.
async fn drain(stage: &Stage, mut terminal: Terminal<'_>) {
    let all_ready = |pods: &std::collections::BTreeMap<String, Value>| {
        let of_it = |pod: &&Value| pod["metadata"]["labels"]["app"] == "deployment";
        pods.values().filter(of_it).filter(|pod| crate::stage::is_ready(pod)).count() == 3
    };
    let pods = stage.until("pods", "three pods that are ready", all_ready).await;
    let pod = pods.values().find(|pod| pod["metadata"]["labels"]["app"] == "deployment").unwrap();
    terminal.node = pod["spec"]["nodeName"].as_str().unwrap().to_owned();
    let only = "--ignore-daemonsets --pod-selector=app=deployment";
    stage
        .until("policy/poddisruptionbudgets", "a budget that is used up", |budgets| {
            budgets["budget"]["status"]["expectedPods"] == 3
                && budgets["budget"]["status"]["disruptionsAllowed"] == 0
        })
        .await;
    let blocked = "Cannot evict pod as it would violate the pod's disruption budget.";
    terminal.expect(&format!("drain NODE --timeout=2s {only}"), Badly, blocked).await;
    let loosen = json!([{ "op": "replace", "path": "/spec/minAvailable", "value": 1 }]);
    let path = stage.path("policy/poddisruptionbudgets/budget");
    assert_eq!(stage.patch(&path, JSON_PATCH, &loosen).await.code, 200);
    stage
        .until("policy/poddisruptionbudgets", "a budget that allows", |budgets| {
            budgets["budget"]["status"]["disruptionsAllowed"] == 2
        })
        .await;
    let dry = format!("drain NODE --timeout=30s --dry-run=server {only}");
    terminal.expect(&dry, Well, "drained (server dry run)").await;
    let drained = "node/NODE drained";
    terminal.expect(&format!("drain NODE --timeout=60s {only}"), Well, drained).await;
    terminal.expect("get node NODE", Well, "SchedulingDisabled").await;
    terminal.expect("uncordon NODE", Well, "uncordoned").await;
}

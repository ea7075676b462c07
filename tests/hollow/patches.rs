//! The patch for the repository, laid upon what is wanted by kubectl and by kustomize: both give the template of the
//! revision that it is for.

use crate::actions::User;
use crate::board::Board;
use crate::cluster::Hollow;
use crate::rollback::{NAMESPACE, create, kubectl, path, until_complete, workload};
use serde_json::{Value, json};
use sickbay::cluster::Kind;
use std::path::Path;

/// Something of everything that a release changes.
fn template(name: &str, release: u32) -> Value {
    let is_first = release == 1;
    let env = if is_first {
        json!([{ "name": "A", "value": "1" }, { "name": "B", "value": "yes" }, { "name": "C", "value": "1" }])
    } else {
        json!([{ "name": "C", "value": "2" }, { "name": "A", "value": "1" }, { "name": "D", "value": "$(A)" }])
    };
    let ports = if is_first {
        json!([{ "containerPort": 53, "protocol": "UDP" }, { "containerPort": 53, "protocol": "TCP" }])
    } else {
        json!([{ "containerPort": 80 }])
    };
    let scratch =
        if is_first { json!({ "emptyDir": {} }) } else { json!({ "hostPath": { "path": "/tmp" } }) };
    let mut volumes = vec![json!({ "name": "scratch" })];
    volumes[0].as_object_mut().unwrap().extend(scratch.as_object().unwrap().clone());
    let mut init = vec![json!({ "name": "second", "image": format!("shop/second:{release}") })];
    if is_first {
        init.insert(0, json!({ "name": "first", "image": "shop/first:1" }));
        volumes.push(json!({ "name": "cache", "emptyDir": { "sizeLimit": "1Gi" } }));
    }
    let mut template = json!({
        "metadata": { "labels": { "app": name, "release": format!("r{release}") }, "annotations": { "note": "on" } },
        "spec": {
            "terminationGracePeriodSeconds": release,
            "initContainers": init,
            "containers": [
                {
                    "name": "main",
                    "image": format!("shop/main:{release}"),
                    "args": ["sh", "-c", "echo ü\nexec run --a: \"b\"\n"],
                    "env": env,
                    "ports": ports,
                    "resources": { "requests": { "cpu": "10m" } },
                    "volumeMounts": [{ "name": "scratch", "mountPath": format!("/scratch/{release}") }],
                },
                { "name": "log", "image": "shop/log:1" },
            ],
            "volumes": volumes,
            "nodeSelector": { "kubernetes.io/os": "linux" },
        },
    });
    if !is_first {
        template["metadata"]["annotations"]["more"] = json!("yes");
        template["spec"]["containers"][0]["resources"]["limits"] = json!({ "memory": "1Gi" });
        template["spec"]["tolerations"] = json!([{ "key": "x", "operator": "Exists" }]);
        template["spec"]["containers"][0]["args"] = json!(["run"]);
    }
    template
}

fn object(kind: Kind, name: &str, release: u32) -> Value {
    let mut object = workload(kind, name, "");
    object["spec"]["template"] = template(name, release);
    object
}

/// What `kubectl kustomize` makes of a manifest and the patch.
fn kustomized(user: &User, (manifest, patch): (&Value, &str), folder: &Path) -> Value {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("manifest.yaml", &serde_yaml::to_string(manifest).unwrap());
    write("patch.yaml", patch);
    // As the patch itself says that it is to be named.
    let line = patch.lines().find(|line| line.contains("patches:")).unwrap();
    let line = line.trim_start_matches(['#', ' ']).replace("FILE", "patch.yaml");
    write("kustomization.yaml", &format!("resources: [manifest.yaml]\n{line}\n"));
    let built = kubectl(user).arg("kustomize").arg(folder).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    serde_yaml::from_slice(&built.stdout).unwrap()
}

#[tokio::test]
async fn the_patch_for_the_repository_gives_the_template_of_the_revision() {
    let user = User::of(Hollow::start(1));
    let api = user.api().await;
    let mut board = Board::live(&user.hollow.kubeconfig).await;
    let folder = tempfile::tempdir().unwrap();
    for kind in [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet] {
        let word = kind.word().to_lowercase();
        let name = format!("web-{word}");
        create(&api, &object(kind, &name, 1), kind).await;
        until_complete(&mut board, kind, &name).await;
        let wanted = api.get(&path(kind, &name)).await["spec"]["template"].clone();
        let mut second = api.get(&path(kind, &name)).await;
        second["spec"]["template"] = template(&name, 2);
        api.replace(&path(kind, &name), &second).await;
        let is_seen = |app: &sickbay::app::App| {
            let row = app.cluster.workload_named(kind, &sickbay::cluster::Name::new(NAMESPACE, &*name));
            row.is_some_and(|row| row.images().iter().any(|image| *image.image == *"shop/main:2"))
        };
        board.until("the second release", is_seen).await;
        until_complete(&mut board, kind, &name).await;

        let target = format!("{word}/{name}");
        let (code, patch) = user.run(&["plan", "rollback", &target, "-n", NAMESPACE, "--patch"]).await;
        assert_eq!(code, 0, "{patch}");
        let bare = object(kind, &name, 2);
        let built = kustomized(&user, (&bare, &patch), folder.path());
        let lists = |template: &Value| {
            let spec = &template["spec"];
            let main = &spec["containers"][0];
            let init: Vec<&Value> =
                spec["initContainers"].as_array().unwrap().iter().map(|init| &init["image"]).collect();
            json!([
                init,
                main["image"],
                main["args"],
                main["env"],
                main["resources"],
                main["volumeMounts"],
                spec["volumes"]
            ])
        };
        assert_eq!(lists(&built["spec"]["template"]), lists(&template(&name, 1)), "{patch}");
        // The manifest that comes of it is what the server had.
        let name = format!("{name}-built");
        let mut again =
            serde_json::from_str::<Value>(&built.to_string().replace(&format!("web-{word}"), &name)).unwrap();
        again["metadata"]["name"] = json!(name);
        let made =
            api.create(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/{}", kind.plural()), &again).await;
        let renamed = wanted.to_string().replace(&format!("web-{word}"), &name);
        assert_eq!(made["spec"]["template"].to_string(), renamed, "{patch}");

        let name = format!("web-{word}");
        let file = folder.path().join("patch.yaml");
        let patched =
            kubectl(&user).args(["patch", &word, &name, "--patch-file"]).arg(&file).output().unwrap();
        assert!(patched.status.success(), "{}", String::from_utf8_lossy(&patched.stderr));
        assert_eq!(api.get(&path(kind, &name)).await["spec"]["template"], wanted, "{patch}");
        let (code, text) =
            user.run(&["plan", "rollback", &target, "--to", "3", "-n", NAMESPACE, "--patch"]).await;
        assert!(code == 4 && text.contains("there is no patch"), "{text}");
    }
}

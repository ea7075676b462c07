//! Kubeconfigs as kubectl reads them: which files count, what wins, and what each refusal says.

use std::fs;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

/// A kubeconfig with contexts `prod` and `dev`, each with a cluster and a user of its own name.
const TWO: &str = r#"
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: pki/ca.crt}
- name: dev
  cluster: {server: "https://10.0.0.2:6443"}
users:
- name: prod
  user: {token: prod-token}
- name: dev
  user: {token: dev-token}
contexts:
- name: prod
  context: {cluster: prod, user: prod, namespace: shop}
- name: dev
  context: {cluster: dev, user: dev}
"#;

struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn env(&self, kubeconfig: &str) -> Env {
        let list = kubeconfig.replace('~', self.dir.path().to_str().unwrap());
        Env {
            kubeconfig: (!list.is_empty()).then(|| list.into()),
            home: Some(self.dir.path().into()),
            ..Env::default()
        }
    }

    /// The message of an error, with the directory written as `~`.
    fn complaint(&self, flags: &Flags, env: &Env) -> String {
        pin(flags, env).unwrap_err().to_string().replace(self.dir.path().to_str().unwrap(), "~")
    }
}

fn token(pinned: &Pinned) -> &str {
    pinned.user_entry.token.as_ref().unwrap().expose_secret()
}

fn named(context: &str) -> Flags {
    Flags { context: Some(context.to_owned()), ..Flags::default() }
}

#[test]
fn the_current_context_of_the_home_is_the_default() {
    let home = Home::new();
    let file = home.write(".kube/config", TWO);
    let pinned = pin(&Flags::default(), &home.env("")).unwrap();
    assert_eq!(
        (pinned.context.as_str(), pinned.cluster.as_str(), pinned.server()),
        ("prod", "prod", "https://10.0.0.1:6443")
    );
    assert_eq!((pinned.user.as_deref(), pinned.namespace.as_deref()), (Some("prod"), Some("shop")));
    assert_eq!(token(&pinned), "prod-token");
    assert_eq!(pinned.files, [file]);
    let authority = home.dir.path().join(".kube/pki/ca.crt");
    assert_eq!(pinned.cluster_entry.certificate_authority.as_deref(), authority.to_str());
}

#[test]
fn flags_choose_context_cluster_and_user_apart() {
    let home = Home::new();
    home.write(".kube/config", TWO);
    let env = home.env("");
    assert_eq!(pin(&named("dev"), &env).unwrap().server(), "https://10.0.0.2:6443");
    let mixed = Flags { cluster: Some("dev".into()), user: Some("prod".into()), ..named("dev") };
    let pinned = pin(&mixed, &env).unwrap();
    assert_eq!((pinned.server(), token(&pinned)), ("https://10.0.0.2:6443", "prod-token"));
    let empty = Flags { context: Some(String::new()), user: Some(String::new()), ..Flags::default() };
    assert_eq!(token(&pin(&empty, &env).unwrap()), "prod-token");
}

#[test]
fn a_cluster_is_read_only_by_context_cluster_or_server_whatever_the_flag_says() {
    let home = Home::new();
    home.write(".kube/config", TWO);
    let env = home.env("");
    let is_read_only = |flags: Flags, name: &str| {
        let flags = Flags { read_only_clusters: vec![name.to_owned()], ..flags };
        pin(&flags, &env).unwrap().is_read_only(&flags)
    };
    assert!(is_read_only(named("prod"), "prod"));
    assert!(is_read_only(named("prod"), "https://10.0.0.1:6443/"));
    assert!(is_read_only(Flags { cluster: Some("prod".into()), ..named("dev") }, "prod"));
    assert!(!is_read_only(named("dev"), "prod"));
    assert!(!is_read_only(named("dev"), "https://10.0.0.1:6443"));
    assert!(is_read_only(Flags { read_only: true, ..named("dev") }, "prod"));
}

#[test]
fn a_cluster_makes_up_for_a_context() {
    let home = Home::new();
    home.write(".kube/config", &TWO.replace("current-context: prod", ""));
    let flags = Flags { cluster: Some("dev".into()), user: Some("dev".into()), ..Flags::default() };
    let pinned = pin(&flags, &home.env("")).unwrap();
    assert_eq!(
        (pinned.context.as_str(), pinned.server(), token(&pinned)),
        ("", "https://10.0.0.2:6443", "dev-token")
    );
}

#[test]
fn a_list_skips_missing_files_and_empty_entries_and_the_first_wins_whole() {
    let home = Home::new();
    let first = home.write("first", "users: [{name: prod, user: {username: ada}}]\ncurrent-context: dev\n");
    let second = home.write("sub/second", TWO);
    home.write(".kube/config", "current-context: home");
    let pinned = pin(&named("prod"), &home.env("~/gone::~/first:~/sub/second:")).unwrap();
    assert_eq!(pinned.files, [first, second]);
    assert_eq!(pinned.user_entry.username.as_deref(), Some("ada"));
    assert!(pinned.user_entry.token.is_none(), "nothing of the second file's user is mixed in");
    let authority = home.dir.path().join("sub/pki/ca.crt");
    assert_eq!(pinned.cluster_entry.certificate_authority.as_deref(), authority.to_str());
    assert_eq!(pin(&Flags::default(), &home.env("~/first:~/sub/second")).unwrap().context, "dev");
}

#[test]
fn the_flag_reads_its_file_alone() {
    let home = Home::new();
    home.write("listed", TWO);
    let other = home.write("other", &TWO.replace("10.0.0.1", "10.0.0.9"));
    let flags = Flags { kubeconfig: Some(other), ..Flags::default() };
    assert_eq!(pin(&flags, &home.env("~/listed")).unwrap().server(), "https://10.0.0.9:6443");
    let gone = Flags { kubeconfig: Some(home.dir.path().join("gone")), ..Flags::default() };
    assert_eq!(
        home.complaint(&gone, &home.env("~/listed")),
        "kubeconfig ~/gone does not exist; check --kubeconfig"
    );
}

#[test]
fn no_kubeconfig_suggests_the_demo() {
    let home = Home::new();
    let none = Flags::default();
    assert_eq!(
        home.complaint(&none, &home.env("")),
        "no kubeconfig: ~/.kube/config does not exist; name one with --kubeconfig or KUBECONFIG, or try sickbay --demo"
    );
    home.write(".kube/config", TWO);
    assert_eq!(
        home.complaint(&none, &home.env("~/a:~/b")),
        "no kubeconfig: none of ~/a, ~/b exists; name one with --kubeconfig or KUBECONFIG, or try sickbay --demo"
    );
}

#[test]
fn unknown_names_are_answered_with_known_ones() {
    let home = Home::new();
    home.write(".kube/config", TWO);
    let env = home.env("");
    assert_eq!(
        home.complaint(&named("prd"), &env),
        r#"no context "prd" in kubeconfig ~/.kube/config; did you mean "prod"?"#
    );
    assert_eq!(
        home.complaint(&named("staging"), &env),
        r#"no context "staging" in kubeconfig ~/.kube/config; it has prod, dev"#
    );
    let cluster = Flags { cluster: Some("prodd".into()), ..Flags::default() };
    assert_eq!(
        home.complaint(&cluster, &env),
        r#"no cluster "prodd" in kubeconfig ~/.kube/config; did you mean "prod"?"#
    );
    let user = Flags { user: Some("root".into()), ..Flags::default() };
    assert_eq!(
        home.complaint(&user, &env),
        r#"no user "root" in kubeconfig ~/.kube/config; it has prod, dev"#
    );
}

#[test]
fn a_file_without_a_choice_is_told_apart_from_a_wrong_one() {
    let home = Home::new();
    home.write(".kube/config", &TWO.replace("current-context: prod", ""));
    let none = Flags::default();
    assert_eq!(
        home.complaint(&none, &home.env("")),
        "kubeconfig ~/.kube/config sets no current context; choose one with --context: prod, dev"
    );
    home.write(".kube/config", &TWO.replace(r#"server: "https://10.0.0.1:6443", "#, ""));
    assert_eq!(
        home.complaint(&none, &home.env("")),
        "cluster prod in kubeconfig ~/.kube/config has no usable server; \
         give it one with kubectl config set-cluster prod --server=URL"
    );
}

#[test]
fn a_broken_file_is_named_with_its_line_and_never_quoted() {
    let home = Home::new();
    home.write(".kube/config", "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {token: s3cret}\n");
    let text = home.complaint(&Flags::default(), &home.env(""));
    assert!(text.starts_with("kubeconfig ~/.kube/config, line "), "{text}");
    assert!(text.ends_with("; correct it, or name another with --kubeconfig"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    home.write(".kube/config", "users: s3cret\n");
    assert_eq!(
        home.complaint(&Flags::default(), &home.env("")),
        "kubeconfig ~/.kube/config, line 1, is not valid: expected sequence start; \
         correct it, or name another with --kubeconfig"
    );
}

#[test]
fn a_directory_is_unreadable() {
    let home = Home::new();
    home.write(".kube/config/file", "");
    assert_eq!(
        home.complaint(&Flags::default(), &home.env("")),
        "kubeconfig ~/.kube/config cannot be read: is a directory; check its owner and its mode"
    );
}

#[test]
fn what_is_pinned_stays_when_the_file_moves_on() {
    let home = Home::new();
    home.write(".kube/config", TWO);
    let pinned = pin(&Flags::default(), &home.env("")).unwrap();

    let switched =
        TWO.replace("current-context: prod", "current-context: dev").replace("prod-token", "new-token");
    home.write(".kube/config", &switched);
    let again = pinned.reread().unwrap();
    assert_eq!(
        (again.context.as_str(), again.server(), token(&again)),
        ("prod", "https://10.0.0.1:6443", "new-token")
    );

    home.write(".kube/config", "not: [a");
    assert_eq!(token(&pinned.reread().unwrap()), "prod-token");

    home.write(".kube/config", &TWO.replace("10.0.0.1", "10.9.9.9"));
    let moved = pinned.reread().unwrap_err().to_string().replace(home.dir.path().to_str().unwrap(), "~");
    assert_eq!(
        moved,
        "cluster prod in kubeconfig ~/.kube/config is now https://10.9.9.9:6443, and this session stays with \
         https://10.0.0.1:6443; start sickbay again to follow"
    );
}

#[test]
fn acting_as_somebody_else_is_told_and_stays_when_the_file_is_read_again() {
    let home = Home::new();
    home.write(
        ".kube/config",
        &TWO.replace("{token: prod-token}", "{token: prod-token, as: bob, as-uid: '7'}"),
    );
    let pinned = pin(&Flags::default(), &home.env("")).unwrap();
    assert_eq!(pinned.shown_user().as_deref(), Some("bob (by prod)"));

    let flags = Flags {
        act_as: Some("alice".to_owned()),
        act_as_groups: vec!["ops".to_owned(), "dev".to_owned()],
        ..Flags::default()
    };
    let pinned = pin(&flags, &home.env("")).unwrap();
    assert_eq!(pinned.shown_user().as_deref(), Some("alice (by prod)"));
    home.write(".kube/config", &TWO.replace("prod-token", "new-token"));
    let again = pinned.reread().unwrap();
    let user = &again.user_entry;
    assert_eq!(token(&again), "new-token");
    assert_eq!((user.impersonate.as_deref(), &user.impersonate_uid), (Some("alice"), &None));
    assert_eq!(user.impersonate_groups.as_deref(), Some(["ops".to_owned(), "dev".to_owned()].as_slice()));
}

#[test]
fn in_a_pod_its_account_stands_in_for_a_kubeconfig() {
    let home = Home::new();
    let folder = home.write("account/namespace", "shop\n").parent().unwrap().to_owned();
    let in_cluster = Some(InCluster { host: "fd00::1".to_owned(), port: "443".to_owned(), folder });
    let env = Env { in_cluster, ..home.env("") };
    let complaint = home.complaint(&Flags::default(), &env);
    assert!(complaint.starts_with("no kubeconfig"), "without a token: {complaint}");

    home.write("account/token", "token");
    home.write("account/ca.crt", "");
    let pinned = pin(&Flags::default(), &env).unwrap();
    assert_eq!(pinned.server(), "https://[fd00::1]:443");
    assert_eq!((pinned.context.as_str(), pinned.namespace.as_deref()), ("in-cluster", Some("shop")));
    assert!(pinned.user_entry.token_file.is_some() && pinned.cluster_entry.certificate_authority.is_some());
    assert_eq!(pinned.reread().unwrap().server(), pinned.server());

    let asked = Flags { context: Some("prod".to_owned()), ..Flags::default() };
    assert!(home.complaint(&asked, &env).starts_with("no kubeconfig"), "a context is asked for");
    home.write(".kube/config", TWO);
    assert_eq!(pin(&Flags::default(), &env).unwrap().context, "prod", "a kubeconfig goes first");
}

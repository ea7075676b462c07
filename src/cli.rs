//! The command line: its grammar, and nothing of what it asks for.
//!
//! Exit codes: 0 done, 1 failed, 2 usage or no terminal, 3 findings at the severity asked for, 4 blocked or not
//! confirmed, 5 stopped or partly done, 6 the picture is incomplete. What a shell expects of signals is kept: 128 and the number.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Operate Kubernetes clusters in trouble: see what is wrong, why, and what happens next.
#[derive(Clone, Debug, Parser)]
#[command(name = "sickbay", version, about, max_term_width = 100)]
#[command(after_help = "Without a subcommand: the board, on the cluster of the current context.\n\
                  No cluster at hand? sickbay --demo plays an incident in this process.")]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,

    /// Show an embedded demo cluster instead of a real one
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "dead-node")]
    pub demo: Option<String>,

    /// Open the demo at this moment of its scenario, counted from the failure (0: its beginning; default 6m)
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, requires = "demo")]
    pub demo_from: Option<Duration>,

    /// Run the controllers of the demo so many times as fast
    #[arg(long, global = true, value_name = "N", default_value_t = 1, requires = "demo")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    pub demo_speed: u32,

    /// Let the mouse select rows, sort by headings and scroll; the terminal's own selection then needs shift
    #[arg(long)]
    pub mouse: bool,

    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Read this kubeconfig and no other
    #[arg(long, global = true, value_name = "PATH", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,

    /// Use this context instead of the current one
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,

    /// Use this cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub cluster: Option<String>,

    /// Use this user of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub user: Option<String>,

    /// Look at this namespace only
    #[arg(long, short, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub namespace: Option<String>,

    /// Look at all namespaces, which is the default where that is allowed
    #[arg(long, short = 'A', global = true, conflicts_with = "namespace", help_heading = "Cluster")]
    pub all_namespaces: bool,

    /// Act as this user, if yours may do that
    #[arg(
        long = "as",
        global = true,
        value_name = "USER",
        conflicts_with = "demo",
        help_heading = "Cluster"
    )]
    pub act_as: Option<String>,

    /// Act as a member of this group; may be given again
    #[arg(
        long = "as-group",
        global = true,
        value_name = "GROUP",
        requires = "act_as",
        help_heading = "Cluster"
    )]
    pub act_as_groups: Vec<String>,

    /// Refuse to send anything that could change the cluster
    #[arg(long, global = true, help_heading = "Cluster")]
    pub read_only: bool,

    /// Write down in this file what is done, instead of in one of the state folder
    #[arg(long, global = true, value_name = "PATH", help_heading = "Settings")]
    pub journal: Option<PathBuf>,

    /// Read config.yaml, keymaps and themes from this folder
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    pub config: Option<PathBuf>,

    /// Use this keymap; `sickbay keys` shows it
    #[arg(long, global = true, value_name = "NAME", help_heading = "Settings")]
    pub keymap: Option<String>,

    /// Use this theme; `sickbay themes` lists them
    #[arg(long, global = true, value_name = "NAME", help_heading = "Settings")]
    pub theme: Option<String>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print what is wrong, worst first
    Findings(Findings),
    /// Serve the demo cluster alone, for kubectl and for practice
    Demo(Demo),
    /// Check an action and print its steps; changes nothing
    Plan(Plan),
    /// Carry an action out, with the same checks
    Run(Run),
    /// List the runs of actions: those that go on, that ended, and that were cut off
    Runs(Runs),
    /// Print what was done, as it was written down
    Journal(Printed),
    /// List the actions, and what the user must be allowed for each
    Actions(Printed),
    /// Say what is wrong in config.yaml, keymaps and themes: all of it at once
    Check,
    /// List the keys in force, what hides them, and the commands without one
    Keys(Keys),
    /// List the themes, and the roles of one of them
    Themes(Themes),
    /// List the rules that findings are made by: what each looks for, and why
    Rules(Rules),
}

/// An action, what it is done to, and why.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// What is to be done; `sickbay actions` lists what there is
    #[arg(value_name = "ACTION")]
    pub action: String,

    /// What it is to be done to: NAME, or KIND/NAME
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,

    /// Why: for the journal, and for whoever finds the outcome
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub why: String,

    #[command(flatten)]
    pub single: Single,

    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    pub output: Output,

    /// Give up when the picture is not live, or the server has not answered, by then
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub sync_timeout: Duration,

    #[command(flatten)]
    pub drain: Drain,
}

/// What a drain may be told, with kubectl's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Drain, with kubectl's names")]
pub struct Drain {
    /// Seconds that each pod has to end; -1 is its own
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i32).range(-1..))]
    pub grace_period: Option<i32>,

    /// Give a node's pods up when they are not gone by then; 0 is no end
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Let pods go that no controller makes anew
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub force: Option<bool>,

    /// Leave the pods of daemon sets alone; the default, other than kubectl's
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ignore_daemonsets: Option<bool>,

    /// Let pods go that keep data in an emptyDir, which is lost
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub delete_emptydir_data: Option<bool>,

    /// Delete pods instead of evicting them: no budget is asked
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub disable_eviction: Option<bool>,

    /// Only pods with these labels: app=web,tier!=front
    #[arg(long, value_name = "SELECTOR")]
    pub pod_selector: Option<String>,

    /// Do not wait for a pod that is so many seconds past its deadline
    #[arg(long, value_name = "SECONDS")]
    pub skip_wait_for_delete_timeout: Option<u32>,

    /// Wait until what has moved is as ready elsewhere as it was; not kubectl's
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub wait_for_replacements: Option<bool>,
}

/// What single actions have to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Single {
    /// rollback: the revision to go back to, instead of the one before the newest
    #[arg(long, value_name = "REVISION", help_heading = "Of single actions")]
    pub to: Option<i64>,

    /// rollback: print the patch that brings a repository to the revision, and nothing else
    #[arg(long, help_heading = "Of single actions")]
    pub patch: bool,

    /// scale: how many pods to have
    #[arg(long, value_name = "N", help_heading = "Of single actions")]
    pub replicas: Option<u32>,

    /// set-image: which container is to have which image
    #[arg(long, value_name = "CONTAINER=IMAGE", help_heading = "Of single actions")]
    pub image: Option<String>,

    /// remove-finalizer: which one, where there are several
    #[arg(long, value_name = "NAME", help_heading = "Of single actions")]
    pub finalizer: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub plan: Plan,

    #[command(flatten)]
    pub consent: Consent,
}

#[derive(Clone, Debug, Default, Args)]
pub struct Consent {
    /// Carry it out without asking; what cannot be taken back needs --confirm as well
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Confirm what cannot be taken back, by the name of its target; may be given again
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,

    /// State that this machine is powered off: your word, written down as such; may be given again
    #[arg(long, value_name = "NODE")]
    pub powered_off: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Runs {
    #[command(subcommand)]
    pub command: Option<OfRun>,

    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Clone, Debug, Subcommand)]
pub enum OfRun {
    /// Take up a run that was cut off, or not done to its end, with all its checks
    Resume(Again),
    /// Take back what a run did, as far as that is honest
    Undo(Again),
}

#[derive(Clone, Debug, Args)]
pub struct Again {
    /// The run, as `sickbay runs` calls it
    #[arg(value_name = "ID")]
    pub id: String,

    #[command(flatten)]
    pub consent: Consent,

    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    pub output: Output,

    /// Give up when the picture is not live, or the server has not answered, by then
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub sync_timeout: Duration,
}

#[derive(Clone, Debug, Args)]
pub struct Printed {
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Clone, Debug, Args)]
pub struct Keys {
    /// Only the keys that work while this has the focus: nodes, prompt...
    #[arg(value_name = "CONTEXT")]
    pub context: Option<String>,

    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Clone, Debug, Args)]
pub struct Themes {
    /// Show the roles of this theme instead of the one in force
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Clone, Debug, Args)]
pub struct Rules {
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Clone, Debug, Args)]
pub struct Findings {
    /// Only what concerns these objects: NAME, NAMESPACE/NAME, or KIND/ before either
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Only incidents that this filter keeps, in the language of the board's: `overdue>5m node=worker-*`
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    pub filter: String,

    /// Print it as a table for people, or as a document for programs
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    pub output: Output,

    /// Exit with 3 if something of this severity or worse was found
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,

    /// Ask the server, by a dry run that changes nothing, whether what should be gone can still be updated
    #[arg(long)]
    pub try_updates: bool,

    /// Give up when the picture is not complete by then
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Table,
    Json,
    Yaml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Critical,
    Warning,
    Notice,
}

#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// What happens in it
    #[arg(value_name = "SCENARIO", default_value = "dead-node")]
    pub scenario: String,

    /// List the scenarios
    #[arg(long)]
    pub list: bool,

    /// Listen on this port of the loopback address instead of a free one
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub port: u16,

    /// Run the controllers so many times as fast
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub speed: u32,

    /// Begin at this moment of the scenario, counted from the failure (0: its beginning)
    #[arg(long, value_name = "DURATION", default_value = "6m", value_parser = duration)]
    pub from: Duration,
}

/// What was asked for; the error is to be printed by clap, which knows how to end as well.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut command = <Arguments as clap::CommandFactory>::command();
    // As a kubectl plugin it is called by the name of its link, and its help should say how it was called.
    if arguments.first().is_some_and(is_plugin) {
        command = command.bin_name("kubectl sickbay");
    }
    let mut matches = command.try_get_matches_from(arguments)?;
    <Arguments as clap::FromArgMatches>::from_arg_matches_mut(&mut matches)
}

fn is_plugin(program: &OsString) -> bool {
    Path::new(program).file_stem().is_some_and(|stem| stem == "kubectl-sickbay")
}

/// `90s`, `6m`, `1h30m`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let wrong = || format!("{text:?} is not a duration such as 90s, 6m or 1h30m");
    let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(signed).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Result<Arguments, clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_grammar_has_no_contradictions() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn flags_of_the_cluster_stand_before_or_after_the_subcommand() {
        let before = arguments("sickbay --context prod -n data findings -o json").unwrap();
        let after = arguments("sickbay findings -o json --context prod -n data").unwrap();
        for parsed in [before, after] {
            assert_eq!(parsed.global.context.as_deref(), Some("prod"));
            assert_eq!(parsed.global.namespace.as_deref(), Some("data"));
        }
    }

    #[test]
    fn demo_takes_its_scenario_only_with_an_equals_sign() {
        assert_eq!(arguments("sickbay --demo").unwrap().demo.as_deref(), Some("dead-node"));
        assert_eq!(arguments("sickbay --demo=healthy").unwrap().demo.as_deref(), Some("healthy"));
        assert_eq!(arguments("sickbay --demo healthy").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn durations_are_read_with_and_without_units() {
        let from = |text: &str| {
            arguments(&format!("sickbay --demo --demo-from {text}")).map(|parsed| parsed.demo_from)
        };
        assert_eq!(from("0").unwrap(), Some(Duration::ZERO));
        assert_eq!(from("90s").unwrap(), Some(Duration::from_secs(90)));
        assert_eq!(from("1h30m").unwrap(), Some(Duration::from_mins(90)));
        assert!(from("soon").unwrap_err().to_string().contains("such as 90s, 6m or 1h30m"));
    }

    #[test]
    fn as_a_kubectl_plugin_its_help_says_how_it_was_called() {
        let help = arguments("/usr/local/bin/kubectl-sickbay --help").unwrap_err().to_string();
        assert!(help.contains("Usage: kubectl sickbay"), "{help}");
    }

    #[test]
    fn contradictions_are_usage_errors() {
        for line in [
            "sickbay -A -n data",
            "sickbay --demo-from 3m",
            "sickbay --demo-speed 3",
            "sickbay unknown",
            "sickbay --demo --demo-speed 0",
        ] {
            assert_eq!(arguments(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}

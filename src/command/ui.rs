//! The commands that change what is shown and nothing else, each with a row of what the registry knows of it.

use super::context::scope::{
    ARRANGED, ASKED, COLUMNS, COPIED, EVERYWHERE, FIELDS, FILTERED, HAS_HISTORY, LISTS, MARKABLE, MOVABLE,
    NAMED, NAMESPACED, OPENABLE, PATCHED, PICKER, RUNS, VIEWS,
};
use super::{Context, Group, Spec};

closed_enum! {
    /// Commands that change what is shown and nothing else.
    pub enum Ui {
        GoTriage,
        GoNodes,
        GoPods,
        GoVolumes,
        GoWorkloads,
        GoEvents,
        GoServices,
        NextScreen,
        PreviousScreen,
        Open,
        Back,
        Down,
        Up,
        HalfPageDown,
        HalfPageUp,
        PageDown,
        PageUp,
        Top,
        Bottom,
        Left,
        Right,
        NextSection,
        PreviousSection,
        Filter,
        ClearFilter,
        Complete,
        OlderFilter,
        NewerFilter,
        ProblemsOnly,
        Namespaces,
        AllNamespaces,
        Favourite,
        Mark,
        MarkRange,
        MarkAll,
        InvertMarks,
        ClearMarks,
        Columns,
        ToggleColumn,
        ColumnEarlier,
        ColumnLater,
        ResetColumns,
        Acknowledge,
        Snooze,
        SortNextColumn,
        SortPreviousColumn,
        SortReverse,
        SortByName,
        SortByNamespace,
        SortByStatus,
        SortByAge,
        SortByNode,
        SortByRestarts,
        NextField,
        PreviousField,
        AskAgain,
        IncludeHidden,
        ToggleOption,
        Runs,
        StopRun,
        UndoRun,
        ResumeRun,
        PauseRun,
        SkipPod,
        DeletePod,
        Journal,
        History,
        Patch,
        Copy,
        Refresh,
        Palette,
        Help,
        Notices,
        Redraw,
        Suspend,
        Quit,
    }
}

impl Ui {
    #[expect(
        clippy::too_many_lines,
        reason = "a table, one row a command; cut in two it would be harder to read"
    )]
    pub fn spec(self) -> Spec {
        let row = |id, title, doc, (group, scope)| Spec { id, title, doc, group, scope, aliases: &[] };
        let screens = (Group::Screens, VIEWS);
        let moves = (Group::Move, MOVABLE);
        let jumps = (Group::Move, VIEWS);
        let program = (Group::Program, EVERYWHERE);
        let fields = (Group::Act, FIELDS);
        let of_run = (Group::Act, RUNS);
        let of_pod: (Group, &[Context]) = (Group::Act, &[Context::Run]);
        match self {
            Self::GoTriage => {
                row("go-triage", "Triage", "Show what is wrong in the cluster, worst first.", screens)
                    .alias(&["triage", "home", "pulse", "pulses", "pu"])
            }
            Self::GoNodes => {
                row("go-nodes", "Nodes", "List the nodes.", screens).alias(&["no", "node", "nodes"])
            }
            Self::GoPods => row("go-pods", "Pods", "List the pods.", screens).alias(&["po", "pod", "pods"]),
            Self::GoVolumes => {
                let doc = "List the volumes, each with its claim, its attachments and its pods.";
                row("go-volumes", "Volumes", doc, screens).alias(&[
                    "vol",
                    "volume",
                    "volumes",
                    "pv",
                    "pvs",
                    "persistentvolume",
                    "persistentvolumes",
                    "pvc",
                    "pvcs",
                    "persistentvolumeclaim",
                    "persistentvolumeclaims",
                    "va",
                    "volumeattachment",
                    "volumeattachments",
                ])
            }
            Self::GoWorkloads => {
                let doc = "List deployments, sets and jobs, with their rollouts.";
                row("go-workloads", "Workloads", doc, screens).alias(&[
                    "workload",
                    "workloads",
                    "wl",
                    "deploy",
                    "dp",
                    "deployment",
                    "deployments",
                    "sts",
                    "statefulset",
                    "statefulsets",
                    "ds",
                    "daemonset",
                    "daemonsets",
                    "rs",
                    "replicaset",
                    "replicasets",
                    "job",
                    "jobs",
                ])
            }
            Self::GoEvents => row("go-events", "Events", "List the events, newest first.", screens)
                .alias(&["ev", "event", "events"]),
            Self::GoServices => {
                let doc = "List the services, with what stands behind them.";
                row("go-services", "Services", doc, screens).alias(&["svc", "service", "services"])
            }
            Self::NextScreen => row("next-screen", "Next screen", "Go to the next screen.", screens),
            Self::PreviousScreen => {
                row("previous-screen", "Previous screen", "Go to the screen before this one.", screens)
            }
            Self::Open => {
                let doc = "Open what the cursor is on, or take what was typed.";
                row("open", "Open", doc, (Group::Screens, OPENABLE)).alias(&["describe", "desc"])
            }
            Self::Back => {
                let doc = "Go back to where you were, or close what lies on top.";
                row("back", "Back", doc, (Group::Screens, EVERYWHERE))
            }
            Self::Down => row("down", "Down", "Move one line down.", moves),
            Self::Up => row("up", "Up", "Move one line up.", moves),
            Self::HalfPageDown => row("half-page-down", "Half page down", "Move half a page down.", jumps),
            Self::HalfPageUp => row("half-page-up", "Half page up", "Move half a page up.", jumps),
            Self::PageDown => row("page-down", "Page down", "Move one page down.", moves),
            Self::PageUp => row("page-up", "Page up", "Move one page up.", moves),
            Self::Top => row("top", "Top", "Move to the first line.", jumps),
            Self::Bottom => row("bottom", "Bottom", "Move to the last line.", jumps),
            Self::Left => row("left", "Left", "Scroll to the left.", jumps),
            Self::Right => row("right", "Right", "Scroll to the right.", jumps),
            Self::NextSection => {
                let doc = "Move to the next section of the object.";
                row("next-section", "Next section", doc, (Group::Move, &[Context::Object]))
            }
            Self::PreviousSection => {
                let doc = "Move to the section before this one.";
                row("previous-section", "Previous section", doc, (Group::Move, &[Context::Object]))
            }
            Self::Filter => {
                let doc = "Keep only the rows that match what you type.";
                row("filter", "Filter", doc, (Group::Find, LISTS)).alias(&["find", "search"])
            }
            Self::ClearFilter => {
                row("clear-filter", "Clear filter", "Show all rows again.", (Group::Find, FILTERED))
            }
            Self::Complete => {
                let doc = "Complete the name of the field that is being typed.";
                row("complete", "Complete", doc, (Group::Find, &[Context::Prompt]))
            }
            Self::OlderFilter => {
                let doc = "Take the filter that was used before this one.";
                row("older-filter", "Older filter", doc, (Group::Find, &[Context::Prompt]))
            }
            Self::NewerFilter => {
                let doc = "Take the filter that was used after this one.";
                row("newer-filter", "Newer filter", doc, (Group::Find, &[Context::Prompt]))
            }
            Self::Namespaces => {
                let doc = "Pick the namespace to show; what is read stays the same.";
                row("namespaces", "Namespace", doc, (Group::Find, VIEWS)).alias(&["ns", "namespace"])
            }
            Self::AllNamespaces => {
                let doc = "Show all namespaces that are read.";
                row("all-namespaces", "All namespaces", doc, (Group::Find, VIEWS)).alias(&["all"])
            }
            Self::Favourite => {
                let doc = "Make the namespace a favourite, or none again.";
                row("favourite", "Favourite", doc, (Group::Find, PICKER))
            }
            Self::Mark => {
                let doc = "Mark the row or unmark it, and go to the next.";
                row("mark", "Mark", doc, (Group::Mark, MARKABLE)).alias(&["select"])
            }
            Self::MarkRange => {
                let doc = "Mark from the row that was marked last to this one.";
                row("mark-range", "Mark range", doc, (Group::Mark, COLUMNS))
            }
            Self::MarkAll => {
                row("mark-all", "Mark all", "Mark all rows that are shown.", (Group::Mark, COLUMNS))
            }
            Self::InvertMarks => {
                let doc = "Mark what is shown and not marked, and unmark the rest of it.";
                row("invert-marks", "Invert marks", doc, (Group::Mark, COLUMNS))
            }
            Self::ClearMarks => {
                row("clear-marks", "Clear marks", "Unmark everything, hidden or not.", (Group::Mark, COLUMNS))
                    .alias(&["unmark"])
            }
            Self::Columns => {
                row("columns", "Columns", "Choose and order the columns.", (Group::Sort, COLUMNS))
                    .alias(&["cols"])
            }
            Self::ToggleColumn => {
                row("toggle-column", "Show or hide", "Show the column or hide it.", (Group::Sort, ARRANGED))
            }
            Self::ColumnEarlier => {
                let doc = "Move the column to the left.";
                row("column-earlier", "Move left", doc, (Group::Sort, ARRANGED))
            }
            Self::ColumnLater => {
                let doc = "Move the column to the right.";
                row("column-later", "Move right", doc, (Group::Sort, ARRANGED))
            }
            Self::ResetColumns => {
                let doc = "Show the columns as they were at first.";
                row("reset-columns", "Reset", doc, (Group::Sort, ARRANGED))
            }
            Self::ProblemsOnly => {
                let doc = "Keep only the rows that something is wrong with (of events the warnings), or show all again.";
                row("problems-only", "Problems only", doc, (Group::Find, COLUMNS))
                    .alias(&["faults", "warnings"])
            }
            Self::Acknowledge => {
                let doc = "Acknowledge the incident: it moves down until it gets worse; or take that back.";
                row("acknowledge", "Acknowledge", doc, (Group::Find, &[Context::Triage])).alias(&["ack"])
            }
            Self::Snooze => {
                let doc = "Put the incident off for half an hour, unless it gets worse; or take that back.";
                row("snooze", "Snooze", doc, (Group::Find, &[Context::Triage])).alias(&["later"])
            }
            Self::SortNextColumn => {
                let doc = "Sort by the column to the right of the sorted one.";
                row("sort-next-column", "Sort by next", doc, (Group::Sort, COLUMNS))
            }
            Self::SortPreviousColumn => {
                let doc = "Sort by the column to the left of the sorted one.";
                row("sort-previous-column", "Sort by previous", doc, (Group::Sort, COLUMNS))
            }
            Self::SortReverse => {
                row("sort-reverse", "Reverse", "Reverse the order of the rows.", (Group::Sort, COLUMNS))
            }
            Self::SortByName => row("sort-by-name", "Sort by name", "Sort by name.", (Group::Sort, NAMED)),
            Self::SortByNamespace => {
                row("sort-by-namespace", "Sort by namespace", "Sort by namespace.", (Group::Sort, NAMESPACED))
            }
            Self::SortByStatus => {
                row("sort-by-status", "Sort by status", "Sort by status.", (Group::Sort, NAMED))
            }
            Self::SortByAge => row("sort-by-age", "Sort by age", "Sort by age.", (Group::Sort, COLUMNS)),
            Self::SortByNode => {
                row("sort-by-node", "Sort by node", "Sort by node.", (Group::Sort, &[Context::Pods]))
            }
            Self::SortByRestarts => {
                let doc = "Sort by the number of restarts.";
                row("sort-by-restarts", "Sort by restarts", doc, (Group::Sort, &[Context::Pods]))
            }
            Self::NextField => row("next-field", "Next field", "Go to the next field.", fields),
            Self::PreviousField => {
                row("previous-field", "Previous field", "Go to the field before this one.", fields)
            }
            Self::AskAgain => {
                let doc = "Check again, and ask the API server everything anew.";
                row("ask-again", "Ask again", doc, (Group::Act, ASKED))
            }
            Self::IncludeHidden => {
                let doc = "Take in what is marked and hidden by the filter, or leave it out again.";
                row("include-hidden", "Include hidden", doc, (Group::Act, &[Context::Review]))
            }
            Self::ToggleOption => {
                let doc = "Set the option, or take it back.";
                row("toggle-option", "Set or unset", doc, (Group::Act, &[Context::Draft]))
            }
            Self::Runs => {
                let doc = "Show what is being carried out, and what was.";
                row("runs", "Runs", doc, (Group::Act, VIEWS)).alias(&["run"])
            }
            Self::StopRun => row("stop-run", "Stop", "Begin nothing new in this run.", of_run),
            Self::UndoRun => {
                row("undo-run", "Take back", "Take back what this run did, as far as that is honest.", of_run)
                    .alias(&["undo"])
            }
            Self::ResumeRun => row("resume-run", "Take up", "Take up a run that was cut off.", of_run),
            Self::PauseRun => {
                let doc = "Send nothing new in this run until you press it again.";
                row("pause-run", "Pause or go on", doc, of_run)
            }
            Self::SkipPod => {
                let doc = "Leave the pod out of the run; it stays where it is.";
                row("skip-pod", "Leave out", doc, of_pod)
            }
            Self::DeletePod => {
                let doc = "Delete the pod instead of evicting it, past its budget; asks for its name.";
                row("delete-pod", "Delete pod", doc, of_pod)
            }
            Self::Journal => {
                let doc = "Show what was done, as it was written down.";
                row("journal", "Journal", doc, (Group::Act, VIEWS)).alias(&["audit"])
            }
            Self::History => {
                let doc = "Show the revisions of the workload, and what each of them changed.";
                row("history", "History", doc, (Group::Act, HAS_HISTORY)).alias(&["revisions", "rollout"])
            }
            Self::Patch => {
                let doc = "Show the patch that brings a repository to the revision.";
                row("patch", "Patch", doc, (Group::Act, PATCHED))
            }
            Self::Copy => {
                let doc = "Copy the patch to the clipboard, or what the line stands for, such as the handle of a volume.";
                row("copy", "Copy", doc, (Group::Act, COPIED)).alias(&["yank"])
            }
            Self::Refresh => {
                let doc = "Ask the API server again for the open object.";
                row("refresh", "Refresh", doc, (Group::Program, &[Context::Object]))
            }
            Self::Palette => {
                let doc = "Type the name of a command or a screen.";
                row("palette", "Commands", doc, (Group::Program, VIEWS)).alias(&["command", "commands"])
            }
            Self::Help => row("help", "Help", "Show the keys that work here.", (Group::Program, VIEWS))
                .alias(&["h", "keys"]),
            Self::Notices => {
                row("notices", "Notices", "Show what was noticed and said so far.", (Group::Program, VIEWS))
                    .alias(&["messages", "log"])
            }
            Self::Redraw => row("redraw", "Redraw", "Draw the whole screen again.", program),
            Self::Suspend => {
                row("suspend", "Suspend", "Give the terminal back to the shell until `fg`.", program)
            }
            Self::Quit => {
                row("quit", "Quit", "Leave the program.", program).alias(&["q", "q!", "qa", "qa!", "exit"])
            }
        }
    }
}

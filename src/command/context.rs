//! Context: what can have the focus, whose keys hold then, and the sets of contexts in which commands make sense.

closed_enum! {
    /// Where the keys go: a screen or an overlay, or one of the two that others share.
    pub enum Context {
        /// Everywhere but where text is typed.
        Global,
        /// Every screen that lists objects.
        Table,
        Triage,
        Nodes,
        Pods,
        Volumes,
        Workloads,
        Events,
        Services,
        Object,
        Help,
        Notices,
        /// The line that takes a filter.
        Prompt,
        Palette,
        /// The list of namespaces to pick from.
        Namespaces,
        /// The columns of a list, to be chosen and ordered.
        Columns,
        /// An action before anybody has agreed to it.
        Review,
        /// A line of it that takes text.
        ReviewLine,
        Runs,
        Journal,
        /// The revisions of a workload.
        History,
        /// Two of them, line against line.
        Difference,
        /// What brings a repository to a revision.
        Patch,
        /// The options of an action, before it is checked.
        Draft,
        /// A line of them that takes text.
        DraftLine,
        /// One run, and where each of its steps stands.
        Run,
    }
}

impl Context {
    pub fn id(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Table => "table",
            Self::Triage => "triage",
            Self::Nodes => "nodes",
            Self::Pods => "pods",
            Self::Volumes => "volumes",
            Self::Workloads => "workloads",
            Self::Events => "events",
            Self::Services => "services",
            Self::Object => "object",
            Self::Help => "help",
            Self::Notices => "notices",
            Self::Prompt => "prompt",
            Self::Palette => "palette",
            Self::Namespaces => "namespaces",
            Self::Columns => "columns",
            Self::Review => "review",
            Self::ReviewLine => "review-line",
            Self::Runs => "runs",
            Self::Journal => "journal",
            Self::History => "history",
            Self::Difference => "difference",
            Self::Patch => "patch",
            Self::Draft => "draft",
            Self::DraftLine => "draft-line",
            Self::Run => "run",
        }
    }

    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|context| context.id() == id)
    }

    /// The contexts whose bindings hold while this one has the focus, the nearest first.
    pub fn stack(self) -> &'static [Self] {
        match self {
            Self::Global => &[Self::Global],
            Self::Table => &[Self::Table, Self::Global],
            Self::Triage => &[Self::Triage, Self::Table, Self::Global],
            Self::Nodes => &[Self::Nodes, Self::Table, Self::Global],
            Self::Pods => &[Self::Pods, Self::Table, Self::Global],
            Self::Volumes => &[Self::Volumes, Self::Table, Self::Global],
            Self::Workloads => &[Self::Workloads, Self::Table, Self::Global],
            Self::Events => &[Self::Events, Self::Table, Self::Global],
            Self::Services => &[Self::Services, Self::Table, Self::Global],
            Self::Object => &[Self::Object, Self::Global],
            Self::Help => &[Self::Help, Self::Global],
            Self::Notices => &[Self::Notices, Self::Global],
            Self::Prompt => &[Self::Prompt],
            Self::Palette => &[Self::Palette, Self::Prompt],
            Self::Namespaces => &[Self::Namespaces, Self::Palette, Self::Prompt],
            Self::Columns => &[Self::Columns, Self::Global],
            Self::Review => &[Self::Review, Self::Global],
            Self::ReviewLine => &[Self::ReviewLine, Self::Prompt],
            Self::Runs => &[Self::Runs, Self::Global],
            Self::Journal => &[Self::Journal, Self::Global],
            Self::History => &[Self::History, Self::Global],
            Self::Difference => &[Self::Difference, Self::Global],
            Self::Patch => &[Self::Patch, Self::Global],
            Self::Draft => &[Self::Draft, Self::Global],
            Self::DraftLine => &[Self::DraftLine, Self::Prompt],
            Self::Run => &[Self::Run, Self::Global],
        }
    }

    /// Whether characters are typed here, and so cannot be bound.
    pub const fn takes_text(self) -> bool {
        match self.nature() {
            Nature::Line | Nature::Picker => true,
            Nature::Shared
            | Nature::Incidents
            | Nature::Table
            | Nature::Sheet
            | Nature::Pane
            | Nature::Index
            | Nature::Form => false,
        }
    }

    /// From this follow the scopes of most commands: a new context has its place here, and nowhere else.
    const fn nature(self) -> Nature {
        match self {
            Self::Global | Self::Table => Nature::Shared,
            Self::Triage => Nature::Incidents,
            Self::Nodes | Self::Pods | Self::Volumes | Self::Workloads | Self::Events | Self::Services => {
                Nature::Table
            }
            Self::Object => Nature::Sheet,
            Self::Help | Self::Notices | Self::Run | Self::Journal | Self::Difference | Self::Patch => {
                Nature::Pane
            }
            Self::Runs | Self::History => Nature::Index,
            Self::Columns | Self::Review | Self::Draft => Nature::Form,
            Self::Prompt | Self::ReviewLine | Self::DraftLine => Nature::Line,
            Self::Palette | Self::Namespaces => Nature::Picker,
        }
    }
}

/// What kind of thing has the focus.
#[derive(Clone, Copy)]
enum Nature {
    /// Nothing: keys that several others have in common.
    Shared,
    /// The list of what is wrong, which has no columns.
    Incidents,
    /// A list with columns.
    Table,
    /// An open object.
    Sheet,
    /// Something on top that is read; the screen may change below it.
    Pane,
    /// The same, with lines that can be opened.
    Index,
    /// Something on top that is filled in; it must be left before the screen may change.
    Form,
    /// A line that takes text.
    Line,
    /// A line that takes text, with a list below it to pick from.
    Picker,
}

/// Contexts that commands name together.
pub mod scope {
    use super::{Context, Nature};

    const fn has(natures: &[Nature], context: Context) -> bool {
        let mut at = 0;
        while at < natures.len() {
            if natures[at] as u8 == context.nature() as u8 {
                return true;
            }
            at += 1;
        }
        false
    }

    const fn count(natures: &[Nature]) -> usize {
        let (mut at, mut many) = (0, 0);
        while at < Context::ALL.len() {
            many += has(natures, Context::ALL[at]) as usize;
            at += 1;
        }
        many
    }

    /// The contexts of these natures, in the order in which they are declared.
    const fn of<const MANY: usize>(natures: &[Nature]) -> [Context; MANY] {
        let mut those = [Context::Global; MANY];
        let (mut at, mut next) = (0, 0);
        while at < Context::ALL.len() {
            if has(natures, Context::ALL[at]) {
                those[next] = Context::ALL[at];
                next += 1;
            }
            at += 1;
        }
        those
    }

    macro_rules! scopes {
        ($($(#[$meta:meta])* $name:ident: $($nature:ident)*;)*) => {$(
            $(#[$meta])*
            pub const $name: &[Context] = {
                const NATURES: &[Nature] = &[$(Nature::$nature),*];
                &of::<{ count(NATURES) }>(NATURES)
            };
        )*};
    }

    scopes! {
        EVERYWHERE: Incidents Table Sheet Pane Index Form Line Picker;
        /// All but where something is typed or filled in: there a screen must not change under the hands.
        VIEWS: Incidents Table Sheet Pane Index;
        /// What moves a cursor or scrolls.
        MOVABLE: Incidents Table Sheet Pane Index Form Picker;
        LISTS: Incidents Table;
        SHEETS: Incidents Table Sheet;
        COLUMNS: Table;
        OPENABLE: Incidents Table Sheet Index Form Line Picker;
        FILTERED: Incidents Table Line Picker;
    }

    /// Lists with a column for the name; an event goes by its object.
    pub const NAMED: &[Context] =
        &[Context::Nodes, Context::Pods, Context::Volumes, Context::Workloads, Context::Services];
    pub const NAMESPACED: &[Context] = &[Context::Pods, Context::Workloads, Context::Services];
    pub const PICKER: &[Context] = &[Context::Namespaces];
    pub const FIELDS: &[Context] =
        &[Context::Review, Context::ReviewLine, Context::Draft, Context::DraftLine];
    pub const RUNS: &[Context] = &[Context::Runs, Context::Run];
    pub const ACTS_ON_NODES: &[Context] = &[Context::Nodes, Context::Object];
    /// What has rows that can be marked one by one.
    pub const MARKABLE: &[Context] = &[
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
        Context::History,
    ];
    pub const COPIED: &[Context] = &[Context::Object, Context::Patch];
    pub const PATCHED: &[Context] = &[Context::Review, Context::History, Context::Difference];
    pub const ASKED: &[Context] = &[Context::Review, Context::History];
    pub const ROLLS_BACK: &[Context] = &[
        Context::Triage,
        Context::Pods,
        Context::Workloads,
        Context::Object,
        Context::History,
        Context::Difference,
    ];
    /// What leads to a workload's history: the workload, and what is a part of it or is said of it.
    pub const HAS_HISTORY: &[Context] =
        &[Context::Triage, Context::Pods, Context::Workloads, Context::Object];
    pub const WORKLOADS: &[Context] = &[Context::Workloads, Context::Object];
    pub const ARRANGED: &[Context] = &[Context::Columns];
}

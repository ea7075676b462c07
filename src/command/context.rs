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
        }
    }

    /// Whether characters are typed here, and so cannot be bound.
    pub fn takes_text(self) -> bool {
        match self {
            Self::Prompt | Self::Palette | Self::Namespaces | Self::ReviewLine => true,
            Self::Global
            | Self::Table
            | Self::Triage
            | Self::Nodes
            | Self::Pods
            | Self::Volumes
            | Self::Workloads
            | Self::Events
            | Self::Services
            | Self::Object
            | Self::Help
            | Self::Notices
            | Self::Columns
            | Self::Review
            | Self::Runs
            | Self::Journal => false,
        }
    }
}

/// Contexts that commands name together.
pub mod scope {
    use super::Context;

    pub const EVERYWHERE: &[Context] = &[
        Context::Triage,
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
        Context::Object,
        Context::Help,
        Context::Notices,
        Context::Prompt,
        Context::Palette,
        Context::Namespaces,
        Context::Columns,
        Context::Review,
        Context::ReviewLine,
        Context::Runs,
        Context::Journal,
    ];
    /// All but where text is typed: there a screen must not change under the hands.
    pub const VIEWS: &[Context] = &[
        Context::Triage,
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
        Context::Object,
        Context::Help,
        Context::Notices,
        Context::Runs,
        Context::Journal,
    ];
    /// What moves a cursor or scrolls, which the palette does as well.
    pub const MOVABLE: &[Context] = &[
        Context::Triage,
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
        Context::Object,
        Context::Help,
        Context::Notices,
        Context::Palette,
        Context::Namespaces,
        Context::Columns,
        Context::Review,
        Context::Runs,
        Context::Journal,
    ];
    pub const LISTS: &[Context] = &[
        Context::Triage,
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
    ];
    pub const COLUMNS: &[Context] = &[
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
    ];
    /// Lists with a column for the name; an event goes by its object.
    pub const NAMED: &[Context] =
        &[Context::Nodes, Context::Pods, Context::Volumes, Context::Workloads, Context::Services];
    pub const NAMESPACED: &[Context] =
        &[Context::Pods, Context::Volumes, Context::Workloads, Context::Services];
    pub const PLACED: &[Context] = &[Context::Pods, Context::Volumes];
    pub const OPENABLE: &[Context] = &[
        Context::Triage,
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
        Context::Object,
        Context::Prompt,
        Context::Palette,
        Context::Namespaces,
        Context::Columns,
        Context::Review,
        Context::ReviewLine,
    ];
    pub const FILTERED: &[Context] = &[
        Context::Triage,
        Context::Nodes,
        Context::Pods,
        Context::Volumes,
        Context::Workloads,
        Context::Events,
        Context::Services,
        Context::Prompt,
        Context::Palette,
        Context::Namespaces,
        Context::ReviewLine,
    ];
    pub const PICKER: &[Context] = &[Context::Namespaces];
    pub const FIELDS: &[Context] = &[Context::Review, Context::ReviewLine];
    pub const RUNS: &[Context] = &[Context::Runs];
    pub const ACTS_ON_NODES: &[Context] = &[Context::Nodes, Context::Object];
    pub const ARRANGED: &[Context] = &[Context::Columns];
}

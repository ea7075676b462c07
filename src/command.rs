//! Command: everything a user can invoke, in one closed list; keys, palette, hints and help are made from it.
//!
//! A command says what it is called and where it applies. What it does is decided in `app`, and which keys
//! invoke it in the keymap. Ids and aliases are what users have in their files and fingers: they never change.

/// Declares an enum together with the list of all its variants, which no test could otherwise know complete.
macro_rules! closed_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant),* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
    };
}

mod context;
mod ui;

pub use context::{Context, scope};
pub use ui::Ui;

use crate::actions::{self, ActionKind};
use crate::cluster::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    Ui(Ui),
    /// Begins the review of a guided action: by itself it changes nothing.
    Act(ActionKind),
}

closed_enum! {
    /// The heading under which help lists a command.
    pub enum Group {
        Screens,
        Move,
        Find,
        Mark,
        Sort,
        Act,
        Repair,
        Program,
    }
}

/// What the registry knows of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    pub id: &'static str,
    /// Imperative and short, for the hint bar.
    pub title: &'static str,
    /// One sentence, for help.
    pub doc: &'static str,
    pub group: Group,
    /// The contexts that can have the focus while this makes sense.
    pub scope: &'static [Context],
    /// More words for it in the palette: those of k9s and kubectl.
    pub aliases: &'static [&'static str],
}

impl Command {
    pub fn all() -> impl Iterator<Item = Self> {
        let acts = ActionKind::ALL.iter().map(|action| Self::Act(*action));
        Ui::ALL.iter().map(|ui| Self::Ui(*ui)).chain(acts)
    }

    pub fn by_id(id: &str) -> Option<Self> {
        Self::all().find(|command| command.spec().id == id)
    }

    /// The command with exactly this id or alias. Likeness is the palette's business.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::all().find(|command| command.words().any(|known| known == word))
    }

    /// Every word that finds this command in the palette, its id first.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let spec = self.spec();
        std::iter::once(spec.id).chain(spec.aliases.iter().copied())
    }

    pub fn applies_in(self, focus: Context) -> bool {
        self.spec().scope.contains(&focus)
    }

    pub fn spec(self) -> Spec {
        match self {
            Self::Ui(ui) => ui.spec(),
            Self::Act(action) => {
                let actions::Spec { id, title, doc, kinds, .. } = action.spec();
                let is_of_revisions = action == ActionKind::Rollback;
                let scope = if is_of_revisions { scope::ROLLS_BACK } else { scope_of(kinds) };
                let group = if action.is_repair() { Group::Repair } else { Group::Act };
                Spec { id, title, doc, group, scope, aliases: &[] }
            }
        }
    }
}

/// Where an action makes sense: the lists of what it is done to, and an open object, which may be one.
fn scope_of(kinds: &[Kind]) -> &'static [Context] {
    if kinds.contains(&Kind::Node) {
        scope::ACTS_ON_NODES
    } else if kinds.contains(&Kind::Deployment) {
        scope::WORKLOADS
    } else if kinds.contains(&Kind::Pod) && kinds.contains(&Kind::VolumeAttachment) {
        &[Context::Pods, Context::Volumes, Context::Object]
    } else if kinds.contains(&Kind::Pod) {
        &[Context::Pods, Context::Object]
    } else if kinds.contains(&Kind::PersistentVolume) || kinds == [Kind::VolumeAttachment] {
        &[Context::Volumes, Context::Object]
    } else {
        &[Context::Object]
    }
}

impl Spec {
    const fn alias(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

impl Group {
    pub fn title(self) -> &'static str {
        match self {
            Self::Screens => "Screens",
            Self::Move => "Move",
            Self::Find => "Find",
            Self::Mark => "Mark",
            Self::Sort => "Sort",
            Self::Act => "Act",
            Self::Repair => "Repair",
            Self::Program => "Program",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn is_kebab_case(word: &str) -> bool {
        word.split('-').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase()))
    }

    #[test]
    fn every_word_finds_one_command() {
        let mut seen = BTreeSet::new();
        for command in Command::all() {
            for word in command.words() {
                assert!(seen.insert(word), "{word} is there twice");
                assert_eq!(Command::by_word(word), Some(command));
            }
            assert_eq!(Command::by_id(command.spec().id), Some(command));
        }
    }

    #[test]
    fn ids_are_kebab_case_and_aliases_are_typed_easily() {
        for command in Command::all() {
            let spec = command.spec();
            assert!(is_kebab_case(spec.id), "{}", spec.id);
            for alias in spec.aliases {
                assert!(is_kebab_case(alias.trim_end_matches('!')), "{alias}");
            }
        }
    }

    #[test]
    fn titles_fit_the_hint_bar_and_docs_are_sentences() {
        for command in Command::all() {
            let Spec { id, title, doc, .. } = command.spec();
            assert!(title.len() <= 18 && title.starts_with(char::is_uppercase), "{id}: {title}");
            assert!(doc.ends_with('.') && doc.starts_with(char::is_uppercase), "{id}: {doc}");
        }
    }

    #[test]
    fn every_command_applies_where_something_can_have_the_focus() {
        for command in Command::all() {
            let Spec { id, scope, .. } = command.spec();
            assert!(!scope.is_empty(), "{id}");
            assert!(!scope.contains(&Context::Global) && !scope.contains(&Context::Table), "{id}");
        }
    }

    #[test]
    fn context_ids_read_back_and_stacks_begin_with_their_own() {
        for context in Context::ALL {
            assert_eq!(Context::by_id(context.id()), Some(*context));
            assert_eq!(context.stack()[0], *context);
        }
    }

    #[test]
    fn words_of_k9s_and_kubectl_open_the_screens() {
        for (word, ui) in [
            ("po", Ui::GoPods),
            ("no", Ui::GoNodes),
            ("pvc", Ui::GoVolumes),
            ("volumeattachments", Ui::GoVolumes),
            ("pulse", Ui::GoTriage),
            ("q!", Ui::Quit),
        ] {
            assert_eq!(Command::by_word(word), Some(Command::Ui(ui)), "{word}");
        }
    }
}

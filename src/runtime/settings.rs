//! What holds of all that can be set: embedded files below, the user's over them, flags on top.
//!
//! Nothing in a file stops the start. What is wrong there is kept as [`Problem`]s and told; what a flag asks for and
//! is not there is wrong usage, because whoever wrote it is still looking.

use crate::app::arranged::{self, Arranged};
use crate::assets;
use crate::cli::Global;
use crate::config::{Config, Folder, Names, Signs, folder};
use crate::keymap::{self, Keymap, Listing};
use crate::problem::{Layers, Problem, choice};
use crate::terminal::Environment;
use crate::theme::{ColorDepth, Theme};
use std::path::PathBuf;

/// Problems that are told one by one on the board; `sickbay check` tells all.
const MOST_NOTICES: usize = 20;

/// What the command line and the environment ask for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The user's folder; nowhere, without a home.
    pub folder: Option<PathBuf>,
    /// Whether the folder was named, and so has to be there.
    pub is_folder_named: bool,
    pub keymap: Option<String>,
    pub theme: Option<String>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum Unusable {
    #[error("there is no folder {}; make it, or leave --config out", .0.display())]
    Folder(PathBuf),
    #[error("there is no {what} `{name}`; {hint}")]
    Name { what: &'static str, name: String, hint: String },
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub config: Config,
    /// Everything that is wrong, in the order of files and lines.
    pub problems: Vec<Problem>,
    /// Where the user's files lie, and what they are called there.
    pub folder: Option<PathBuf>,
    pub files: Vec<String>,
    pub keymaps: Layers,
    pub themes: Layers,
    asked: Asked,
}

impl Asked {
    pub fn by(global: &Global) -> Self {
        let var = |name: &str| std::env::var_os(name);
        let home = std::env::home_dir().map(PathBuf::into_os_string);
        Self {
            folder: global.config.clone().or_else(|| folder::place(var("XDG_CONFIG_HOME"), home)),
            is_folder_named: global.config.is_some(),
            keymap: global.keymap.clone(),
            theme: global.theme.clone(),
        }
    }
}

impl Settings {
    pub fn read(asked: &Asked) -> Result<Self, Unusable> {
        let missing = asked.folder.as_ref().filter(|path| asked.is_folder_named && !path.is_dir());
        if let Some(path) = missing {
            return Err(Unusable::Folder(path.clone()));
        }
        let folder = asked.folder.as_deref().map(Folder::read).unwrap_or_default();
        let settings = Self::of(folder, asked);
        known("keymap", asked.keymap.as_ref(), &settings.keymaps)?;
        known("theme", asked.theme.as_ref(), &settings.themes)?;
        Ok(settings)
    }

    fn of(folder: Folder, asked: &Asked) -> Self {
        let Folder { config, keymaps: own_keymaps, themes: own_themes, others, mut problems } = folder;
        let own = own_keymaps.iter().chain(&own_themes).map(|(_, source)| source);
        let files = config.iter().chain(own).map(|source| source.file.clone()).collect();
        let (mut keymaps, mut themes) = (assets::keymaps(), assets::themes());
        for (name, source) in &own_keymaps {
            keymaps.push(name, source.clone());
        }
        for (name, source) in &own_themes {
            themes.push(name, source.clone());
        }
        let config = config.map_or_else(Config::default, |source| {
            let (keymaps, themes): (Vec<&str>, Vec<&str>) =
                (keymaps.names().collect(), themes.names().collect());
            let columns = arranged::columns();
            let (mut config, wrong) =
                Config::parse(&source, Names { keymaps: &keymaps, themes: &themes, columns: &columns });
            problems.extend(wrong);
            // Whoever can write the file could have anything run.
            if let Some(others) = others.filter(|_| config.has_kits()) {
                config.drop_kits();
                let reason = format!("has commands for machines, and {others}: none of them is run");
                let problem = Problem::new(source.file.as_str(), &[], reason);
                problems.push(problem.with_hint("chmod go-w the file and its folder, and own them"));
            }
            config
        });
        // Each file, in use or not: whoever chooses one tomorrow wants to have heard of it today.
        for (name, _) in &own_keymaps {
            problems.extend(Keymap::load(name, &keymaps).1);
        }
        for (name, _) in &own_themes {
            problems.extend(Theme::load(name, &themes, ColorDepth::Indexed256).1);
        }
        problems.sort_by(|one, other| {
            (&one.file, one.line, &one.place).cmp(&(&other.file, other.line, &other.place))
        });
        // A file that others extend is read for each of them.
        problems.dedup();
        Self { config, problems, folder: asked.folder.clone(), files, keymaps, themes, asked: asked.clone() }
    }

    /// How the config arranges the screens.
    pub fn arranged(&self) -> Arranged {
        Arranged { favourites: self.config.favourites.clone(), columns: self.config.columns.clone() }
    }

    pub fn keymap_name(&self) -> &str {
        let wanted = self.asked.keymap.as_ref().or(self.config.keymap.as_ref());
        wanted.map_or(keymap::DEFAULT, |name| name)
    }

    pub fn keymap(&self) -> Keymap {
        Keymap::load(self.keymap_name(), &self.keymaps).0
    }

    pub fn listing(&self) -> Listing {
        Listing::of(self.keymap_name(), &self.keymaps)
    }

    /// The theme's name, and how many of its colours the terminal gets.
    pub fn theme_name(&self, environment: &Environment) -> (&str, ColorDepth) {
        let wanted = self.asked.theme.as_deref().or(self.config.theme.as_deref());
        // NO_COLOR is for programs that have not been told what to do: a theme that was asked for has its colours.
        let depth = ColorDepth::of(&environment.term, environment.no_color && wanted.is_none());
        match depth {
            // Another theme may tell things apart by colours that the terminal does not have.
            ColorDepth::None => (Theme::name_for(depth), depth),
            ColorDepth::Ansi16 | ColorDepth::Indexed256 => {
                (wanted.unwrap_or_else(|| Theme::name_for(depth)), depth)
            }
        }
    }

    pub fn theme(&self, environment: &Environment) -> Theme {
        let (name, depth) = self.theme_name(environment);
        Theme::load(name, &self.themes, depth).0
    }

    pub fn shows_unicode(&self, environment: &Environment) -> bool {
        match self.config.signs {
            Signs::Auto => environment.shows_unicode(),
            Signs::Unicode => true,
            Signs::Ascii => false,
        }
    }

    /// How much is wrong, and where to read what; for one line.
    pub fn summary(&self) -> String {
        let mut files: Vec<&str> = self.problems.iter().map(|problem| problem.file.as_str()).collect();
        files.dedup();
        let count = |many: usize, word: &str| format!("{many} {word}{}", if many == 1 { "" } else { "s" });
        let (problems, files) = (count(self.problems.len(), "problem"), count(files.len(), "file"));
        let flag = match &self.folder {
            Some(folder) if self.asked.is_folder_named => format!(" --config {}", folder.display()),
            Some(_) | None => String::new(),
        };
        format!("{problems} in {files} of the config; `sickbay check{flag}` tells them")
    }

    /// What the board has to say about it, the most important last: that is what its last line shows.
    pub fn notices(&self) -> Vec<String> {
        if self.problems.is_empty() {
            return Vec::new();
        }
        let told = self.problems.iter().take(MOST_NOTICES).rev().map(ToString::to_string);
        told.chain([self.summary()]).collect()
    }
}

fn known(what: &'static str, name: Option<&String>, layers: &Layers) -> Result<(), Unusable> {
    let Some(name) = name.filter(|name| layers.source(name).is_none()) else { return Ok(()) };
    let hint = choice(name, layers.names().collect::<Vec<_>>());
    Err(Unusable::Name { what, name: name.clone(), hint })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Source;

    #[test]
    fn what_others_can_write_has_nothing_run() {
        const UID: &str = "4f0a2c1e-6d0b-4c57-9c43-0e6f1f0d8a11";
        let probe = "machine: {probe: {command: [ping, '{node}']}}";
        let text = format!("theme: light\nclusters:\n  https://a:1:\n    kube-system: {UID}\n    {probe}\n");
        let settings = |others: Option<&str>| {
            let config = Some(Source { file: "config.yaml".to_owned(), text: text.clone() });
            Settings::of(
                Folder { config, others: others.map(str::to_owned), ..Folder::default() },
                &Asked::default(),
            )
        };
        let own = settings(None);
        assert!(own.problems.is_empty() && !own.config.kit("https://a:1", Some(UID)).commands.is_empty());
        let shared = settings(Some("it can be written by others (mode 666)"));
        assert!(!shared.config.has_kits() && shared.config.theme.is_some(), "the rest holds");
        assert_eq!(
            shared.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "config.yaml: has commands for machines, and it can be written by others (mode 666): none of them is run; \
              chmod go-w the file and its folder, and own them"
            ]
        );
    }
}

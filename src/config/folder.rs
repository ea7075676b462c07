//! The user's folder: where it lies, and the texts in it. What they mean is read elsewhere.
//!
//! Nothing here stops the program: what cannot be read is a [`Problem`], and the rest is read all the same.

use crate::problem::{Problem, Source};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// More than a person writes by hand; a file that is larger is the wrong one.
const LARGEST: u64 = 64 * 1024;
/// Files of one folder that are looked at.
const MOST_FILES: usize = 200;

/// The texts of the folder, and what could not be read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    pub config: Option<Source>,
    /// By name, in the order of names.
    pub keymaps: Vec<(String, Source)>,
    pub themes: Vec<(String, Source)>,
    /// Who else could have written the config, in words; nothing where nobody could.
    pub others: Option<String>,
    pub problems: Vec<Problem>,
}

/// Where the folder lies without a flag: `$XDG_CONFIG_HOME/sickbay`, or `~/.config/sickbay`. Nowhere, without a home.
pub fn place(config_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    place_below(config_home, home, ".config")
}

/// Our folder below the one that a variable names, or below `fallback` in the home.
pub fn place_below(named: Option<OsString>, home: Option<OsString>, fallback: &str) -> Option<PathBuf> {
    // A relative path in the variable is to be ignored, as the specification of these folders says.
    let named = named.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home.filter(|home| !home.is_empty());
    let base = named.or_else(|| home.map(|home| PathBuf::from(home).join(fallback)))?;
    Some(base.join("sickbay"))
}

impl Folder {
    /// Reads what is there. A folder that is not there is empty.
    pub fn read(path: &Path) -> Self {
        let mut folder = Self::default();
        let config = path.join("config.yaml");
        folder.config = folder.text(&config);
        folder.others = folder.config.as_ref().and_then(|_| others(&config));
        let misspelt = path.join("config.yml");
        if misspelt.exists() {
            folder
                .problems
                .push(Problem::new(shown(&misspelt), &[], "is not read").with_hint("call it `config.yaml`"));
        }
        folder.keymaps = folder.texts(&path.join("keymaps"));
        folder.themes = folder.texts(&path.join("themes"));
        folder
    }

    fn texts(&mut self, path: &Path) -> Vec<(String, Source)> {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.problems.push(unreadable(path, &error));
                return Vec::new();
            }
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.sort();
        if paths.len() > MOST_FILES {
            let reason = format!("holds {} files; the first {MOST_FILES} are read", paths.len());
            self.problems.push(Problem::new(shown(path), &[], reason));
            paths.truncate(MOST_FILES);
        }
        let mut texts = Vec::new();
        for path in paths {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let extension = path.extension().and_then(|extension| extension.to_str());
            // What editors and version control leave beside the files.
            if stem.starts_with('.') || path.to_string_lossy().ends_with('~') {
                continue;
            }
            if extension != Some("yaml") {
                let problem =
                    Problem::new(shown(&path), &[], "is not read: its name does not end in `.yaml`");
                self.problems.push(problem.with_hint("rename it or move it elsewhere"));
            } else if let Some(source) = self.text(&path) {
                texts.push((stem, source));
            }
        }
        texts
    }

    fn text(&mut self, path: &Path) -> Option<Source> {
        match text(path) {
            Ok(text) => Some(Source { file: shown(path), text }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => None,
            Err(error) => {
                self.problems.push(unreadable(path, &error));
                None
            }
        }
    }
}

/// Who else can write a file, or put another in its place.
fn others(file: &Path) -> Option<String> {
    // What a link leads to counts, and the folder in which that lies.
    let Ok(file) = file.canonicalize() else { return Some("it cannot be looked at".to_owned()) };
    let user = rustix::process::geteuid().as_raw();
    let folder = file.parent().map(Path::to_path_buf);
    [Some(file), folder].into_iter().flatten().find_map(|path| {
        let Ok(metadata) = std::fs::metadata(&path) else { return Some("it cannot be looked at".to_owned()) };
        let what = if metadata.is_dir() { "its folder" } else { "it" };
        if metadata.uid() != user && metadata.uid() != 0 {
            return Some(format!("{what} belongs to another user"));
        }
        let is_open = metadata.mode() & 0o022 != 0;
        is_open.then(|| format!("{what} can be written by others (mode {:o})", metadata.mode() & 0o7777))
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    // The number that the standard library adds tells nobody anything.
    let text = error.to_string();
    let mut reason = text.split(" (os error").next().unwrap_or(&text).to_owned();
    if let Some(first) = reason.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    Problem::new(shown(path), &[], format!("cannot be read: {reason}"))
}

/// The file's text, where it is a file of text and no larger than one is.
fn text(path: &Path) -> io::Result<String> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    // A pipe would be waited for, and a device has no end.
    if !metadata.is_file() {
        return Err(io::Error::other("it is not an ordinary file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it is larger than {} KiB", LARGEST / 1024)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..at]).matches('\n').count() + 1;
        io::Error::other(format!("it is not UTF-8: line {line} has other bytes"))
    })
}

/// A path as text: its name may hold anything, and a report goes to a terminal.
fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_folder_lies_where_the_system_says() {
        let place = |xdg: Option<&str>, home: Option<&str>| place(xdg.map(Into::into), home.map(Into::into));
        assert_eq!(place(Some("/c"), Some("/h")), Some("/c/sickbay".into()));
        assert_eq!(place(None, Some("/h")), Some("/h/.config/sickbay".into()));
        assert_eq!(place(Some("c"), Some("/h")), Some("/h/.config/sickbay".into()));
        assert_eq!(place(Some(""), Some("")), None);
        assert_eq!(place(None, None), None);
    }

    #[test]
    fn who_else_can_write_the_config_is_known() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("sickbay");
        let file = folder.join("config.yaml");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&file, "").unwrap();
        let others = |file_mode, folder_mode| {
            let set =
                |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            set(&file, file_mode);
            set(&folder, folder_mode);
            Folder::read(&folder).others
        };
        assert_eq!(others(0o644, 0o755), None);
        assert_eq!(others(0o600, 0o700), None);
        let word = |others: Option<String>| others.unwrap_or_default();
        assert_eq!(word(others(0o664, 0o755)), "it can be written by others (mode 664)");
        assert_eq!(word(others(0o646, 0o755)), "it can be written by others (mode 646)");
        assert_eq!(word(others(0o644, 0o777)), "its folder can be written by others (mode 777)");
        // What a link leads to counts.
        let linked = home.path().join("linked");
        std::fs::create_dir(&linked).unwrap();
        std::os::unix::fs::symlink(&file, linked.join("config.yaml")).unwrap();
        assert!(Folder::read(&linked).others.is_some());
    }

    #[test]
    fn a_folder_that_is_not_there_is_empty() {
        assert_eq!(Folder::read(Path::new("/nowhere/sickbay")), Folder::default());
    }
}

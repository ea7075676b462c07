//! State: what the operator arranged on the screen, kept from one start to the next.
//!
//! It is written by the program and not by people, so it is no part of the config: what cannot be read is told and
//! counts as nothing. What it means is the application's business.

use crate::app::arranged::Arranged;
use crate::config::folder;
use anyhow::{Context as _, bail};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// More than could ever be arranged.
const LARGEST: u64 = 64 * 1024;

/// Where it lies: `$XDG_STATE_HOME/sickbay`, or `~/.local/state/sickbay`. Nowhere, without a home.
pub fn place(state_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    folder::place_below(state_home, home, ".local/state")
}

/// What was kept in a folder; nothing where there is none yet.
pub fn read(folder: &Path) -> anyhow::Result<Arranged> {
    let path = folder.join("arranged.yaml");
    let text = match fs::File::open(&path) {
        Ok(file) => {
            let mut text = String::new();
            let read = file.take(LARGEST + 1).read_to_string(&mut text);
            read.with_context(|| format!("{} cannot be read; remove it to be rid of this", path.display()))?;
            text
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arranged::default()),
        Err(error) => bail!("{} cannot be read: {error}", path.display()),
    };
    if text.len() as u64 > LARGEST {
        bail!("{} is too large to be ours; remove it to be rid of this", path.display());
    }
    serde_yaml::from_str(&text)
        .with_context(|| format!("{} is not what sickbay wrote; remove it to be rid of this", path.display()))
}

/// Keeps it, whole or not at all: for the user alone, and in one step.
pub fn write(folder: &Path, arranged: &Arranged) -> anyhow::Result<()> {
    let path = folder.join("arranged.yaml");
    let written = || -> anyhow::Result<()> {
        let text = serde_yaml::to_string(arranged)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Another session may be writing too.
        let draft = folder.join(format!("arranged.yaml.{}", std::process::id()));
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        Ok(fs::rename(&draft, &path)?)
    };
    written().with_context(|| format!("{} could not be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn arranged() -> Arranged {
        Arranged {
            favourites: Some(vec!["shop".to_owned()]),
            columns: [("pods".to_owned(), vec!["name".to_owned()])].into(),
        }
    }

    #[test]
    fn what_is_kept_is_found_again_and_is_the_users_own() {
        let home = tempfile::tempdir().unwrap();
        let folder = place(None, Some(home.path().into())).unwrap();
        assert_eq!(read(&folder).unwrap(), Arranged::default());
        write(&folder, &arranged()).unwrap();
        assert_eq!(read(&folder).unwrap(), arranged());
        let mode = fs::metadata(folder.join("arranged.yaml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn what_others_wrote_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["columns: 7", "surprise: {}", "[", "\u{0}"] {
            fs::write(folder.path().join("arranged.yaml"), text).unwrap();
            let told = read(folder.path()).unwrap_err().to_string();
            assert!(told.contains("arranged.yaml is not what sickbay wrote"), "{told}");
        }
        fs::write(folder.path().join("arranged.yaml"), "#".repeat(70_000)).unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("too large"));
    }
}

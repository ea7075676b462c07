//! The journal on disk: one line of JSON a record, in one file a process, for the user alone.
//!
//! A file is locked while the program that writes it lives, so whoever reads can tell a run that goes on from one that
//! was cut off. It deliberately knows nothing of what is recorded.

use crate::actions::{Record, RunId};
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Older files than so many are left unread.
const MOST_FILES: usize = 500;
/// The most that is read of one file.
const LARGEST: u64 = 16 << 20;

/// Where journals lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Each process has a file of its own in it.
    Folder(PathBuf),
    /// This file, which was asked for.
    File(PathBuf),
    /// There is no home to put it into.
    Nowhere,
}

/// The journal of this process. The file is there from the first record on.
#[derive(Debug)]
pub struct Journal {
    place: Place,
    /// What the file in a folder is called.
    name: String,
    file: Option<File>,
}

impl Journal {
    pub fn new(place: Place, name: impl Into<String>) -> Self {
        Self { place, name: name.into(), file: None }
    }

    /// Writes a record, and returns when it is on disk.
    pub fn write(&mut self, record: &Record) -> anyhow::Result<()> {
        let path = self.path()?;
        let mut written = || -> anyhow::Result<()> {
            let mut line = serde_json::to_string(record)?;
            line.push('\n');
            if self.file.is_none() {
                self.file = Some(open(&self.place, &path)?);
            }
            if let Some(file) = &mut self.file {
                // In one write: a line is there whole or not at all.
                file.write_all(line.as_bytes())?;
                file.sync_data()?;
            }
            Ok(())
        };
        let context =
            || format!("the journal {} cannot be written; give another one with --journal", path.display());
        written().with_context(context)
    }

    fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Ok(folder.join(&self.name)),
            Place::File(path) => Ok(path.clone()),
            Place::Nowhere => {
                bail!("there is no place for the journal: set XDG_STATE_HOME or give --journal")
            }
        }
    }
}

fn open(place: &Place, path: &Path) -> anyhow::Result<File> {
    if let Place::Folder(folder) = place {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another sickbay is writing it"),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// What journals tell.
#[derive(Debug, Default)]
pub struct Reading {
    /// Oldest file first, each in its order.
    pub records: Vec<Record>,
    /// The runs of programs that are still there.
    alive: BTreeSet<RunId>,
    /// What could not be read, and why.
    pub problems: Vec<String>,
}

impl Reading {
    pub fn is_alive(&self, run: &RunId) -> bool {
        self.alive.contains(run)
    }
}

/// Reads what is there. What cannot be read is told, and the rest is read all the same.
pub fn read(place: &Place) -> Reading {
    let mut reading = Reading::default();
    let files = match place {
        Place::Folder(folder) => files(folder, &mut reading),
        Place::File(path) => vec![path.clone()],
        Place::Nowhere => Vec::new(),
    };
    for path in files {
        if let Err(error) = read_file(&path, &mut reading) {
            reading.problems.push(format!("the journal {} cannot be read: {error}", path.display()));
        }
    }
    reading
}

/// The journals of a folder, by name and so by date.
fn files(folder: &Path, reading: &mut Reading) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                reading
                    .problems
                    .push(format!("the journals in {} cannot be read: {error}", folder.display()));
            }
            return Vec::new();
        }
    };
    let is_journal = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_journal).collect();
    files.sort();
    let surplus = files.len().saturating_sub(MOST_FILES);
    files.drain(..surplus);
    files
}

fn read_file(path: &Path, reading: &mut Reading) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_alive = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Record>(line) {
            Ok(record) => {
                if is_alive {
                    reading.alive.insert(record.run.clone());
                }
                reading.records.push(record);
            }
            Err(error) => {
                let place = format!("{}:{}", path.display(), at + 1);
                reading.problems.push(format!("{place}: a record that cannot be read was skipped: {error}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Outcome;
    use crate::actions::audit::{Ended, Entry};
    use std::os::unix::fs::PermissionsExt as _;

    fn record(run: &str) -> Record {
        let ended = Ended { outcome: Outcome::Done, done: 1, not_done: 0 };
        Record {
            run: RunId::new(run),
            at: "2026-11-21T15:54:00Z".parse().unwrap(),
            entry: Entry::Ended(ended),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_is_the_users_own() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("state");
        let place = Place::Folder(folder.clone());
        assert_eq!(read(&place).records, []);
        let mut journal = Journal::new(place.clone(), "one.jsonl");
        journal.write(&record("a-1")).unwrap();
        journal.write(&record("a-2")).unwrap();
        let reading = read(&place);
        assert_eq!(reading.records, [record("a-1"), record("a-2")]);
        assert!(reading.is_alive(&RunId::new("a-1")), "its program is still there");
        drop(journal);
        assert!(!read(&place).is_alive(&RunId::new("a-1")));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("one.jsonl"))), (0o700, 0o600));
    }

    #[test]
    fn a_file_that_another_one_writes_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("mine.jsonl"));
        let mut first = Journal::new(place.clone(), "");
        first.write(&record("a-1")).unwrap();
        let told = format!("{:#}", Journal::new(place, "").write(&record("b-1")).unwrap_err());
        assert!(told.contains("mine.jsonl cannot be written; give another one with --journal"), "{told}");
        assert!(told.contains("another sickbay is writing it"), "{told}");
    }

    #[test]
    fn a_line_that_was_cut_off_is_told_and_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.jsonl");
        let whole = serde_json::to_string(&record("a-1")).unwrap();
        fs::write(&path, format!("{whole}\n{}", &whole[..20])).unwrap();
        let reading = read(&Place::File(path));
        assert_eq!(reading.records, [record("a-1")]);
        assert!(
            reading.problems[0].contains("cut.jsonl:2: a record that cannot be read"),
            "{:?}",
            reading.problems
        );
    }

    #[test]
    fn without_a_place_nothing_is_written_and_it_says_what_to_do() {
        let told = Journal::new(Place::Nowhere, "x").write(&record("a-1")).unwrap_err().to_string();
        assert_eq!(told, "there is no place for the journal: set XDG_STATE_HOME or give --journal");
    }
}

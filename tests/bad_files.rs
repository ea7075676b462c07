//! Files that are wrong, each with the exact report beside it; and the start, which none of them stops.
//!
//! `tests/fixtures/bad` holds one file a case for config, keymaps and themes, and whole folders where a case needs
//! more than one file. After a change of words: `UPDATE=1 cargo test --test bad_files`, and read what became of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "generated/file.rs"]
mod generated;

use sickbay::app::layout::Size;
use sickbay::app::link::Session;
use sickbay::app::{App, Msg};
use sickbay::cluster::Timers;
use sickbay::keymap::Keymap;
use sickbay::runtime::settings::{Asked, Settings};
use sickbay::terminal::Environment;
use sickbay::theme::{ColorDepth, Glyphs, Theme};
use sickbay::ui::{self, Cache, Look};
use std::fs;
use std::path::{Path, PathBuf};

const FIXTURES: &str = "tests/fixtures/bad";

/// What a folder's files make, with its path left out of the report.
fn settings(folder: &Path) -> (Settings, String) {
    let asked = Asked { folder: Some(folder.to_owned()), ..Asked::default() };
    let settings = Settings::read(&asked).unwrap();
    let prefix = format!("{}/", folder.display());
    let report =
        settings.problems.iter().map(|problem| format!("{problem}\n").replace(&prefix, "")).collect();
    (settings, report)
}

/// The cases of one group: the path of each without its ending.
fn cases(group: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES).join(group);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases = entries.filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "yaml"));
    let mut names: Vec<String> =
        cases.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// A folder of the user's with this one file in it.
fn lay(group: &str, name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let to = match group {
        "config" => "config.yaml".to_owned(),
        group => {
            fs::create_dir(folder.path().join(group)).unwrap();
            format!("{group}/{name}.yaml")
        }
    };
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES).join(group).join(format!("{name}.yaml"));
    fs::copy(from, folder.path().join(to)).unwrap();
    folder
}

/// The board starts on what these settings leave, and its header says how much is wrong.
#[track_caller]
fn starts(settings: &Settings, case: &str) {
    let many = settings.problems.len();
    let environment = Environment {
        stdin_is_terminal: true,
        stdout_is_terminal: true,
        term: "xterm-256color".to_owned(),
        locale: "C.UTF-8".to_owned(),
        ..Environment::default()
    };
    let session = Session { config_problems: many, ..Session::default() };
    let now = "2026-03-01T03:22:00Z".parse().unwrap();
    let mut app = App::new(session, settings.keymap(), Timers::default(), now);
    app.update(Msg::Resize(Size { width: 80, height: 24 }), now);
    app.settle();
    let look = Look { theme: settings.theme(&environment), glyphs: Glyphs::UNICODE };
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| ui::draw(&app, &look, &mut Cache::default(), frame)).unwrap();
    let screen: String = terminal.backend().buffer().content().iter().map(|cell| cell.symbol()).collect();
    assert!(screen.contains(&format!("config: {many} problem")), "{case}: {screen}");
}

fn corpus(group: &str) {
    for name in cases(group) {
        let folder = lay(group, &name);
        let (settings, report) = settings(folder.path());
        assert!(!settings.problems.is_empty(), "{group}/{name} has no problem");
        generated::is_up_to_date(&format!("{FIXTURES}/{group}/{name}.txt"), &report, "bad_files");
        starts(&settings, &name);
    }
}

#[test]
fn every_bad_config_is_told_exactly_and_the_board_starts() {
    corpus("config");
}

#[test]
fn every_bad_keymap_is_told_exactly_and_the_board_starts() {
    corpus("keymaps");
}

#[test]
fn every_bad_theme_is_told_exactly_and_the_board_starts() {
    corpus("themes");
}

#[test]
fn every_bad_folder_is_told_exactly_and_the_board_starts() {
    for name in cases("folders") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES).join("folders").join(&name);
        let (settings, report) = settings(&folder);
        assert!(!settings.problems.is_empty(), "{name} has no problem");
        generated::is_up_to_date(&format!("{FIXTURES}/folders/{name}.txt"), &report, "bad_files");
        starts(&settings, &name);
    }
}

#[test]
fn the_corpus_is_as_large_as_it_should_be() {
    let many: usize = ["config", "keymaps", "themes", "folders"].map(|group| cases(group).len()).iter().sum();
    assert!(many >= 30, "{many}");
}

/// A report goes to a terminal: a name in a file may not steer it.
#[test]
fn no_report_holds_what_steers_a_terminal() {
    for group in ["config", "keymaps", "themes"] {
        for name in cases(group) {
            let (_, report) = settings(lay(group, &name).path());
            assert!(!report.chars().any(|c| c.is_control() && c != '\n'), "{group}/{name}: {report:?}");
        }
    }
}

fn write(folder: &Path, file: &str, text: &str) -> PathBuf {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn what_cannot_be_read_is_told_without_being_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "config.yaml", &"# \n".repeat(30_000));
    fs::create_dir(folder.path().join("keymaps")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("keymaps/gone.yaml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("keymaps/zero.yaml")).unwrap();
    let (settings, report) = settings(folder.path());
    assert_eq!(
        report,
        "config.yaml: cannot be read: it is larger than 64 KiB\n\
         keymaps/gone.yaml: cannot be read: no such file or directory\n\
         keymaps/zero.yaml: cannot be read: it is not an ordinary file\n"
    );
    starts(&settings, "unreadable");
}

#[test]
fn a_thousand_problems_are_told_and_do_not_hold_up_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..5_000).map(|number| format!("x{number}: 1")).collect();
    write(folder.path(), "config.yaml", &lines.join("\n"));
    let (settings, _) = settings(folder.path());
    assert_eq!(settings.problems.len(), 5_000);
    assert!(settings.notices().len() <= 30);
    starts(&settings, "thousands");
}

#[test]
fn good_files_of_the_users_own_are_used() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "config.yaml", "keymap: mine\ntheme: default-like\nglyphs: ascii\n");
    write(folder.path(), "keymaps/mine.yaml", "extends: vim\nglobal: {x: open}\n");
    // Under the name of an embedded one it lies over that, and may extend it.
    write(folder.path(), "keymaps/vim.yaml", "extends: vim\nglobal: {w: redraw}\n");
    write(folder.path(), "themes/default-like.yaml", "extends: light\ntext: 18\n");
    let (settings, report) = settings(folder.path());
    assert_eq!(report, "");
    assert_eq!(settings.keymap(), Keymap::load("mine", &settings.keymaps).0);
    let keys: Vec<String> = settings.listing().bound.iter().map(|bound| bound.keys.to_string()).collect();
    for key in ["x", "w", "g g"] {
        assert!(keys.iter().any(|bound| bound == key), "{key} in {keys:?}");
    }
    let environment = Environment { term: "xterm-256color".to_owned(), ..Environment::default() };
    let mine = Theme::load("default-like", &settings.themes, ColorDepth::Indexed256).0;
    assert_eq!(settings.theme(&environment), mine);
    assert!(!settings.shows_unicode(&Environment { locale: "C.UTF-8".to_owned(), ..environment }));
}

#[test]
fn the_examples_of_the_readme_are_good() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let blocks = readme.split("```yaml\n# ").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<(&str, &str)> = blocks.filter_map(|block| block.split_once('\n')).collect();
    assert_eq!(examples.len(), 3, "{examples:?}");
    for (file, text) in examples {
        write(folder.path(), file, text);
    }
    let (settings, report) = settings(folder.path());
    assert_eq!(report, "");
    assert_eq!(settings.files.len(), 3);
}

#[test]
fn flags_win_over_the_file_and_the_file_over_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "config.yaml", "keymap: vim\ntheme: light\n");
    let asked = Asked { folder: Some(folder.path().to_owned()), ..Asked::default() };
    let terminal =
        |term: &str, no_color| Environment { term: term.to_owned(), no_color, ..Environment::default() };
    let theme = |asked: &Asked, environment: &Environment| {
        Settings::read(asked).unwrap().theme_name(environment).0.to_owned()
    };
    let flag =
        Asked { keymap: Some("default".to_owned()), theme: Some("ansi16".to_owned()), ..asked.clone() };
    let xterm = terminal("xterm-256color", false);
    assert_eq!(theme(&flag, &xterm), "ansi16");
    assert_eq!(theme(&asked, &xterm), "light");
    assert_eq!(theme(&Asked::default(), &xterm), "dark");
    assert_eq!(theme(&Asked::default(), &terminal("linux", false)), "ansi16");
    assert_eq!(theme(&Asked::default(), &terminal("xterm-256color", true)), "mono");
    // NO_COLOR is what holds unless something is asked for; a terminal without colours has none to give.
    assert_eq!(theme(&asked, &terminal("xterm-256color", true)), "light");
    assert_eq!(theme(&flag, &terminal("vt220", false)), "mono");
    assert_eq!(Settings::read(&flag).unwrap().keymap_name(), "default");
    assert_eq!(Settings::read(&asked).unwrap().keymap_name(), "vim");
}

#[test]
fn a_flag_that_names_nothing_is_wrong_usage() {
    let keymap = Asked { keymap: Some("vmi".to_owned()), ..Asked::default() };
    assert_eq!(
        Settings::read(&keymap).unwrap_err().to_string(),
        "there is no keymap `vmi`; did you mean `vim`?"
    );
    let theme = Asked { theme: Some("solarized".to_owned()), ..Asked::default() };
    assert_eq!(
        Settings::read(&theme).unwrap_err().to_string(),
        "there is no theme `solarized`; there is ansi16, dark, light, mono"
    );
    let folder = Asked { folder: Some("/nowhere".into()), is_folder_named: true, ..Asked::default() };
    assert_eq!(
        Settings::read(&folder).unwrap_err().to_string(),
        "there is no folder /nowhere; make it, or leave --config out"
    );
}

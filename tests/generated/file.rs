//! Files of the repository that a test makes: compared on each run, written when asked to.

use std::path::Path;

/// Fails where a file is not what is made today; with `UPDATE` in the environment it writes it instead.
#[track_caller]
pub fn is_up_to_date(path: &str, made: &str, test: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let kept = std::fs::read_to_string(&full).unwrap_or_default();
    if kept == made {
        return;
    }
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(&full, made).unwrap();
    }
    let same = kept.lines().zip(made.lines()).take_while(|(kept, made)| kept == made).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("nothing").to_owned();
    panic!(
        "{path} is not up to date: line {} is\n  {}\nand should be\n  {}\nrun `UPDATE=1 cargo test --test {test}` and look at the difference",
        same + 1,
        line(&kept),
        line(made),
    );
}

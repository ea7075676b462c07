//! The keymaps and themes that are compiled in. A file put into one of the two folders is found without a line
//! of code. What the user has lies over them and is read elsewhere.

use crate::problem::{Layers, Source};
use include_dir::{Dir, include_dir};

static KEYMAPS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/keymaps");
static THEMES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/themes");

/// The embedded keymaps, as the ground for the user's own.
pub fn keymaps() -> Layers {
    layers("keymaps", &KEYMAPS)
}

/// The embedded themes, as the ground for the user's own.
pub fn themes() -> Layers {
    layers("themes", &THEMES)
}

fn layers(folder: &str, dir: &Dir<'_>) -> Layers {
    let mut layers = Layers::new();
    for file in dir.files() {
        let path = file.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml");
        let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_yaml);
        // A test holds every file to its name and its encoding.
        if let (Some(name), Some(text)) = (name, file.contents_utf8()) {
            layers.push(name, Source { file: format!("{folder}/{name}.yaml"), text: text.to_owned() });
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folders_is_found() {
        for (dir, layers) in [(&KEYMAPS, keymaps()), (&THEMES, themes())] {
            assert_eq!(layers.names().count(), dir.entries().len());
        }
    }
}

//! Every keymap and theme in the repository loads without a complaint.

use sickbay::assets;
use sickbay::keymap::Keymap;
use sickbay::theme::{ColorDepth, Theme};

#[test]
fn every_keymap_loads_without_a_problem() {
    let keymaps = assets::keymaps();
    for name in keymaps.names() {
        assert_eq!(Keymap::load(name, &keymaps).1, [], "{name}");
    }
}

#[test]
fn every_theme_loads_without_a_problem_at_every_depth() {
    let themes = assets::themes();
    for name in themes.names() {
        for depth in [ColorDepth::None, ColorDepth::Ansi16, ColorDepth::Indexed256] {
            assert_eq!(Theme::load(name, &themes, depth).1, [], "{name} at {depth:?}");
        }
    }
}

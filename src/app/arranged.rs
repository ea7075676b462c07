//! What the operator arranged on the screen and expects to find again: a plain value to be kept elsewhere.

use super::App;
use super::columns::choice::Columns;
use super::screen::Screen;
use crate::cluster::Text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is not in it stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Arranged {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub favourites: Option<Vec<String>>,
    /// The columns of a screen, by the screen's name; none means the screen's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Vec<String>>,
}

impl Arranged {
    /// What differs from another, so that what nobody touched can still be set elsewhere.
    pub fn beyond(&self, base: &Self) -> Self {
        let none = Vec::new();
        let is_new =
            |screen: &String, shown: &Vec<String>| base.columns.get(screen).unwrap_or(&none) != shown;
        let columns = self.columns.iter().filter(|(screen, shown)| is_new(screen, shown));
        let favourites =
            self.favourites.as_ref().filter(|names| **names != base.favourites.clone().unwrap_or_default());
        Self {
            favourites: favourites.cloned(),
            columns: columns.map(|(screen, shown)| (screen.clone(), shown.clone())).collect(),
        }
    }
}

/// The names of the screens that have columns, each with the ids of its columns.
pub fn columns() -> Vec<(String, Vec<&'static str>)> {
    let screens = Screen::ALL.into_iter().filter_map(|screen| Some((screen, screen.lister()?)));
    screens
        .map(|(screen, lister)| (name(screen), lister.headings().iter().map(|heading| heading.id).collect()))
        .collect()
}

fn name(screen: Screen) -> String {
    screen.title().to_lowercase()
}

impl App {
    /// How things are arranged now, all of it.
    pub fn arranged(&self) -> Arranged {
        let favourites = self.namespaces.favourites.iter().map(ToString::to_string).collect();
        let views = Screen::ALL.into_iter().filter_map(|screen| Some((screen, self.views.get(screen)?)));
        Arranged {
            favourites: Some(favourites),
            columns: views.map(|(screen, view)| (name(screen), view.columns.shown.clone())).collect(),
        }
    }

    pub fn restore(&mut self, arranged: &Arranged) {
        if let Some(favourites) = &arranged.favourites {
            self.namespaces.favourites = favourites.iter().map(|name| Text::new(name)).collect();
        }
        for screen in Screen::ALL {
            if let (Some(view), Some(shown)) =
                (self.views.get_mut(screen), arranged.columns.get(&name(screen)))
            {
                view.columns = Columns { shown: shown.clone() };
            }
        }
        self.is_reordered = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(favourites: &[&str], pods: &[&str]) -> Arranged {
        let own = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Arranged { favourites: Some(own(favourites)), columns: [("pods".to_owned(), own(pods))].into() }
    }

    #[test]
    fn only_what_was_touched_is_beyond_what_is_set() {
        let set = arranged(&["shop"], &["name"]);
        assert_eq!(set.beyond(&set), Arranged::default());
        assert_eq!(arranged(&[], &[]).beyond(&Arranged::default()), Arranged::default());
        let touched = arranged(&["shop"], &[]);
        assert_eq!(touched.beyond(&set), Arranged { favourites: None, ..touched });
        let touched = arranged(&[], &["name"]);
        assert_eq!(touched.beyond(&set), Arranged { columns: BTreeMap::new(), ..touched });
    }
}

//! Which columns a screen shows and in which order, where somebody chose: a value that can be remembered.

use super::Heading;
use serde::{Deserialize, Serialize};

/// The ids of the columns that are shown, from the left. None: the screen's own, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    #[serde(default)]
    pub shown: Vec<String>,
}

impl Columns {
    pub const fn is_chosen(&self) -> bool {
        !self.shown.is_empty()
    }

    /// The places of what is shown in the screen's table. What it does not know is left out, and its name never.
    pub fn places(&self, headings: &[Heading]) -> Vec<usize> {
        if !self.is_chosen() {
            return (0..headings.len()).collect();
        }
        let mut places: Vec<usize> = Vec::new();
        for id in &self.shown {
            match headings.iter().position(|heading| heading.id == *id) {
                Some(place) if !places.contains(&place) => places.push(place),
                Some(_) | None => {}
            }
        }
        let name = name_of(headings);
        if !places.contains(&name) {
            places.insert(0, name);
        }
        places
    }

    /// The headings as they are shown. In an order of one's own, what stands further to the right is needed less.
    pub fn headings(&self, headings: &[Heading]) -> Vec<Heading> {
        let name = name_of(headings);
        let shown = self.places(headings).into_iter().zip(1..=u8::MAX);
        shown
            .filter_map(|(place, rank)| {
                let heading = *headings.get(place)?;
                let drop = if place == name { 0 } else { rank };
                Some(if self.is_chosen() { Heading { drop, ..heading } } else { heading })
            })
            .collect()
    }

    /// All columns as a list to choose from: what is shown first, each with whether it is.
    pub fn all(&self, headings: &[Heading]) -> Vec<(Heading, bool)> {
        let shown = self.places(headings);
        let hidden = (0..headings.len()).filter(|place| !shown.contains(place));
        let places = shown.iter().map(|place| (*place, true)).chain(hidden.map(|place| (place, false)));
        places.filter_map(|(place, is_shown)| Some((*headings.get(place)?, is_shown))).collect()
    }

    /// Shows or hides the column at a place of that list; false for the name, which stays.
    pub fn toggle(&mut self, at: usize, headings: &[Heading]) -> bool {
        let all = self.all(headings);
        let Some((heading, is_shown)) = all.get(at) else { return false };
        if headings.get(name_of(headings)).is_some_and(|name| name.id == heading.id) {
            return false;
        }
        let mut shown = ids(&all);
        if *is_shown {
            shown.retain(|id| *id != heading.id);
        } else {
            shown.push(heading.id.to_owned());
        }
        self.shown = shown;
        true
    }

    /// Moves a shown column one place; where it is then.
    pub fn shift(&mut self, at: usize, by: isize, headings: &[Heading]) -> usize {
        let mut shown = ids(&self.all(headings));
        let to = at.saturating_add_signed(by);
        if at >= shown.len() || to >= shown.len() {
            return at;
        }
        shown.swap(at, to);
        self.shown = shown;
        to
    }
}

fn ids(all: &[(Heading, bool)]) -> Vec<String> {
    all.iter().filter(|(_, is_shown)| *is_shown).map(|(heading, _)| heading.id.to_owned()).collect()
}

/// What a row cannot be told by without: the first column that is never dropped.
fn name_of(headings: &[Heading]) -> usize {
    headings.iter().position(|heading| heading.drop == 0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [Heading; 4] = [
        Heading::new("namespace", "NAMESPACE", (9, 9), 3),
        Heading::new("name", "NAME", (9, 9), 0),
        Heading::new("status", "STATUS", (9, 9), 0),
        Heading::new("node", "NODE", (9, 9), 1),
    ];

    fn shown(columns: &Columns) -> Vec<(&'static str, u8)> {
        columns.headings(&HEADINGS).iter().map(|heading| (heading.id, heading.drop)).collect()
    }

    fn chosen(ids: &[&str]) -> Columns {
        Columns { shown: ids.iter().map(|id| (*id).to_owned()).collect() }
    }

    #[test]
    fn nothing_chosen_is_everything_in_its_own_order() {
        assert_eq!(shown(&Columns::default()), [("namespace", 3), ("name", 0), ("status", 0), ("node", 1)]);
    }

    #[test]
    fn a_choice_drops_from_the_right_and_keeps_the_name() {
        assert_eq!(shown(&chosen(&["node", "name", "status"])), [("node", 1), ("name", 0), ("status", 3)]);
        assert_eq!(shown(&chosen(&["node", "colour", "node"])), [("name", 0), ("node", 2)]);
    }

    #[test]
    fn columns_are_hidden_shown_and_moved_and_the_name_stays() {
        let mut columns = Columns::default();
        assert!(!columns.toggle(1, &HEADINGS));
        assert!(columns.toggle(0, &HEADINGS));
        assert_eq!(columns, chosen(&["name", "status", "node"]));
        assert_eq!(columns.shift(2, -1, &HEADINGS), 1);
        assert_eq!(columns, chosen(&["name", "node", "status"]));
        assert!(columns.toggle(3, &HEADINGS));
        assert_eq!(columns, chosen(&["name", "node", "status", "namespace"]));
        assert_eq!(columns.shift(3, 1, &HEADINGS), 3);
    }
}

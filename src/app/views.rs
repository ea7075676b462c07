//! The lists with columns: one view for each screen that has one, and what it lists.
//!
//! A screen is added here by one arm. What its rows are is said in `columns`, where its cursor is in `view`.

use super::columns::events::Events;
use super::columns::nodes::Nodes;
use super::columns::pods::Pods;
use super::columns::services::Services;
use super::columns::volumes::Volumes;
use super::columns::workloads::Workloads;
use super::columns::{self, Heading, Listing, Look};
use super::filter::Field;
use super::screen::Screen;
use super::view::{Grid, View};

/// What a screen lists, with the kind of its rows left behind.
#[derive(Clone, Copy, Debug)]
pub struct Lister {
    refresh: fn(&mut View, &Look<'_>),
    grid: fn(&View, &Look<'_>, usize) -> Grid,
    headings: fn() -> Vec<Heading>,
    fields: fn() -> Vec<Field>,
}

impl Lister {
    const fn of<L: Listing>() -> Self {
        Self {
            refresh: View::refresh::<L>,
            grid: View::grid::<L>,
            headings: || L::COLUMNS.iter().map(|(_, heading)| *heading).collect(),
            fields: columns::fields::<L>,
        }
    }

    pub fn headings(&self) -> Vec<Heading> {
        (self.headings)()
    }

    /// What a filter may ask for.
    pub fn fields(&self) -> Vec<Field> {
        (self.fields)()
    }
}

impl Screen {
    /// What is listed on it; `None` where there are no columns.
    pub const fn lister(self) -> Option<Lister> {
        match self {
            Self::Triage => None,
            Self::Nodes => Some(Lister::of::<Nodes>()),
            Self::Pods => Some(Lister::of::<Pods>()),
            Self::Volumes => Some(Lister::of::<Volumes>()),
            Self::Workloads => Some(Lister::of::<Workloads>()),
            Self::Events => Some(Lister::of::<Events>()),
            Self::Services => Some(Lister::of::<Services>()),
        }
    }
}

#[derive(Debug)]
pub struct Views {
    views: [View; Screen::ALL.len()],
}

impl Default for Views {
    fn default() -> Self {
        Self { views: Screen::ALL.map(|screen| View::sorted_by(first_sort(screen))) }
    }
}

/// The column that a list is sorted by before anybody says otherwise.
fn first_sort(screen: Screen) -> usize {
    let headings = screen.lister().map_or_else(Vec::new, |lister| lister.headings());
    let column = |id: &str| headings.iter().position(|heading| heading.id == id).unwrap_or(0);
    match screen {
        Screen::Workloads => column("status"),
        Screen::Events => column("age"),
        Screen::Triage | Screen::Nodes | Screen::Pods | Screen::Volumes | Screen::Services => 0,
    }
}

impl Views {
    pub const fn get(&self, screen: Screen) -> Option<&View> {
        match screen.lister() {
            Some(_) => Some(&self.views[screen as usize]),
            None => None,
        }
    }

    pub const fn get_mut(&mut self, screen: Screen) -> Option<&mut View> {
        match screen.lister() {
            Some(_) => Some(&mut self.views[screen as usize]),
            None => None,
        }
    }

    /// Makes a screen's list anew.
    pub fn refresh(&mut self, screen: Screen, look: &Look<'_>) {
        if let Some(lister) = screen.lister() {
            (lister.refresh)(&mut self.views[screen as usize], look);
        }
    }

    /// What a screen draws of its list.
    pub fn grid(&self, screen: Screen, look: &Look<'_>, lines: usize) -> Option<Grid> {
        screen.lister().map(|lister| (lister.grid)(&self.views[screen as usize], look, lines))
    }

    pub fn scroll(&mut self, lines: usize) {
        for view in &mut self.views {
            view.scroll(lines);
        }
    }
}

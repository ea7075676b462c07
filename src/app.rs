//! The application as a value: what is known, what is shown, and what every message makes of both.
//!
//! `update` takes a message and the time and returns what the shell should carry out; `settle` makes what is shown
//! anew from what is known, once per batch and before drawing. Nothing here reads a clock, draws or waits.

pub mod acting;
pub mod arranged;
pub mod attention;
pub mod columns;
pub mod concerned;
pub mod filter;
pub mod inquest;
pub mod layout;
pub mod link;
pub mod marks;
pub mod namespaces;
pub mod notice;
pub mod object;
pub mod palette;
pub mod patch;
pub mod review;
pub mod revisions;
pub mod screen;
pub mod subject;
pub mod time;
pub mod triage;
pub mod view;
pub mod views;
pub mod wrap;

mod input;
mod lists;
mod trying;

use crate::cluster::{Change, Cluster, Component, Dirty, Feed, FeedChange, Kind, Sync, Text, Timers};
use crate::command::{Command, Context};
use crate::findings::{Findings, Places, Terms};
use crate::key::Key;
use crate::keymap::{Keymap, Lookup};
use acting::{Acting, Asked, Told};
use columns::{Look, RowId};
use filter::{Field, FilterError, Typed};
use inquest::Inquest;
use jiff::{SignedDuration, Timestamp};
use layout::Size;
use link::{Link, Login, Picture, Session};
use namespaces::{Namespaces, Picker};
use notice::{Notices, Weight};
use palette::Palette;
use review::Pane;
use revisions::{Level, Revisions};
use screen::{Place, Screen};
use triage::Triage;
use trying::Trying;
use view::View;
use views::Views;

/// Anything that can happen.
#[derive(Debug)]
pub enum Msg {
    Key(Key),
    Paste(String),
    /// The mouse was pressed on this.
    Click(Target),
    /// The wheel went so many notches down.
    Wheel(isize),
    Resize(Size),
    Changes(Vec<Change>),
    /// The API server answered, or did not and why.
    Beat(Result<(), Text>),
    /// A new login: under way, done, or failed and why.
    Login(Login),
    /// What the server's clock says, less what this machine's does.
    ClockOffset(SignedDuration),
    /// A second has gone by.
    Tick,
    /// The shell has something to say.
    Say(Weight, String),
    /// Something about guided actions.
    Acting(Told),
}

/// What can be pressed with the mouse: by what it is, and not by where it was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Row(RowId),
    /// The heading of the column with this id.
    Heading(&'static str),
    Screen(Screen),
}

/// Anything that the shell is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Quit,
    Suspend,
    /// Draw the whole screen again: something else wrote on it.
    Redraw,
    /// List everything anew.
    Refresh,
    /// What the user arranged has changed: favourites and columns.
    Remember,
    /// Hand this to the clipboard.
    Copy(String),
    /// Something that guided actions need.
    Acting(Box<Asked>),
}

/// What lies on top of a screen.
#[derive(Debug)]
pub enum Overlay {
    /// Help, and how far it is scrolled.
    Help {
        top: usize,
    },
    Notices {
        top: usize,
    },
    Palette(Palette),
    Namespaces(Picker),
    /// The columns of the list, with the cursor on one of them.
    Columns {
        at: usize,
    },
    /// The filter's line; what was there before, for when it is left.
    Prompt {
        before: String,
    },
    Acting(Pane),
    Revisions(Level),
    Patch(patch::Sheet),
}

#[derive(Debug)]
pub struct App {
    pub cluster: Cluster,
    pub findings: Findings,
    pub timers: Timers,
    /// The labels whose nodes fail together.
    pub places: Places,
    pub session: Session,
    pub link: Link,
    /// When the API server last answered.
    last_beat: Option<Timestamp>,
    pub clock_offset: SignedDuration,
    pub now: Timestamp,
    pub size: Size,
    pub keymap: Keymap,
    pub notices: Notices,
    pub overlay: Option<Overlay>,
    /// Keys of a sequence that is not complete.
    pub pending: Vec<Key>,
    pub triage: Triage,
    pub views: Views,
    pub namespaces: Namespaces,
    pub acting: Acting,
    /// The workload whose history was opened last.
    pub revisions: Option<Revisions>,
    trying: Trying,
    /// What was asked about the node that was opened last.
    inquest: Option<Inquest>,
    /// Filters that were used, the newest last.
    filters: Vec<String>,
    place: Place,
    history: Vec<Place>,
    dirty: Dirty,
    /// The lists must be made anew although the cluster did not change.
    is_reordered: bool,
}

impl App {
    pub fn new(session: Session, keymap: Keymap, timers: Timers, now: Timestamp) -> Self {
        Self {
            cluster: Cluster::default(),
            findings: Findings::default(),
            timers,
            places: Places::default(),
            session,
            link: Link::default(),
            last_beat: None,
            clock_offset: SignedDuration::ZERO,
            now,
            size: Size::default(),
            keymap,
            notices: Notices::default(),
            overlay: None,
            pending: Vec::new(),
            triage: Triage::default(),
            views: Views::default(),
            namespaces: Namespaces::default(),
            acting: Acting::default(),
            revisions: None,
            trying: Trying::default(),
            inquest: None,
            filters: Vec::new(),
            place: Place::default(),
            history: Vec::new(),
            dirty: Dirty::default(),
            is_reordered: true,
        }
    }

    pub fn update(&mut self, msg: Msg, now: Timestamp) -> Vec<Effect> {
        // Time may be corrected backwards by a second or two; ages may not jump with it.
        self.now = self.now.max(now);
        let mut effects = self.take(msg);
        effects.extend(self.go_on());
        effects.extend(self.follow_history());
        effects.extend(self.try_updates());
        effects.extend(self.follow_node());
        effects
    }

    fn take(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key(key) => return self.press(key),
            Msg::Acting(told) => return self.take_told(told),
            Msg::Paste(text) => self.paste(&text),
            Msg::Click(target) => self.click(&target),
            Msg::Wheel(notches) => self.wheel(notches),
            Msg::Resize(size) => {
                self.size = size;
                self.is_reordered = true;
            }
            Msg::Changes(changes) => self.take_changes(changes),
            Msg::Beat(beat) => self.take_beat(beat),
            Msg::Login(login) => self.take_login(login),
            Msg::ClockOffset(offset) => self.clock_offset = offset,
            Msg::Tick => {}
            Msg::Say(weight, text) => self.notices.say(weight, text, self.now),
        }
        Vec::new()
    }

    fn take_changes(&mut self, changes: Vec<Change>) {
        for change in &changes {
            self.announce(change);
        }
        self.dirty = self.dirty.and(self.cluster.apply_all(changes, self.now));
    }

    /// Says what a stream's trouble takes away, once each time it begins.
    fn announce(&mut self, change: &Change) {
        let Change::Feed(feed, change) = change else { return };
        if let (Feed::Leader(component), FeedChange::Absent { .. }) = (feed, change)
            && !component.is_everywhere()
        {
            return;
        }
        let what = feed.name();
        let (weight, text) = match change {
            FeedChange::Forbidden { reason } => {
                (Weight::Warning, format!("{what} may not be read: {reason}"))
            }
            FeedChange::Absent { reason } => (Weight::Warning, format!("the server has no {what}: {reason}")),
            FeedChange::Undecodable { reason } => {
                (Weight::Warning, format!("skipped one of the {what} that could not be read: {reason}"))
            }
            FeedChange::Listing
            | FeedChange::Live
            | FeedChange::Down { .. }
            | FeedChange::Truncated { .. } => return,
        };
        self.notices.say(weight, text, self.now);
    }

    /// Makes what is shown anew, where anything it depends on has changed.
    pub fn settle(&mut self) {
        let is_due = self.findings.next_due.is_some_and(|due| due <= self.now);
        if !self.dirty.is_clean() || is_due {
            let touched = self.cluster.take_touched();
            let terms = Terms { timers: self.timers, places: self.places.clone() };
            self.findings.renew(&self.cluster, &touched, self.now, &terms);
            let is_trusted = !matches!(self.picture(), Picture::Loading { .. } | Picture::Stale { .. });
            self.triage.attention.observe(&self.findings, is_trusted, self.now);
        }
        let is_back = self.triage.attention.next_due().is_some_and(|due| due <= self.now);
        if is_back {
            self.triage.attention.expire(self.now);
        }
        if !self.dirty.is_clean() || is_due || is_back || self.is_reordered {
            self.refresh_lists();
        }
        self.dirty = Dirty::default();
        self.is_reordered = false;
        self.scroll();
    }

    fn refresh_lists(&mut self) {
        let rows = self.triage_rows();
        let look = Look {
            cluster: &self.cluster,
            findings: &self.findings,
            timers: &self.timers,
            keymap: &self.keymap,
            namespace: self.namespaces.shown.as_ref(),
            now: self.now,
        };
        self.triage.refresh(&look, rows);
        // A list that nobody looks at is made anew when somebody does.
        self.views.refresh(self.place.screen, &look);
    }

    fn scroll(&mut self) {
        let rows = self.table_rows();
        self.triage.scroll(self.triage_rows());
        self.views.scroll(rows);
        if let Some(mut open) = self.place.open.take() {
            let lines = self.sheet_rows(&open).len();
            open.scroll(lines, rows);
            self.place.open = Some(open);
        }
    }

    /// The rows of the open object, as wide as the screen lets them be.
    pub fn sheet_rows(&self, open: &object::Open) -> Vec<object::SheetRow> {
        let sheet = open.sheet(self);
        // The cursor's sign and a blank stand before each row.
        sheet.rows(self.size.width.saturating_sub(3))
    }

    /// What the screen must say about the streams it lists: one line each.
    pub fn notes(&self) -> Vec<String> {
        let screen = self.place.screen;
        let feeds = screen.kinds().iter().filter_map(|kind| self.feed_note(*kind));
        let events = (screen == Screen::Events && self.place.open.is_none())
            .then(|| columns::events::note(&self.cluster));
        let leaders = (screen == Screen::Triage).then(|| self.leader_note()).flatten();
        feeds.chain(events).chain(leaders).collect()
    }

    /// That it is not known whether anybody leads, where that may not be looked at.
    fn leader_note(&self) -> Option<String> {
        let is_withheld = |feed: &Feed| matches!(self.cluster.feed(*feed).sync, Sync::Forbidden { .. });
        let withheld: Vec<&str> = self.not_judged().into_iter().filter(is_withheld).map(Feed::name).collect();
        (!withheld.is_empty())
            .then(|| format!("not known, because it may not be read: {}", withheld.join(", ")))
    }

    /// Rows of a table or an open object: the body without its heading and the notes.
    pub fn table_rows(&self) -> usize {
        usize::from(self.size.body().saturating_sub(1))
            .saturating_sub(self.notes().len() + self.lines_around())
    }

    pub fn triage_rows(&self) -> usize {
        let body = self.size.body().saturating_sub(self.size.triage_detail());
        usize::from(body).saturating_sub(self.notes().len() + self.lines_around())
    }

    pub const fn look(&self) -> Look<'_> {
        Look {
            cluster: &self.cluster,
            findings: &self.findings,
            timers: &self.timers,
            keymap: &self.keymap,
            namespace: self.namespaces.shown.as_ref(),
            now: self.now,
        }
    }

    pub const fn screen(&self) -> Screen {
        self.place.screen
    }

    pub const fn open(&self) -> Option<&object::Open> {
        self.place.open.as_ref()
    }

    pub fn picture(&self) -> Picture {
        Picture::of(&self.cluster, &self.link)
    }

    /// What has the focus, and so which keys hold.
    pub const fn focus(&self) -> Context {
        match &self.overlay {
            Some(Overlay::Help { .. }) => Context::Help,
            Some(Overlay::Notices { .. }) => Context::Notices,
            Some(Overlay::Palette(_)) => Context::Palette,
            Some(Overlay::Namespaces(_)) => Context::Namespaces,
            Some(Overlay::Columns { .. }) => Context::Columns,
            Some(Overlay::Prompt { .. }) => Context::Prompt,
            Some(Overlay::Acting(pane)) => pane.context(),
            Some(Overlay::Revisions(Level::History)) => Context::History,
            Some(Overlay::Revisions(Level::Difference)) => Context::Difference,
            Some(Overlay::Patch(_)) => Context::Patch,
            None => self.below(),
        }
    }

    /// The focus without what lies on top.
    pub const fn below(&self) -> Context {
        match (&self.place.open, self.place.screen) {
            (Some(_), _) => Context::Object,
            (None, Screen::Triage) => Context::Triage,
            (None, Screen::Nodes) => Context::Nodes,
            (None, Screen::Pods) => Context::Pods,
            (None, Screen::Volumes) => Context::Volumes,
            (None, Screen::Workloads) => Context::Workloads,
            (None, Screen::Events) => Context::Events,
            (None, Screen::Services) => Context::Services,
        }
    }

    /// What may follow the keys of a sequence that is not complete: each with its command if it is the last.
    pub fn continuations(&self) -> Vec<(Key, Option<Command>)> {
        match self.keymap.lookup(self.focus(), &self.pending) {
            Lookup::Pending(next) if !self.pending.is_empty() => next,
            Lookup::Pending(_) | Lookup::Matched(_) | Lookup::NotFound => Vec::new(),
        }
    }

    /// The list on the screen, where it is one with columns.
    pub const fn view(&self) -> Option<&View> {
        self.views.get(self.place.screen)
    }

    const fn view_mut(&mut self) -> Option<&mut View> {
        self.views.get_mut(self.place.screen)
    }

    pub fn filter(&self) -> &str {
        self.typed().text()
    }

    /// The filter of the screen, and what is wrong with it.
    pub fn typed(&self) -> &Typed {
        self.view().map_or(&self.triage.filter, |view| &view.filter)
    }

    const fn typed_mut(&mut self) -> &mut Typed {
        match self.views.get_mut(self.place.screen) {
            Some(view) => &mut view.filter,
            None => &mut self.triage.filter,
        }
    }

    /// What is wrong with the filter as it is typed.
    pub fn filter_error(&self) -> Option<&FilterError> {
        self.typed().error()
    }

    /// What a filter may ask for here.
    pub fn filter_fields(&self) -> Vec<Field> {
        self.place.screen.lister().map_or_else(|| triage::FIELDS.to_vec(), |lister| lister.fields())
    }

    /// Whether the leases were read, or never will be.
    pub fn are_leases_read(&self) -> bool {
        self.cluster.feed(Feed::Leases).is_settled()
    }

    /// Whether the control plane was looked at, or never will be.
    pub fn is_control_plane_judged(&self) -> bool {
        Component::ALL.into_iter().all(|component| self.cluster.is_leader_settled(component))
            && self.cluster.feed(Feed::Checks).is_settled()
    }

    /// What should be known of the control plane and is not. What the server does not have is not missing: many
    /// who run a control plane for others keep its leases to themselves.
    pub fn not_judged(&self) -> Vec<Feed> {
        let components = Component::ALL.into_iter().filter(|component| component.is_everywhere());
        let feeds = components.map(Feed::Leader).chain([Feed::Checks]);
        feeds
            .filter(|feed| !self.cluster.has_judgement(*feed))
            .filter(|feed| !matches!(self.cluster.feed(*feed).sync, Sync::Absent { .. }))
            .collect()
    }

    /// Nodes whose leases are worth a live read.
    pub fn suspects(&self) -> Vec<Text> {
        self.cluster.unready_nodes().map(|node| node.meta.name.name.clone()).collect()
    }

    /// How many objects of the screen's kind the server has said it has, and what is missing of it.
    pub fn feed_note(&self, kind: Kind) -> Option<String> {
        let feed = self.cluster.feed(Feed::Watch(kind));
        let what = kind.plural();
        Some(match feed.sync {
            Sync::Waiting | Sync::Listing { .. } if !feed.was_complete => format!("{what}: loading"),
            Sync::Forbidden { reason } => format!("{what} may not be read: {reason}"),
            Sync::Absent { reason } => format!("the server has no {what}: {reason}"),
            Sync::Waiting | Sync::Listing { .. } | Sync::Live { .. } | Sync::Down { .. } => {
                let (read, left) = feed.truncated?;
                let left = left.map_or_else(String::new, |left| format!(", {left} more on the server"));
                format!("{what}: {read} read{left}")
            }
        })
    }
}

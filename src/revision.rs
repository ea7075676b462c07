//! Revisions of a workload: the templates that it has had, which of them is wanted, and in what two of them differ.
//!
//! Templates are not among the rows that are watched. They are read in full when somebody opens a history, and are
//! values from then on. It deliberately reads nothing by itself, and changes nothing: rolling back is an action.

mod demand;
mod difference;
mod history;
mod matching;
mod patch;
mod reference;
mod running;
mod summary;
mod template;

pub use difference::{Difference, Piece, Row, Shown, words};
pub use history::{History, NoTarget, PodCount, Revision, Unreadable, is_for};
pub use patch::Patch;
pub use reference::{Held, Reference};
pub use running::{Running, RunningPod, short_digest};
pub use summary::{Note, Topic, summary};
pub use template::Template;

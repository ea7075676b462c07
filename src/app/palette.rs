//! The palette: every command and screen by any of its names, ranked as you type.

use super::filter::Ranking;
use crate::command::{Command, Context};
use crate::key::Sequence;
use crate::keymap::Keymap;

#[derive(Debug, Default)]
pub struct Palette {
    pub typed: String,
    at: usize,
}

/// A line of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub command: Command,
    /// The word by which it was found.
    pub word: &'static str,
    pub keys: Option<String>,
}

impl Palette {
    /// Commands that make sense where the palette was opened, best match first.
    pub fn candidates(&self, focus: Context, keymap: &Keymap) -> Vec<Candidate> {
        let typed = self.typed.trim();
        let mut ranking = Ranking::new(typed);
        let mut ranked: Vec<(u8, u32, Candidate)> = Command::all()
            .filter(|command| command.applies_in(focus))
            .filter_map(|command| {
                let spec = command.spec();
                let titles = [spec.title];
                let words = command.words().chain(titles);
                let (class, score, word) = words
                    .filter_map(|word| {
                        let score = match &mut ranking {
                            None => 0,
                            Some(ranking) => ranking.score(word)?,
                        };
                        // What is typed in full is meant; then what begins so; then what looks alike.
                        let class = if word == typed { 0 } else { 2 - u8::from(word.starts_with(typed)) };
                        Some((class, score, word))
                    })
                    .min_by_key(|(class, score, word)| (*class, std::cmp::Reverse(*score), word.len()))?;
                let keys = keymap.keys(focus, command).next().map(Sequence::to_string);
                Some((class, score, Candidate { command, word, keys }))
            })
            .collect();
        if ranking.is_some() {
            ranked.sort_by_key(|(class, score, candidate)| {
                (*class, std::cmp::Reverse(*score), candidate.word.len(), candidate.command)
            });
        }
        ranked.into_iter().map(|(_, _, candidate)| candidate).collect()
    }

    pub fn edit(&mut self, edit: impl FnOnce(&mut String)) {
        edit(&mut self.typed);
        self.at = 0;
    }

    pub fn move_cursor(&mut self, by: isize, candidates: usize) {
        self.at = self.at.saturating_add_signed(by).min(candidates.saturating_sub(1));
    }

    pub const fn at(&self) -> usize {
        self.at
    }
}

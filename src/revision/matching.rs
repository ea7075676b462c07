//! Which lines of one text are which of another, both in their order.
//!
//! Lines that are there once on each side are matched first, by the longest run of them that is in order on both: that
//! takes no longer for a list that was turned round than for one that was not touched. What is between them, lines
//! that come again and again, is compared pair by pair as long as that is quick. No clock is read for it: pairs are
//! counted, so that the same two texts always differ in the same way.

use crate::cluster::Text;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// So many pairs of lines are compared at most. What is left is matched by how many times a line came before.
const MOST_PAIRS: usize = 1_000_000;

/// A line, as a number: of two that are equal the same one.
#[derive(Clone, Copy, Debug, Eq, PartialOrd, Ord)]
struct Line(u32);

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(test)]
        tests::LOOKS.with(|looks| looks.set(looks.get() + 1));
        self.0 == other.0
    }
}

impl Hash for Line {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// A part of each side.
#[derive(Clone, Debug)]
struct Gap {
    before: Range<usize>,
    after: Range<usize>,
}

struct Matching {
    before: Vec<Line>,
    after: Vec<Line>,
    pairs_left: usize,
    found: Vec<(usize, usize)>,
}

/// The places of the lines that are the same, in their order.
pub fn matches(before: &[Text], after: &[Text]) -> Vec<(usize, usize)> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |line| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        Line(*numbers.entry(line).or_insert(next))
    };
    let before: Vec<Line> = before.iter().map(|line| number(line.as_str())).collect();
    let after: Vec<Line> = after.iter().map(|line| number(line.as_str())).collect();
    let whole = Gap { before: 0..before.len(), after: 0..after.len() };
    let mut matching = Matching { before, after, pairs_left: MOST_PAIRS, found: Vec::new() };
    matching.between_ends(whole, Matching::by_anchors);
    matching.found
}

impl Matching {
    /// Matches the same beginnings and ends, and what is between them in this way.
    fn between_ends(&mut self, gap: Gap, matched: impl FnOnce(&mut Self, &Gap)) {
        let Gap { before, after } = gap;
        let (one, other) = (&self.before[before.clone()], &self.after[after.clone()]);
        let head = one.iter().zip(other).take_while(|(one, other)| one == other).count();
        let ends = one[head..].iter().rev().zip(other[head..].iter().rev());
        let tail = ends.take_while(|(one, other)| one == other).count();
        self.found.extend((0..head).map(|step| (before.start + step, after.start + step)));
        let rest = Gap {
            before: before.start + head..before.end - tail,
            after: after.start + head..after.end - tail,
        };
        if !rest.before.is_empty() && !rest.after.is_empty() {
            matched(self, &rest);
        }
        self.found.extend((0..tail).rev().map(|back| (before.end - 1 - back, after.end - 1 - back)));
    }

    /// By the lines that are there once on each side; then what is between those.
    fn by_anchors(&mut self, gap: &Gap) {
        let mut counts: HashMap<Line, (usize, usize, usize)> = HashMap::new();
        for at in gap.before.clone() {
            counts.entry(self.before[at]).or_default().0 += 1;
        }
        for at in gap.after.clone() {
            let (_, many, place) = counts.entry(self.after[at]).or_default();
            (*many, *place) = (*many + 1, at);
        }
        let anchor = |at: usize| match counts.get(&self.before[at]) {
            Some((1, 1, place)) => Some((at, *place)),
            Some(_) | None => None,
        };
        let anchors = longest_in_order(&gap.before.clone().filter_map(anchor).collect::<Vec<_>>());
        let (mut one, mut other) = (gap.before.start, gap.after.start);
        for (at, there) in anchors {
            self.between_ends(Gap { before: one..at, after: other..there }, Self::by_pairs);
            self.found.push((at, there));
            (one, other) = (at + 1, there + 1);
        }
        self.between_ends(Gap { before: one..gap.before.end, after: other..gap.after.end }, Self::by_pairs);
    }

    /// As few differences as there can be, while there are pairs left for that.
    fn by_pairs(&mut self, gap: &Gap) {
        // What is there on one side only costs as much as the rest, and is never matched.
        let (places, one) = shared(&self.before, &gap.before, (&self.after, &gap.after));
        let (others, other) = shared(&self.after, &gap.after, (&self.before, &gap.before));
        let pairs = one.len().saturating_mul(other.len());
        if pairs > self.pairs_left {
            return self.by_turns((&places, &one), (&others, &other));
        }
        self.pairs_left -= pairs;
        for op in capture_diff_slices(Algorithm::Myers, &one, &other) {
            if let DiffOp::Equal { old_index, new_index, len } = op {
                let pair = |step| Some((*places.get(old_index + step)?, *others.get(new_index + step)?));
                self.found.extend((0..len).filter_map(pair));
            }
        }
    }

    /// The first of equal lines with the first of the other side, the second with the second.
    fn by_turns(&mut self, (places, one): (&[usize], &[Line]), (others, other): (&[usize], &[Line])) {
        let there: HashMap<(Line, usize), usize> = turns(other, others).collect();
        let pairs = turns(one, places).filter_map(|(turn, at)| Some((at, *there.get(&turn)?)));
        self.found.extend(longest_in_order(&pairs.collect::<Vec<_>>()));
    }
}

/// Each line with how many times it came until then, and its place.
fn turns(lines: &[Line], places: &[usize]) -> impl Iterator<Item = ((Line, usize), usize)> {
    let mut came: HashMap<Line, usize> = HashMap::new();
    lines.iter().zip(places).map(move |(line, at)| {
        let turn = came.entry(*line).or_default();
        *turn += 1;
        ((*line, *turn), *at)
    })
}

/// The lines of a part that are also in a part of the other side, with their places.
fn shared(
    lines: &[Line],
    part: &Range<usize>,
    (others, there): (&[Line], &Range<usize>),
) -> (Vec<usize>, Vec<Line>) {
    let known: HashSet<Line> = others[there.clone()].iter().copied().collect();
    part.clone().map(|at| (at, lines[at])).filter(|(_, line)| known.contains(line)).unzip()
}

/// Of pairs in the order of the one side, as many as are in the order of the other side as well.
fn longest_in_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the pair that ends such a run soonest; and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, (_, there)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *there);
        previous.push(length.checked_sub(1).map(|before| ends[before]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut run: Vec<(usize, usize)> =
        std::iter::successors(ends.last().copied(), |at| previous[*at]).map(|at| pairs[at]).collect();
    run.reverse();
    run
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    thread_local! {
        /// How many times two lines were held against each other.
        pub static LOOKS: Cell<usize> = const { Cell::new(0) };
    }

    const MANY: usize = 5_000;

    fn texts(lines: impl Iterator<Item = usize>) -> Vec<Text> {
        lines.map(|line| Text::from(format!("line {line}"))).collect()
    }

    /// How many lines were matched, and how many times two were held against each other.
    fn cost(before: &[Text], after: &[Text]) -> (usize, usize) {
        LOOKS.set(0);
        let matched = matches(before, after).len();
        (matched, LOOKS.get())
    }

    #[test]
    fn a_list_turned_round_costs_a_few_looks_a_line() {
        let (before, after) = (texts(0..MANY), texts((0..MANY).rev()));
        let (matched, looks) = cost(&before, &after);
        assert_eq!(matched, 1);
        assert!(looks < 20 * MANY, "{looks}");
    }

    #[test]
    fn a_block_that_moved_is_matched_but_for_the_block() {
        let before = texts(0..MANY);
        let after = texts((1_000..MANY).chain(0..1_000));
        assert_eq!(cost(&before, &after).0, MANY - 1_000);
    }

    #[test]
    fn lines_that_come_again_and_again_cost_no_more_than_is_allowed() {
        // All lines of one text, and in another order: as bad as can be.
        let before = texts((0..MANY).map(|at| at * 7_919 % 61));
        let after = texts((0..MANY).map(|at| at * at * 31 % 61));
        let (matched, looks) = cost(&before, &after);
        assert!(matched > 0 && looks < 8 * MOST_PAIRS, "{matched} {looks}");
    }

    #[test]
    fn what_was_put_in_among_lines_that_come_again_is_all_that_differs() {
        let lines = |at: usize| if at.is_multiple_of(2) { at } else { 1_000_000 };
        let before = texts((0..200).map(lines));
        let after = texts(
            (0..200).flat_map(|at| if at == 100 { vec![2_000_000, lines(at)] } else { vec![lines(at)] }),
        );
        assert_eq!(cost(&before, &after).0, 200);
    }

    /// By a table of all pairs: what cannot be bettered.
    fn best(before: &[usize], after: &[usize]) -> usize {
        let mut row = vec![0; after.len() + 1];
        for one in before {
            let mut corner = 0;
            for (at, other) in after.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if one == other { corner + 1 } else { above.max(row[at]) };
                corner = above;
            }
        }
        row[after.len()]
    }

    proptest! {
        #[test]
        fn equal_lines_are_matched_in_order_and_lines_that_are_there_once_as_many_as_can_be(
            before in Just((0..30_usize).collect::<Vec<_>>()).prop_shuffle(),
            after in Just((10..40_usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let found = matches(&texts(before.iter().copied()), &texts(after.iter().copied()));
            prop_assert!(found.iter().all(|(one, other)| before[*one] == after[*other]));
            prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
            prop_assert_eq!(found.len(), best(&before, &after));
        }

        #[test]
        fn lines_that_come_again_are_matched_in_order(
            before in prop::collection::vec(0..6_usize, 0..60),
            after in prop::collection::vec(0..6_usize, 0..60),
            pairs_left in prop::sample::select(vec![0, MOST_PAIRS]),
        ) {
            let lines = |of: &[usize]| of.iter().map(|line| Line(u32::try_from(*line).unwrap())).collect();
            let (one, other): (Vec<Line>, Vec<Line>) = (lines(&before), lines(&after));
            let whole = Gap { before: 0..one.len(), after: 0..other.len() };
            let mut matching = Matching { before: one, after: other, pairs_left, found: Vec::new() };
            matching.between_ends(whole, Matching::by_anchors);
            let found = matching.found;
            prop_assert!(found.iter().all(|(one, other)| before[*one] == after[*other]));
            prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        }
    }
}

//! Pauses between tries: longer each time, and never the same for two who failed together.
//!
//! It deliberately does not sleep, and knows nothing of what failed: who was told a pause waits it out.

use std::time::Duration;

/// The pauses of one thing that is tried again and again.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// How long to wait before the next try.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.most);
        spread(pause)
    }

    /// The same, but what went well so far is tried again at once.
    pub fn pause_unless_first(&mut self) -> Duration {
        let is_first = self.next == self.first;
        let pause = self.pause();
        if is_first { Duration::ZERO } else { pause }
    }

    /// It went well: the next trouble is a first one.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

/// A duration by up to a quarter shorter or longer: seven streams, and a hundred operators in the same incident,
/// must not come back at the same moment.
pub fn spread(duration: Duration) -> Duration {
    duration.mul_f64(fastrand::f64().mul_add(0.5, 0.75))
}

/// Any moment up to `most` from now.
pub fn within(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(800);
    const MOST: Duration = Duration::from_secs(30);

    #[test]
    fn pauses_double_up_to_the_most_and_differ_by_a_quarter() {
        let mut backoff = Backoff::new(FIRST, MOST);
        for expected in [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0] {
            let pause = backoff.pause().as_secs_f64();
            assert!((0.75 * expected..=1.25 * expected).contains(&pause), "{pause} for {expected}");
        }
    }

    #[test]
    fn the_first_trouble_is_free_and_a_success_makes_the_next_one_the_first() {
        let mut backoff = Backoff::new(FIRST, MOST);
        assert_eq!(backoff.pause_unless_first(), Duration::ZERO);
        assert!(backoff.pause_unless_first() > FIRST);
        backoff.reset();
        assert_eq!(backoff.pause_unless_first(), Duration::ZERO);
    }

    #[test]
    fn two_who_failed_together_do_not_come_back_together() {
        let pauses: std::collections::BTreeSet<Duration> =
            (0..100).map(|_| Backoff::new(FIRST, MOST).pause()).collect();
        assert!(pauses.len() > 50);
    }
}

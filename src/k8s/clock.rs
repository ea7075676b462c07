//! The server's time, learnt from the `Date` of its answers: bastions have wrong clocks.
//!
//! It deliberately does not set anything right: it tells the time of the server, and how far off ours is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// The clock of one server, shared by all who ask it. Cheap to clone.
///
/// It runs on the local monotonic clock, so a step of the local wall clock does not move it.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    started_at: Timestamp,
    /// By the clock that does not stop while the machine sleeps.
    woken: SignedDuration,
    offset: Arc<AtomicI64>,
}

/// No answer has told the time yet.
const UNKNOWN: i64 = i64::MIN;

impl Clock {
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            started_at: Timestamp::now(),
            woken: sleepless(),
            offset: Arc::new(AtomicI64::new(UNKNOWN)),
        }
    }

    /// The server's time now, as well as we know it.
    pub fn now(&self) -> Timestamp {
        let local = self.local(Instant::now());
        local.saturating_add(self.offset()).unwrap_or(local)
    }

    /// How long it runs, by the local monotonic clock, sleep included: what lies between two moments, whatever anybody
    /// learns of the time.
    pub fn steady(&self) -> SignedDuration {
        sleepless().saturating_sub(self.woken)
    }

    /// The server's time less ours; nothing until it was learnt, which [`Clock::is_known`] tells.
    pub fn offset(&self) -> SignedDuration {
        match self.offset.load(Ordering::Relaxed) {
            UNKNOWN => SignedDuration::ZERO,
            milliseconds => SignedDuration::from_millis(milliseconds),
        }
    }

    pub fn is_known(&self) -> bool {
        self.offset.load(Ordering::Relaxed) != UNKNOWN
    }

    /// Takes in the `Date` of an answer that was asked for at `asked` and came at `answered`.
    ///
    /// A date is cut to whole seconds and was written somewhere in between, so an answer proves a range and not
    /// a value. The offset moves only when it lies outside, and then no further than to the edge: after a few
    /// answers it is much better than a second, and it never jumps to and fro.
    pub fn learn(&self, date: Timestamp, asked: Instant, answered: Instant) {
        let earliest = milliseconds(date, self.local(answered));
        let latest = milliseconds(date, self.local(asked)).saturating_add(1_000);
        let moved = |offset: i64| match offset {
            UNKNOWN => Some(earliest.midpoint(latest)),
            offset if offset < earliest => Some(earliest),
            offset if offset > latest => Some(latest),
            _ => None,
        };
        // Nobody waits for this value: the newest answer wins a race, and the next one corrects it.
        let _unmoved = self.offset.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }

    /// Our own time at `instant`, by the monotonic clock.
    fn local(&self, instant: Instant) -> Timestamp {
        let since = instant.saturating_duration_since(self.started);
        self.started_at
            .saturating_add(SignedDuration::try_from(since).unwrap_or(SignedDuration::MAX))
            .unwrap_or(self.started_at)
    }

    /// How long until the server's clock shows `time`; nothing when it has passed.
    pub fn until(&self, time: Timestamp) -> Duration {
        Duration::try_from(time.duration_since(self.now())).unwrap_or_default()
    }
}

/// A monotonic clock that goes on while the machine sleeps, which [`Instant`] does not: a laptop that is opened again
/// must not take what it read before for new.
fn sleepless() -> SignedDuration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    // Elsewhere the plain one counts sleep.
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    SignedDuration::new(time.tv_sec, i32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The value of a `Date` header.
pub fn parse_date(header: &[u8]) -> Option<Timestamp> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    parser.parse_timestamp(header).ok()
}

fn milliseconds(server: Timestamp, local: Timestamp) -> i64 {
    server.as_millisecond().saturating_sub(local.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `clock` learns when the server is `ahead` milliseconds ahead, asked `at` milliseconds after its start,
    /// with an answer that takes `takes` milliseconds.
    fn answer(clock: &Clock, ahead: i64, at: u64, takes: u64) {
        let asked = clock.started + Duration::from_millis(at);
        let answered = asked + Duration::from_millis(takes);
        let written = clock.local(asked).as_millisecond() + i64::try_from(takes).unwrap() / 2 + ahead;
        let date = Timestamp::from_second(written.div_euclid(1_000)).unwrap();
        clock.learn(date, asked, answered);
    }

    #[test]
    fn the_first_answer_is_within_a_second() {
        let clock = Clock::start();
        assert!(!clock.is_known());
        assert_eq!(clock.offset(), SignedDuration::ZERO);
        answer(&clock, 3_600_000, 0, 40);
        assert!(clock.is_known());
        assert!((clock.offset().as_millis() - 3_600_000).abs() <= 520);
    }

    #[test]
    fn a_few_answers_make_it_exact() {
        let clock = Clock::start();
        for n in 0..40 {
            answer(&clock, -7_777, n * 730, 30);
        }
        let error = (clock.offset().as_millis() + 7_777).abs();
        assert!(error <= 60, "{error} ms off");
    }

    #[test]
    fn a_server_whose_clock_steps_is_followed() {
        let clock = Clock::start();
        answer(&clock, 0, 0, 30);
        answer(&clock, 60_000, 1_000, 30);
        assert!((clock.offset().as_millis() - 60_000).abs() <= 1_100);
    }

    #[test]
    fn the_date_of_a_header_is_read() {
        let date = parse_date(b"Sat, 21 Nov 2026 11:35:06 GMT").unwrap();
        assert_eq!(date.to_string(), "2026-11-21T11:35:06Z");
        assert_eq!(parse_date(b"yesterday"), None);
    }
}

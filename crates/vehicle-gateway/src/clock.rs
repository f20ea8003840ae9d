//! What the gateway surely knows about the time.
//!
//! Two bounds contain the true time. The lower one is the greatest time anybody it trusts has signed,
//! and moves on with a monotonic clock; the upper one exists only after a time attestation. No wall
//! clock is read: nobody can talk a gateway into another time by moving one. Source: ck1 section 6.

use keys_core::time::{ClockInterval, Timestamp};

/// A clock that never jumps, from an origin of its own.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the origin; goes on while the machine sleeps.
    fn now_ms(&self) -> u64;
}

/// The machine's monotonic clock.
#[derive(Debug, Clone)]
pub struct SystemClock {
    #[cfg(not(target_os = "linux"))]
    origin: std::time::Instant,
}

impl SystemClock {
    /// The clock.
    #[must_use]
    #[cfg_attr(
        target_os = "linux",
        expect(clippy::new_without_default, reason = "other systems need an origin")
    )]
    pub fn new() -> Self {
        Self {
            #[cfg(not(target_os = "linux"))]
            origin: std::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[cfg(target_os = "linux")]
    fn now_ms(&self) -> u64 {
        // CLOCK_MONOTONIC stands still while the machine sleeps; then the upper bound would lie.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        seconds * 1_000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
    }

    #[cfg(not(target_os = "linux"))]
    fn now_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// How long a verified answer of the API counts as contact, ms.
pub const CONTACT_MS: u64 = 60_000;
/// An attestation over a challenge younger than this replaces the upper bound; an older one may only
/// narrow it.
const FRESH_MS: u64 = 60_000;

/// The two bounds, and when the API was last heard of.
#[derive(Debug, Clone)]
pub struct Timekeeper {
    floor: Timestamp,
    floor_at_ms: u64,
    /// A time that was signed after this instant of the monotonic clock.
    ceiling: Option<(Timestamp, u64)>,
    contact_at_ms: Option<u64>,
}

impl Timekeeper {
    /// Starts with a floor and no upper bound.
    #[must_use]
    pub fn new(floor: Timestamp, now_ms: u64) -> Self {
        Self {
            floor,
            floor_at_ms: now_ms,
            ceiling: None,
            contact_at_ms: None,
        }
    }

    /// The bounds now.
    #[must_use]
    pub fn interval(&self, now_ms: u64) -> ClockInterval {
        let lo = self
            .floor
            .plus(now_ms.saturating_sub(self.floor_at_ms) / 1_000);
        match self.ceiling {
            None => ClockInterval::at_least(lo),
            Some((signed, at_ms)) => {
                let hi = signed.plus(now_ms.saturating_sub(at_ms).div_ceil(1_000));
                ClockInterval { lo, hi: hi.max(lo) }
            }
        }
    }

    /// Raises the floor to a verified time. Gives the floor that is to be stored.
    pub fn raise(&mut self, verified: Timestamp, now_ms: u64) -> Timestamp {
        let lo = self.interval(now_ms).raise_floor(verified).lo;
        self.set_floor(lo, now_ms);
        lo
    }

    /// Takes a verified attestation: `signed` is the time, made after `challenged_ms`.
    pub fn attest(&mut self, signed: Timestamp, challenged_ms: u64, now_ms: u64) {
        let before = self.interval(now_ms);
        let elapsed_ms = now_ms.saturating_sub(challenged_ms);
        let attested = before.attested(signed, elapsed_ms.div_ceil(1_000));
        let narrower = !before.is_trusted() || attested.hi < before.hi || before.hi < attested.lo;
        if narrower || elapsed_ms <= FRESH_MS {
            self.ceiling = Some((signed, challenged_ms));
        }
        self.set_floor(attested.lo, now_ms);
    }

    /// The API answered a challenge of this instant with a verified signature.
    pub fn heard(&mut self, challenged_ms: u64) {
        self.contact_at_ms = self.contact_at_ms.max(Some(challenged_ms));
    }

    /// Whether the API was heard of in the last minute.
    #[must_use]
    pub fn in_contact(&self, now_ms: u64) -> bool {
        self.contact_at_ms
            .is_some_and(|at| now_ms.saturating_sub(at) < CONTACT_MS)
    }

    /// Puts another floor in place of the one held, and forgets the upper bound: the car is paired anew.
    pub fn reset(&mut self, floor: Timestamp, now_ms: u64) {
        *self = Self::new(floor, now_ms);
    }

    fn set_floor(&mut self, lo: Timestamp, now_ms: u64) {
        // The part of a second already gone by would be lost if the base moved without need.
        if lo > self.interval(now_ms).lo {
            self.floor = lo;
            self.floor_at_ms = now_ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp(1_000_000);

    #[test]
    fn the_floor_moves_with_the_monotonic_clock_and_nothing_bounds_the_time_from_above() {
        let clock = Timekeeper::new(T, 5_000);
        assert_eq!(clock.interval(7_999), ClockInterval::at_least(T.plus(2)));
    }

    #[test]
    fn an_attestation_gives_an_upper_bound_that_grows_from_the_challenge_on() {
        let mut clock = Timekeeper::new(Timestamp(0), 0);
        clock.attest(T, 1_000, 3_500);
        assert_eq!(
            clock.interval(3_500),
            ClockInterval {
                lo: T,
                hi: T.plus(3)
            }
        );
        assert_eq!(
            clock.interval(13_500),
            ClockInterval {
                lo: T.plus(10),
                hi: T.plus(13)
            }
        );
    }

    #[test]
    fn an_old_attestation_carried_later_cannot_widen_the_bounds() {
        let mut clock = Timekeeper::new(Timestamp(0), 0);
        clock.attest(T, 100_000, 100_000);
        let now = 200_000;
        let before = clock.interval(now);
        clock.attest(Timestamp(T.0 - 1_000), 0, now);
        assert_eq!(clock.interval(now), before);
    }

    #[test]
    fn a_fresh_attestation_replaces_an_upper_bound_that_drifted() {
        let mut clock = Timekeeper::new(Timestamp(0), 0);
        clock.attest(T, 0, 0);
        clock.attest(T.plus(105), 100_000, 100_000);
        assert_eq!(clock.interval(100_000), ClockInterval::exactly(T.plus(105)));
    }

    #[test]
    fn a_floor_raised_often_loses_no_part_of_a_second() {
        let mut clock = Timekeeper::new(T, 0);
        for now in (0..10_000).step_by(300) {
            clock.raise(T, now);
        }
        assert_eq!(clock.interval(10_000).lo, T.plus(10));
    }

    #[test]
    fn contact_lasts_a_minute_from_the_challenge() {
        let mut clock = Timekeeper::new(T, 0);
        assert!(!clock.in_contact(0));
        clock.heard(1_000);
        assert!(clock.in_contact(60_999));
        assert!(!clock.in_contact(61_000));
    }

    #[test]
    fn the_system_clock_does_not_run_backwards() {
        let clock = SystemClock::new();
        let first = clock.now_ms();
        assert!(clock.now_ms() >= first);
    }
}

//! Points in time, windows, and how surely a gateway knows the time.

use core::fmt;

use crate::limits;

/// Whole seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The upper end of a clock interval that nothing bounds: 2^40 − 1.
    pub const UNKNOWN: Self = Self(limits::TIME_LIMIT - 1);

    /// This time plus `seconds`, capped at the largest number.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this time; 0 if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0)
            .ok()
            .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0))
        {
            Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%SZ")),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A half-open window `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First second inside.
    pub from: Timestamp,
    /// First second outside.
    pub until: Timestamp,
}

impl Validity {
    /// Whether `inner` lies wholly inside this window.
    #[must_use]
    pub fn covers(&self, inner: &Self) -> bool {
        inner.from >= self.from && inner.until <= self.until
    }

    /// Length in seconds; 0 if the window is inverted.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.until.since(self.from)
    }

    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        at >= self.from && at < self.until
    }

    /// Whether the two windows share a second.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// Two bounds that surely contain the true time.
///
/// `lo` only rises; `hi` is [`Timestamp::UNKNOWN`] after a clock loss until time is attested.
/// Source: ck1 section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockInterval {
    /// True time is not before this.
    pub lo: Timestamp,
    /// True time is not after this.
    pub hi: Timestamp,
}

impl ClockInterval {
    /// A clock known to the second.
    #[must_use]
    pub fn exactly(now: Timestamp) -> Self {
        Self { lo: now, hi: now }
    }

    /// A clock of which only a floor is known.
    #[must_use]
    pub fn at_least(lo: Timestamp) -> Self {
        Self {
            lo,
            hi: Timestamp::UNKNOWN,
        }
    }

    /// Whether anything bounds the time from above.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.hi < Timestamp::UNKNOWN && self.lo <= self.hi
    }

    /// The interval after `elapsed_s` seconds of a monotonic clock.
    #[must_use]
    pub fn after(&self, elapsed_s: u64) -> Self {
        let hi = if self.hi >= Timestamp::UNKNOWN {
            Timestamp::UNKNOWN
        } else {
            self.hi.plus(elapsed_s)
        };
        Self {
            lo: self.lo.plus(elapsed_s),
            hi,
        }
    }

    /// Raises the floor to a verified time; true time cannot be earlier.
    ///
    /// A trusted upper bound stands: a signer that is ahead of it cannot push the clock forward.
    #[must_use]
    pub fn raise_floor(&self, verified: Timestamp) -> Self {
        let verified = if self.is_trusted() {
            verified.min(self.hi)
        } else {
            verified
        };
        Self {
            lo: self.lo.max(verified),
            hi: self.hi,
        }
    }

    /// The interval after a time attestation: `attested` when it was made, at most `elapsed_s`
    /// seconds ago (the time since the challenge it answers).
    #[must_use]
    pub fn attested(&self, attested: Timestamp, elapsed_s: u64) -> Self {
        let lo = self.lo.max(attested);
        let hi = attested.plus(elapsed_s);
        Self { lo, hi: hi.max(lo) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attestation_bounds_the_clock_from_both_sides() {
        let clock = ClockInterval::at_least(Timestamp(100));
        assert!(!clock.is_trusted());
        let clock = clock.attested(Timestamp(1_000), 3);
        assert_eq!(
            clock,
            ClockInterval {
                lo: Timestamp(1_000),
                hi: Timestamp(1_003)
            }
        );
        assert!(clock.is_trusted());
    }

    #[test]
    fn the_floor_never_falls_and_a_signer_ahead_cannot_push_a_trusted_clock() {
        let clock = ClockInterval::exactly(Timestamp(500));
        assert_eq!(clock.raise_floor(Timestamp(400)), clock);
        assert_eq!(clock.raise_floor(Timestamp(900)), clock);
        assert_eq!(
            ClockInterval::at_least(Timestamp(500))
                .raise_floor(Timestamp(900))
                .lo,
            Timestamp(900)
        );
    }

    #[test]
    fn an_unbounded_clock_stays_unbounded_as_time_passes() {
        assert_eq!(
            ClockInterval::at_least(Timestamp(5)).after(10),
            ClockInterval::at_least(Timestamp(15))
        );
    }

    #[test]
    fn a_window_holds_its_first_second_and_not_its_end() {
        let window = Validity {
            from: Timestamp(10),
            until: Timestamp(20),
        };
        for (at, inside) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(window.contains(Timestamp(at)), inside, "{at}");
        }
        assert_eq!(window.seconds(), 10);
    }

    #[test]
    fn windows_overlap_if_they_share_a_second() {
        let window = |from, until| Validity {
            from: Timestamp(from),
            until: Timestamp(until),
        };
        let middle = window(10, 20);
        for (from, until, shared) in [
            (0, 10, false),
            (0, 11, true),
            (10, 20, true),
            (12, 13, true),
            (0, 99, true),
            (19, 30, true),
            (20, 30, false),
        ] {
            let other = window(from, until);
            assert_eq!(middle.overlaps(&other), shared, "{from} {until}");
            assert_eq!(other.overlaps(&middle), shared, "{from} {until}");
        }
    }

    #[test]
    fn a_time_prints_as_a_date_or_as_a_number_beyond_the_calendar() {
        use alloc::string::ToString;
        assert_eq!(Timestamp(1_782_907_200).to_string(), "2026-07-01T12:00:00Z");
        assert_eq!(Timestamp(u64::MAX).to_string(), "18446744073709551615");
    }
}

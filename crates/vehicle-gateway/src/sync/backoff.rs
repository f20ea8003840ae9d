//! How long to wait before dialing again.

use std::time::Duration;

/// The longest wait before the first new attempt.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait before any attempt.
const LONGEST: Duration = Duration::from_secs(60);

/// The wait before attempt number `attempt` (0 = the first after a failure): exponential, full jitter.
///
/// Anything from nothing to the bound, evenly by `random`, so that gateways that lost the same server at
/// the same moment do not come back at the same moment. The bound doubles from one second to one minute.
#[must_use]
pub fn delay(attempt: u32, random: u64) -> Duration {
    let bound = FIRST.saturating_mul(1 << attempt.min(6)).min(LONGEST);
    let bound_ns = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
    // The high half of the product spreads `random` evenly over 0..=bound.
    let scaled = (u128::from(random) * (u128::from(bound_ns) + 1)) >> 64;
    Duration::from_nanos(u64::try_from(scaled).unwrap_or(bound_ns))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bound_doubles_up_to_a_minute() {
        let bounds: Vec<u64> = (0..9)
            .map(|attempt| delay(attempt, u64::MAX).as_secs())
            .collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(delay(u32::MAX, u64::MAX), LONGEST);
    }

    proptest! {
        #[test]
        fn a_delay_lies_between_nothing_and_its_bound(attempt: u32, random: u64) {
            prop_assert!(delay(attempt, random) <= delay(attempt, u64::MAX));
            prop_assert_eq!(delay(attempt, 0), Duration::ZERO);
        }

        #[test]
        fn more_randomness_never_gives_a_shorter_delay(attempt in 0u32..9, a: u64, b: u64) {
            prop_assert!(delay(attempt, a.min(b)) <= delay(attempt, a.max(b)));
        }
    }
}

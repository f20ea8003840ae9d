//! What a decision may need to know about the car, as far as it is known and fresh.

use std::time::Duration;

use keys_core::area::Point;
use keys_core::decide::CarFacts;
use keys_core::refusal::{Refusal, Refusals};
use tokio::time::Instant;

use crate::connector::{CarState, Observed};

/// Older state counts as unknown.
const FRESH: Duration = Duration::from_secs(60);

/// Reasons that only the car's state can settle.
const ABOUT_THE_CAR: [Refusal; 5] = [
    Refusal::OutsideArea,
    Refusal::LocationUnknown,
    Refusal::StateStale,
    Refusal::CarMoving,
    Refusal::IgnitionOn,
];

/// Whether these reasons, found without knowing the car's state, make it worth reading.
#[must_use]
pub fn is_worth_reading(reasons: Refusals) -> bool {
    reasons.contains(Refusal::LocationUnknown) || reasons.contains(Refusal::StateStale)
}

/// The reasons without those that tell something about the car.
#[must_use]
pub fn without_the_car(reasons: Refusals) -> Refusals {
    reasons
        .iter()
        .filter(|reason| !ABOUT_THE_CAR.contains(reason))
        .collect()
}

/// The state as conditions see it.
#[must_use]
pub fn facts(state: &CarState, now: Instant) -> CarFacts {
    CarFacts {
        stationary: fresh(state.stationary.as_ref(), now).copied(),
        ignition_off: fresh(state.ignition_on.as_ref(), now).map(|on| !on),
        position: fresh(state.position.as_ref(), now)
            .and_then(|at| Point::new(at.latitude_e7.into(), at.longitude_e7.into()).ok()),
    }
}

fn fresh<T>(observed: Option<&Observed<T>>, now: Instant) -> Option<&T> {
    observed
        .filter(|seen| seen.age(now) <= FRESH)
        .map(|seen| &seen.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_state_older_than_a_minute_is_not_known() {
        let seen_at = Instant::now();
        let state = CarState {
            stationary: Some(Observed::new(true, seen_at)),
            ..CarState::default()
        };
        assert_eq!(facts(&state, seen_at + FRESH).stationary, Some(true));
        let later = seen_at + FRESH + Duration::from_millis(1);
        assert_eq!(facts(&state, later).stationary, None);
    }
}

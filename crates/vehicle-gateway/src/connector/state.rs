//! What is known about the car, and how old each piece of it is.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A value and the instant, on the gateway's monotonic clock, at which the car surely had it.
///
/// The instant never comes from the car's clock alone: a car's clock drifts and jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed<T> {
    /// What was seen.
    pub value: T,
    /// When it was seen, at the earliest.
    pub observed_at: Instant,
}

impl<T> Observed<T> {
    /// A value seen at `observed_at`.
    pub fn new(value: T, observed_at: Instant) -> Self {
        Self { value, observed_at }
    }

    /// How old the value is.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.observed_at)
    }

    /// The value, if it was seen after `instant`.
    pub fn newer_than(&self, instant: Instant) -> Option<&T> {
        (self.observed_at > instant).then_some(&self.value)
    }
}

/// A door, lid or bonnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Door {
    /// Front left.
    FrontLeft,
    /// Front right.
    FrontRight,
    /// Rear left.
    RearLeft,
    /// Rear right.
    RearRight,
    /// The lid of the luggage space.
    Trunk,
    /// The lid over the motor or the front luggage space.
    Hood,
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Window {
    /// Front left.
    FrontLeft,
    /// Front right.
    FrontRight,
    /// Rear left.
    RearLeft,
    /// Rear right.
    RearRight,
    /// The window in the roof.
    Roof,
}

/// A place on the Earth, in units of 1e-7 degree as in ck1 areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPosition")]
pub struct Position {
    /// Latitude, ±900000000.
    pub latitude_e7: i32,
    /// Longitude, ±1800000000.
    pub longitude_e7: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPosition {
    latitude_e7: i32,
    longitude_e7: i32,
}

impl TryFrom<RawPosition> for Position {
    type Error = &'static str;

    fn try_from(raw: RawPosition) -> Result<Self, Self::Error> {
        let on_earth = raw.latitude_e7.unsigned_abs() <= 900_000_000
            && raw.longitude_e7.unsigned_abs() <= 1_800_000_000;
        let position = Self {
            latitude_e7: raw.latitude_e7,
            longitude_e7: raw.longitude_e7,
        };
        on_earth
            .then_some(position)
            .ok_or("position is not on the Earth")
    }
}

/// The state of a car; a field is absent where the car or back-end does not tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CarState {
    /// Whether every lock is locked.
    pub locked: Option<Observed<bool>>,
    /// The doors that stand open.
    pub open_doors: Option<Observed<BTreeSet<Door>>>,
    /// The windows that stand open.
    pub open_windows: Option<Observed<BTreeSet<Window>>>,
    /// Whether the immobilizer is released, or the key in the car enabled.
    pub driving_enabled: Option<Observed<bool>>,
    /// Whether the flap of the charge port is open.
    pub charge_port_open: Option<Observed<bool>>,
    /// Whether the ignition, or its equivalent in an electric car, is on.
    pub ignition_on: Option<Observed<bool>>,
    /// Whether the car stands still.
    pub stationary: Option<Observed<bool>>,
    /// Speed in km/h.
    pub speed_kmh: Option<Observed<u16>>,
    /// Where the car is.
    pub position: Option<Observed<Position>>,
    /// Fuel in percent of the tank.
    pub fuel_percent: Option<Observed<u8>>,
    /// Charge in percent of the battery.
    pub charge_percent: Option<Observed<u8>>,
    /// Distance driven in km.
    pub odometer_km: Option<Observed<u32>>,
}

impl CarState {
    /// The state as it is shown: plain values with ages in milliseconds.
    #[must_use]
    pub fn view(&self, now: Instant) -> CarStateView {
        CarStateView {
            locked: aged(self.locked.as_ref(), now),
            open_doors: aged(self.open_doors.as_ref(), now),
            open_windows: aged(self.open_windows.as_ref(), now),
            driving_enabled: aged(self.driving_enabled.as_ref(), now),
            charge_port_open: aged(self.charge_port_open.as_ref(), now),
            ignition_on: aged(self.ignition_on.as_ref(), now),
            stationary: aged(self.stationary.as_ref(), now),
            speed_kmh: aged(self.speed_kmh.as_ref(), now),
            position: aged(self.position.as_ref(), now),
            fuel_percent: aged(self.fuel_percent.as_ref(), now),
            charge_percent: aged(self.charge_percent.as_ref(), now),
            odometer_km: aged(self.odometer_km.as_ref(), now),
        }
    }
}

fn aged<T: Clone>(observed: Option<&Observed<T>>, now: Instant) -> Option<Aged<T>> {
    observed.map(|seen| Aged {
        value: seen.value.clone(),
        age_ms: u64::try_from(seen.age(now).as_millis()).unwrap_or(u64::MAX),
    })
}

/// A value with its age, as shown in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aged<T> {
    /// What was seen.
    pub value: T,
    /// How long ago, in milliseconds.
    pub age_ms: u64,
}

/// [`CarState`] as shown in JSON: each field `{"value", "age_ms"}`, absent fields left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are those of CarState")]
pub struct CarStateView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<Aged<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_doors: Option<Aged<BTreeSet<Door>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_windows: Option<Aged<BTreeSet<Window>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driving_enabled: Option<Aged<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_port_open: Option<Aged<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignition_on: Option<Aged<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stationary: Option<Aged<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_kmh: Option<Aged<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Aged<Position>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_percent: Option<Aged<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_percent: Option<Aged<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odometer_km: Option<Aged<u32>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_view_shows_each_field_with_its_age_and_leaves_out_what_is_not_known() {
        let seen_at = Instant::now();
        let state = CarState {
            locked: Some(Observed::new(true, seen_at)),
            ..CarState::default()
        };
        let view = state.view(seen_at + Duration::from_millis(1500));
        assert_eq!(
            serde_json::to_value(view).unwrap(),
            serde_json::json!({"locked": {"value": true, "age_ms": 1500}})
        );
    }

    #[test]
    fn a_position_off_the_earth_is_refused() {
        let parse = |latitude: i64, longitude: i64| {
            let json = serde_json::json!({"latitude_e7": latitude, "longitude_e7": longitude});
            serde_json::from_value::<Position>(json).is_ok()
        };
        assert!(parse(900_000_000, -1_800_000_000));
        assert!(!parse(900_000_001, 0));
        assert!(!parse(0, -1_800_000_001));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_taken_at_the_very_instant_of_the_command_is_not_newer() {
        let now = Instant::now();
        assert_eq!(Observed::new(1, now).newer_than(now), None);
        assert_eq!(
            Observed::new(1, now + Duration::from_nanos(1)).newer_than(now),
            Some(&1)
        );
    }
}

//! What can be wrong with the simulated car.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::connector::{Door, Position, Window};

/// Everything that is wrong, all at once; the default is a healthy car, parked, shut and awake.
///
/// Setting faults replaces all of them, so what is left out is well again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Slow: extra time the car takes before it acts, in ms. It drops the command at its expiry.
    pub slow_ms: u32,
    /// Late: the car ignores the command's expiry, so a slow one acts after everybody gave up.
    pub late: bool,
    /// Silent: the car takes a command and tells nothing newer than before.
    pub silent: Silence,
    /// Jammed: the lock motor does not move the lock.
    pub jammed: bool,
    /// Offline: neither the car nor its back-end answers.
    pub offline: bool,
    /// Asleep: the car sleeps from now on, and again half a minute after each waking.
    pub asleep: bool,
    /// Never wakes: waking it has no effect.
    pub never_wakes: bool,
    /// Refusing: the back-end refuses every command, for reasons of its own.
    pub refusing: bool,
    /// Moving: 50 km/h with the ignition on.
    pub moving: bool,
    /// The ignition is on.
    pub ignition_on: bool,
    /// Doors that stand open.
    pub open_doors: BTreeSet<Door>,
    /// Windows that stand open.
    pub open_windows: BTreeSet<Window>,
    /// Drifting clock: how much the car's clock gains, in parts per million; negative loses.
    pub clock_drift_ppm: i32,
    /// How far the car's clock is off, in ms; negative is behind.
    pub clock_offset_ms: i64,
    /// Somewhere else than where the car was set up.
    pub position: Option<Position>,
}

/// What a silent car does with a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// It is not silent.
    #[default]
    No,
    /// It acts and does not say so.
    Acts,
    /// It does not act and does not say so.
    Ignores,
}

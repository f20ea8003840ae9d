//! Which reading proves that a command took effect.

use keys_core::command::VehicleCommand;
use tokio::time::Instant;

use super::{CarState, Door, Observed};

/// Whether `state` shows the effect of `command`, by a reading newer than `since`.
///
/// `None` if no such reading is there. For commands that change nothing in the car (`locate`), the newer
/// reading itself is the effect.
#[must_use]
pub fn effect_of(command: VehicleCommand, state: &CarState, since: Instant) -> Option<bool> {
    match command {
        VehicleCommand::Unlock => newer(state.locked.as_ref(), since).map(|locked| !locked),
        VehicleCommand::Lock => newer(state.locked.as_ref(), since).copied(),
        VehicleCommand::EnableDriving => newer(state.driving_enabled.as_ref(), since).copied(),
        VehicleCommand::OpenTrunk => {
            newer(state.open_doors.as_ref(), since).map(|open| open.contains(&Door::Trunk))
        }
        VehicleCommand::ChargePort => newer(state.charge_port_open.as_ref(), since).copied(),
        VehicleCommand::Locate => newer(state.position.as_ref(), since).map(|_| true),
        // A command added later has no proof until one is written here, so it ends as unknown.
        _ => None,
    }
}

fn newer<T>(observed: Option<&Observed<T>>, since: Instant) -> Option<&T> {
    observed.and_then(|seen| seen.newer_than(since))
}

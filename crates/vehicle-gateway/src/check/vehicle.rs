//! Is it for this car? One generic refusal, whatever is for another one.

use keys_core::id::VehicleId;
use keys_core::presentation::{Presentation, PresentedKey};
use keys_core::refusal::Refusal;

/// Compares the vehicle of the challenge and of the key's first link.
pub(super) fn check(presentation: &Presentation<'_>, vehicle: VehicleId) -> Result<(), Refusal> {
    let challenge = presentation.challenge.unverified_body().vehicle;
    let key = match &presentation.key {
        PresentedKey::Whole(key) => key.unverified_vehicle(),
        PresentedKey::Cached(_) => None,
    };
    if challenge == vehicle && key.is_none_or(|named| named == vehicle) {
        Ok(())
    } else {
        Err(Refusal::WrongVehicle)
    }
}

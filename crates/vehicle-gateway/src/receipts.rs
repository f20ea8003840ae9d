//! Signing receipts (M3).

use keys_core::envelope::{NO_REST, Sealed, seal};
use keys_core::id::{CommandId, VehicleId};
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusals;
use keys_core::signature::{SignError, SigningKey};
use keys_core::time::Timestamp;

use crate::check::Signed;
use crate::core::Core;
use crate::store::{CommandRecord, Place};

/// Signs receipts of one moment.
pub(crate) struct Sealer {
    key: SigningKey,
    vehicle: VehicleId,
    time: Timestamp,
    clock_trusted: bool,
}

impl Core {
    /// For receipts of this moment.
    pub(crate) fn sealer(&self, vehicle: VehicleId) -> Sealer {
        let clock = self.interval();
        Sealer {
            key: self.key.clone(),
            vehicle,
            time: clock.lo,
            clock_trusted: clock.is_trusted(),
        }
    }
}

impl Sealer {
    /// The receipt of an outcome; a later one names the first.
    pub(crate) fn outcome(
        &self,
        id: CommandId,
        place: Place,
        record: &CommandRecord,
    ) -> Result<Sealed, SignError> {
        let receipt = Receipt {
            links: record.links.clone(),
            command: record.command,
            vehicle: self.vehicle,
            command_id: id,
            allowed: true,
            reasons: record.reasons,
            outcome: record.outcome,
            presentation: record.presentation,
            journal: (place.index, place.head),
            time: self.time,
            clock_trusted: self.clock_trusted,
            follows: record.first_receipt,
        };
        seal(&receipt, &self.key, NO_REST)
    }

    /// The receipt of a refusal.
    pub(crate) fn refusal(
        &self,
        signed: &Signed,
        reasons: Refusals,
        place: Place,
    ) -> Result<Sealed, SignError> {
        let receipt = Receipt {
            links: signed.key.links().clone(),
            command: signed.proof.command,
            vehicle: self.vehicle,
            command_id: signed.proof.command_id,
            allowed: false,
            reasons,
            outcome: None,
            presentation: signed.hash,
            journal: (place.index, place.head),
            time: self.time,
            clock_trusted: self.clock_trusted,
            follows: None,
        };
        seal(&receipt, &self.key, NO_REST)
    }
}

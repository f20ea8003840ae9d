//! Holders as the API knows them.

use super::id::{HolderSessionId, KeyId, VehicleId};

/// What a redeem returned: views and relays for one key. It never opens a car by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderSession {
    /// Its id.
    pub id: HolderSessionId,
    /// The one key it is about.
    pub key: KeyId,
    /// That key's vehicle.
    pub vehicle: VehicleId,
}

//! The owner key of a managed vehicle, opened for one signature.

use keys_core::signature::SigningKey;

use super::key_store::{self, KeyStoreError};
use crate::model::vehicle::{KeyCustody, Vehicle};
use crate::state::App;
use crate::storage::signing_keys::{self, SigningKeyKind};
use crate::storage::{Conn, StorageError};

/// The owner key of a managed vehicle; `None` for a sovereign one, whose owner signs on a device.
///
/// # Errors
/// [`KeyStoreError`]
pub async fn of_managed(
    app: &App,
    db: &impl Conn,
    vehicle: &Vehicle,
) -> Result<Option<SigningKey>, KeyStoreError> {
    if vehicle.custody == KeyCustody::Sovereign {
        return Ok(None);
    }
    let stored = signing_keys::owner_of(db, vehicle.id)
        .await?
        .ok_or(StorageError::damaged("signing_keys.vehicle_id"))?;
    key_store::open(app, SigningKeyKind::Owner, &stored)
}

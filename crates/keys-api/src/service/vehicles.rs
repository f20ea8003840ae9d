//! Registering, changing and removing vehicles.

use keys_core::signature::VerifyingKey;

use crate::model::id::{AccountId, VehicleId};
use crate::model::vehicle::{KeyCustody, Vehicle, VehicleDetails};
use crate::service::key_store;
use crate::state::App;
use crate::storage::signing_keys::{SigningKeyKind, StoredSigningKey};
use crate::storage::{StorageError, Tx, keys, vehicles};

/// Why a vehicle could not be changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum VehicleError {
    /// Signed keys still open it, and nobody could revoke them afterwards.
    #[error("{0} signed keys still open the vehicle")]
    HasKeys(usize),
    /// The caller has no such vehicle.
    #[error("no such vehicle")]
    NotFound,
    /// The store failed.
    #[error("could not read or write the vehicle")]
    Storage(#[from] StorageError),
}

/// Registers a vehicle. With an `owner_key` it is sovereign; without one the platform makes and keeps
/// the owner key.
///
/// # Errors
/// [`StorageError`]
pub async fn register(
    app: &App,
    tx: &Tx,
    account_id: AccountId,
    details: VehicleDetails,
    owner_key: Option<VerifyingKey>,
) -> Result<(Vehicle, StoredSigningKey), StorageError> {
    let now = app.clock.now();
    let custody = if owner_key.is_some() {
        KeyCustody::Sovereign
    } else {
        KeyCustody::Managed
    };
    let id: VehicleId = app.new_id();
    let vehicle = Vehicle {
        id,
        account_id,
        details,
        custody,
        platform_gateway: false,
        created_at: now,
        updated_at: now,
    };
    vehicles::insert(tx, &vehicle).await?;
    let owner = match owner_key {
        Some(key) => key_store::adopt_owner(app, tx, vehicle.id, &key).await?,
        None => key_store::create(app, tx, SigningKeyKind::Owner, Some(vehicle.id)).await?,
    };
    Ok((vehicle, owner))
}

/// Changes an owner's vehicle by `change`.
///
/// # Errors
/// [`VehicleError`]
pub async fn update(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    id: VehicleId,
    change: impl FnOnce(&mut VehicleDetails),
) -> Result<Vehicle, VehicleError> {
    let mut vehicle = vehicles::of(owner)
        .find(tx, id)
        .await?
        .ok_or(VehicleError::NotFound)?;
    change(&mut vehicle.details);
    vehicle.updated_at = app.clock.now();
    vehicles::update(tx, &vehicle).await?;
    Ok(vehicle)
}

/// Removes an owner's vehicle from sight, once no signed key opens it any more. Its record stays.
///
/// # Errors
/// [`VehicleError`]
pub async fn remove(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    id: VehicleId,
) -> Result<(), VehicleError> {
    let vehicle = vehicles::of(owner)
        .find(tx, id)
        .await?
        .ok_or(VehicleError::NotFound)?;
    let now = app.clock.now();
    let live = keys::live_of_vehicle(tx, vehicle.id, now).await?;
    let signed = live.iter().filter(|key| key.chain.is_some()).count();
    if signed > 0 {
        return Err(VehicleError::HasKeys(signed));
    }
    vehicles::remove(tx, vehicle.id, now).await?;
    Ok(())
}

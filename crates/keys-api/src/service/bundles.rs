//! Trust bundles: signed here for managed vehicles, taken from sovereign owners' devices.

use keys_core::bundle::Bundle;
use keys_core::envelope::{NO_REST, Sealed, seal};
use keys_core::refusal::Refusal;
use keys_core::signature::{Signer, SigningKey, VerifyingKey};

use super::anchors::{self, AnchorError};
use super::statements::{self, StatementError};
use super::trust;
use crate::model::statement::StoredBundle;
use crate::model::vehicle::{KeyCustody, Vehicle};
use crate::state::App;
use crate::storage::{Conn, StorageError, StorageErrorKind, Tx, bundles, gateways};

/// Why a bundle was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The platform signs for a managed vehicle.
    #[error("the vehicle is managed: the platform signs its bundles")]
    PlatformSigns,
    /// It is not signed by an owner key, or not a bundle.
    #[error("the bundle does not hold: {0}")]
    Refused(Refusal),
    /// Its number is not above the newest.
    #[error("the bundle's seq is not above {0}")]
    Rollback(u64),
    /// The links below the platform root could not be signed.
    #[error("could not sign the platform's links")]
    Anchors(#[from] AnchorError),
    /// The statement could not be signed.
    #[error("could not sign the statement")]
    Statement(#[from] StatementError),
    /// The store failed.
    #[error("could not read or write the bundle")]
    Storage(#[from] StorageError),
}

impl AsRef<StorageErrorKind> for BundleError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Storage(error) => error.as_ref(),
            Self::Statement(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// Signs the next bundle of a managed vehicle, naming `gateway_key`. Nothing is stored.
///
/// # Errors
/// [`StorageError`]
pub async fn prepare(
    app: &App,
    db: &impl Conn,
    vehicle: &Vehicle,
    owner: &SigningKey,
    gateway_key: VerifyingKey,
) -> Result<(Bundle, Sealed), BundleError> {
    let newest = bundles::newest(db, vehicle.id).await?;
    let trust = trust::load(app, db, vehicle, app.clock.now()).await?;
    let bundle = Bundle {
        vehicle: vehicle.id.core(),
        issued_at: app.clock.now(),
        seq: newest.map_or(0, |newest| newest.seq) + 1,
        owner_keys: [*owner.verifying_key()].into_iter().collect(),
        platform_root: Some(app.platform().root),
        gateway_key,
        mandate_allowed: true,
        least_generation: trust.generation,
        platform_operated: vehicle.platform_gateway,
        page_origin: app
            .origin
            .starts_with("https://")
            .then(|| app.origin.clone()),
    };
    let sealed =
        seal(&bundle, owner, NO_REST).map_err(|_| BundleError::Refused(Refusal::BadSignature))?;
    Ok((bundle, sealed))
}

/// Takes a bundle that a sovereign owner's device signed.
///
/// # Errors
/// [`BundleError`]
pub async fn adopt(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    bytes: Vec<u8>,
) -> Result<(Bundle, StoredBundle), BundleError> {
    if vehicle.custody == KeyCustody::Managed {
        return Err(BundleError::PlatformSigns);
    }
    let trust = trust::load(app, tx, vehicle, app.clock.now()).await?;
    let bundle = trust::verify_bundle(&bytes, &trust.roots).map_err(BundleError::Refused)?;
    if bundle.vehicle != vehicle.id.core() {
        return Err(BundleError::Refused(Refusal::WrongVehicle));
    }
    let stored = store(app, tx, vehicle, &bundle, bytes).await?;
    Ok((bundle, stored))
}

/// Stores a verified bundle, and signs what its vehicle needs from the platform.
///
/// # Errors
/// [`BundleError`]
pub async fn store(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    bundle: &Bundle,
    bytes: Vec<u8>,
) -> Result<StoredBundle, BundleError> {
    let now = app.clock.now();
    let newest = bundles::newest(tx, vehicle.id).await?;
    if let Some(newest) = newest {
        if newest.bytes == bytes {
            return Ok(newest);
        }
        if bundle.seq <= newest.seq {
            return Err(BundleError::Rollback(newest.seq));
        }
    }
    let stored = StoredBundle {
        vehicle: vehicle.id,
        seq: bundle.seq,
        bytes,
        gateway_key: *bundle.gateway_key.as_bytes(),
        issued_at: bundle.issued_at,
    };
    bundles::insert(tx, &stored, now).await?;
    gateways::adopt(tx, vehicle.id, stored.gateway_key, now).await?;
    anchors::ensure(app, tx, vehicle).await?;
    statements::sign_platform(app, tx, vehicle).await?;
    Ok(stored)
}

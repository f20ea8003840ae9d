//! The key store: signing keys of the platform and of managed owners, encrypted under the master key.

use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::model::id::VehicleId;
use crate::random;
use crate::sealer::OpenError;
use crate::state::App;
use crate::storage::signing_keys::{self, SigningKeyKind, StoredSigningKey};
use crate::storage::{StorageError, Tx};

/// Why a stored key could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The master key is not the one it was sealed under.
    #[error("a stored signing key does not open under this master key")]
    Sealed(#[from] OpenError),
    /// The store failed.
    #[error("could not read or write the key store")]
    Storage(#[from] StorageError),
}

/// Makes and stores a signing key.
///
/// # Errors
/// [`StorageError`]
pub async fn create(
    app: &App,
    tx: &Tx,
    kind: SigningKeyKind,
    vehicle: Option<VehicleId>,
) -> Result<StoredSigningKey, StorageError> {
    let seed = Zeroizing::new(random::bytes::<32>(app.random.as_ref()));
    let public = *SigningKey::from_seed(&seed).verifying_key().as_bytes();
    let sealed_seed = Some(
        app.sealer
            .seal(kind.as_str(), seed.as_slice(), app.random.as_ref()),
    );
    let key = StoredSigningKey {
        id: app.new_id(),
        vehicle,
        public,
        sealed_seed,
    };
    signing_keys::insert(tx, kind, &key, app.clock.now()).await?;
    Ok(key)
}

/// Stores the public half of a sovereign owner's key.
///
/// # Errors
/// [`StorageError`]
pub async fn adopt_owner(
    app: &App,
    tx: &Tx,
    vehicle: VehicleId,
    owner: &VerifyingKey,
) -> Result<StoredSigningKey, StorageError> {
    let key = StoredSigningKey {
        id: app.new_id(),
        vehicle: Some(vehicle),
        public: *owner.as_bytes(),
        sealed_seed: None,
    };
    signing_keys::insert(tx, SigningKeyKind::Owner, &key, app.clock.now()).await?;
    Ok(key)
}

/// The signing key in `stored`; `None` if only its public half is known.
///
/// # Errors
/// [`KeyStoreError::Sealed`]
pub fn open(
    app: &App,
    kind: SigningKeyKind,
    stored: &StoredSigningKey,
) -> Result<Option<SigningKey>, KeyStoreError> {
    let Some(sealed) = &stored.sealed_seed else {
        return Ok(None);
    };
    let plain = app.sealer.open(kind.as_str(), sealed)?;
    let seed = Zeroizing::new(<[u8; 32]>::try_from(plain.as_slice()).map_err(|_| OpenError)?);
    Ok(Some(SigningKey::from_seed(&seed)))
}

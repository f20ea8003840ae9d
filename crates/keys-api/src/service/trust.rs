//! What a vehicle believes, as its newest bundle says.

use keys_core::anchors::AnchorStore;
use keys_core::bundle::Bundle;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;
use keys_core::time::Timestamp;
use keys_core::trust::Roots;

use crate::model::statement::{Authority, LinkKind, StoredBundle};
use crate::model::vehicle::{KeyCustody, Vehicle};
use crate::state::App;
use crate::storage::{
    Conn, StorageError, bundles, keys, links, mandates, signing_keys, statements,
};

/// The pinned keys of a vehicle and the anchors below them.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The vehicle, in the words of the key format.
    pub vehicle: keys_core::id::VehicleId,
    /// Whom links may start from. Without a bundle: the registered owner key and this platform.
    pub roots: Roots,
    /// The newest bundle.
    pub bundle: Option<Bundle>,
    /// Mandate, issuer and status links that are not over.
    pub anchors: AnchorStore,
    /// Least generation of first links.
    pub generation: u64,
}

/// Loads what a vehicle believes at `now`.
///
/// # Errors
/// [`StorageError`]
pub async fn load(
    app: &App,
    db: &impl Conn,
    vehicle: &Vehicle,
    now: Timestamp,
) -> Result<Trust, StorageError> {
    let stored = bundles::newest(db, vehicle.id).await?;
    let bundle = stored.as_ref().map(read_bundle).transpose()?;
    let roots = match &bundle {
        Some(bundle) => bundle.roots(),
        None => registered_roots(app, db, vehicle).await?,
    };
    let kinds = [LinkKind::Mandate, LinkKind::Issuer, LinkKind::Status];
    let live = links::live(db, vehicle.id, &kinds, now).await?;
    let anchors = AnchorStore::from_links(
        live.iter().map(|link| link.bytes.as_slice()),
        vehicle.id.core(),
        &roots,
    );
    let sequence = statements::sequence(db, vehicle.id, Authority::Owner).await?;
    let in_bundle = bundle.as_ref().map_or(0, |bundle| bundle.least_generation);
    Ok(Trust {
        vehicle: vehicle.id.core(),
        roots,
        bundle,
        anchors,
        generation: in_bundle.max(sequence.least_generation),
    })
}

async fn registered_roots(
    app: &App,
    db: &impl Conn,
    vehicle: &Vehicle,
) -> Result<Roots, StorageError> {
    let owner = signing_keys::owner_of(db, vehicle.id).await?;
    let owner = owner
        .map(|owner| VerifyingKey::decode(&owner.public))
        .transpose()
        .map_err(|_| StorageError::damaged("signing_keys.public_key"))?;
    Ok(Roots {
        owner_keys: owner.into_iter().collect(),
        platform_root: Some(app.platform().root),
        mandate_allowed: true,
    })
}

/// What a stored bundle says. It was verified before it was stored.
///
/// # Errors
/// [`StorageError::Damaged`]
pub fn read_bundle(stored: &StoredBundle) -> Result<Bundle, StorageError> {
    Unverified::<Bundle>::decode(&stored.bytes)
        .map(|bundle| bundle.unverified_body().clone())
        .map_err(|_| StorageError::damaged("bundles.bytes"))
}

/// Verifies a bundle against the owner keys of the one before it.
///
/// # Errors
/// Why it is not believed.
pub fn verify_bundle(bytes: &[u8], roots: &Roots) -> Result<Bundle, Refusal> {
    let bundle = Unverified::<Bundle>::decode(bytes)?;
    Ok(bundle.verify_any(&roots.owner_keys, NO_REST)?.into_body())
}

impl Trust {
    /// Whether links of this platform mean anything to the vehicle.
    #[must_use]
    pub fn names_platform(&self, app: &App) -> bool {
        self.roots.platform_root == Some(app.platform().root)
    }
}

/// How far an owner must trust this platform; the weakest that applies. Source: ck1 section 8.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TrustTier {
    /// The platform holds the owner key, runs the gateway, or holds a live key's holder key.
    PlatformTrusted,
    /// A mandate is live: the platform issues within signed limits.
    Mandated,
    /// Only the owner's own device opens or lets others open.
    Sovereign,
}

/// The tier of a vehicle at `now`.
///
/// # Errors
/// [`StorageError`]
pub async fn tier(
    db: &impl Conn,
    vehicle: &Vehicle,
    now: Timestamp,
) -> Result<TrustTier, StorageError> {
    let trusted = vehicle.custody == KeyCustody::Managed
        || vehicle.platform_gateway
        || keys::any_server_held(db, vehicle.id, now).await?;
    if trusted {
        Ok(TrustTier::PlatformTrusted)
    } else if mandates::live(db, vehicle.id, now).await?.is_empty() {
        Ok(TrustTier::Sovereign)
    } else {
        Ok(TrustTier::Mandated)
    }
}

//! The platform root's links: to the issuer below a mandate, and to the status key. Thirty days each,
//! renewed ten days before their end, so that an old and a new one overlap.

use keys_core::entitlement::Entitlements;
use keys_core::envelope::Sealed;
use keys_core::id::ObjectId;
use keys_core::link::{Claims, sign_link};
use keys_core::policy::Policy;
use keys_core::signature::{SignError, Signer, SigningKey};
use keys_core::time::{Timestamp, Validity};

use super::trust::{self, Trust};
use crate::model::id::VehicleId;
use crate::model::statement::{Authority, LinkKind, Mandate, StoredLink};
use crate::model::vehicle::Vehicle;
use crate::state::App;
use crate::storage::{Conn, StorageError, Tx, denied_links, links, mandates};

/// How long such a link lives.
pub const LINK_S: u64 = 30 * 86_400;
/// Renewed this long before its end.
pub const RENEW_S: u64 = 10 * 86_400;
/// Links begin this long before they are signed: a car's clock may be behind, and a key may begin in
/// the hour in which it is issued.
pub const BACKDATED_S: u64 = 3_600;

/// Why the links could not be renewed.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The root could not sign.
    #[error("the platform root could not sign")]
    Sign(#[from] SignError),
    /// The store failed.
    #[error("could not read or write the links")]
    Storage(#[from] StorageError),
}

impl AsRef<crate::storage::StorageErrorKind> for AnchorError {
    fn as_ref(&self) -> &crate::storage::StorageErrorKind {
        match self {
            Self::Sign(_) => &crate::storage::StorageErrorKind::Other,
            Self::Storage(error) => error.as_ref(),
        }
    }
}

/// Signs what is missing or about to end for a vehicle; returns whether anything was signed.
///
/// Does nothing for a vehicle whose bundle does not name this platform, or while the root's file is
/// away; a day before the end the latter is logged as an error.
///
/// # Errors
/// [`AnchorError`]
pub async fn ensure(app: &App, tx: &Tx, vehicle: &Vehicle) -> Result<bool, AnchorError> {
    let now = app.clock.now();
    let trust = trust::load(app, tx, vehicle, now).await?;
    if !trust.names_platform(app) {
        return Ok(false);
    }
    let Some(root) = app.platform().root_key() else {
        tracing::warn!(vehicle = %vehicle.id, "the platform root's file is away; links are not renewed");
        return Ok(false);
    };
    let anchors = Anchors {
        app,
        tx,
        vehicle,
        trust: &trust,
        root,
        now,
    };
    let mut signed = false;
    if trust.bundle.is_some() {
        signed |= anchors.ensure_status().await?;
    }
    if let Some(mandate) = mandates::live(tx, vehicle.id, now).await?.first() {
        signed |= anchors.ensure_issuer(mandate).await?;
    }
    Ok(signed)
}

/// Whether a vehicle may need [`ensure`]: a cheap look, without a transaction.
///
/// # Errors
/// [`StorageError`]
pub async fn due(app: &App, db: &impl Conn, vehicle: VehicleId) -> Result<bool, StorageError> {
    let now = app.clock.now();
    let kinds = [LinkKind::Status, LinkKind::Issuer];
    let live = links::live(db, vehicle, &kinds, now.plus(RENEW_S)).await?;
    let has = |kind: LinkKind| live.iter().any(|link| link.kind == kind);
    let mandate = mandates::live(db, vehicle, now).await?.into_iter().next();
    // An issuer link that reaches its mandate's end cannot be renewed.
    let complete = match &mandate {
        None => true,
        Some(mandate) if mandate.window.until <= now.plus(RENEW_S) => true,
        Some(mandate) => live.iter().any(|link| link.parent == Some(mandate.link)),
    };
    Ok(!has(LinkKind::Status) || !complete)
}

/// The issuer's links that are neither over nor denied.
///
/// # Errors
/// [`StorageError`]
pub async fn standing_issuers(
    app: &App,
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<Vec<StoredLink>, StorageError> {
    let holder = *app.platform().issuer.verifying_key().as_bytes();
    let mut standing = links::live(db, vehicle, &[LinkKind::Issuer], now).await?;
    standing.retain(|link| link.holder == holder);
    for authority in [Authority::Owner, Authority::Platform] {
        let denied = denied_links::listed(db, vehicle, authority, now).await?;
        standing.retain(|link| denied.iter().all(|entry| entry.short != link.id.short()));
    }
    Ok(standing)
}

struct Anchors<'a> {
    app: &'a App,
    tx: &'a Tx,
    vehicle: &'a Vehicle,
    trust: &'a Trust,
    root: &'a SigningKey,
    now: Timestamp,
}

impl Anchors<'_> {
    async fn ensure_status(&self) -> Result<bool, AnchorError> {
        let holder = *self.app.platform().status.verifying_key().as_bytes();
        let live = links::live(self.tx, self.vehicle.id, &[LinkKind::Status], self.now).await?;
        let stands = live.iter().any(|link| {
            link.holder == holder
                && link.window.until > self.now.plus(RENEW_S)
                && generation_of(&link.bytes) >= Some(self.trust.generation)
        });
        if stands {
            return Ok(false);
        }
        let mut claims = self.claims(holder, self.window(None), Entitlements::SIGN_STATUS);
        claims.vehicle = Some(self.trust.vehicle);
        claims.policy.generation = (self.trust.generation > 0).then_some(self.trust.generation);
        self.store(LinkKind::Status, &claims, None).await?;
        Ok(true)
    }

    async fn ensure_issuer(&self, mandate: &Mandate) -> Result<bool, AnchorError> {
        let holder = *self.app.platform().issuer.verifying_key().as_bytes();
        let live = standing_issuers(self.app, self.tx, self.vehicle.id, self.now).await?;
        let enough = mandate.window.until.min(self.now.plus(RENEW_S));
        let stands = live
            .iter()
            .any(|link| link.parent == Some(mandate.link) && link.window.until >= enough);
        if stands || mandate.window.from > self.now {
            return Ok(false);
        }
        let window = self.window(Some(mandate.window));
        let mut claims = self.claims(holder, window, mandate.entitlements);
        claims.policy.delegations = mandate.delegations.saturating_sub(1);
        self.store(LinkKind::Issuer, &claims, Some(mandate.link))
            .await?;
        Ok(true)
    }

    fn window(&self, inside: Option<Validity>) -> Validity {
        let from = Timestamp(self.now.0.saturating_sub(BACKDATED_S));
        let until = self.now.plus(LINK_S);
        match inside {
            None => Validity { from, until },
            Some(outer) => Validity {
                from: from.max(outer.from),
                until: until.min(outer.until),
            },
        }
    }

    fn claims(&self, holder: [u8; 32], validity: Validity, entitlements: Entitlements) -> Claims {
        Claims {
            vehicle: None,
            validity,
            grant_id: None,
            holder,
            policy: Policy::of(entitlements),
            booking_hash: None,
        }
    }

    async fn store(
        &self,
        kind: LinkKind,
        claims: &Claims,
        parent: Option<ObjectId>,
    ) -> Result<(), AnchorError> {
        let mut claims = claims.clone();
        let mut sealed = sign_link(&claims, self.root, parent.as_ref())?;
        // Signatures are deterministic: the same claims in the same second would be the same link, and
        // one that was denied would come back dead. A second less makes another.
        while links::find(self.tx, sealed.id).await?.is_some() {
            claims.validity.until = Timestamp(claims.validity.until.0.saturating_sub(1));
            sealed = sign_link(&claims, self.root, parent.as_ref())?;
        }
        let link = stored_link(self.vehicle, kind, &claims, parent, sealed, self.now);
        links::insert(self.tx, &link).await?;
        Ok(())
    }
}

/// A signed link as it is stored.
#[must_use]
pub fn stored_link(
    vehicle: &Vehicle,
    kind: LinkKind,
    claims: &Claims,
    parent: Option<ObjectId>,
    sealed: Sealed,
    now: Timestamp,
) -> StoredLink {
    StoredLink {
        id: sealed.id,
        vehicle: vehicle.id,
        kind,
        parent,
        key: None,
        grant: claims.grant_id,
        holder: claims.holder,
        bytes: sealed.bytes,
        window: claims.validity,
        label: None,
        created_at: now,
    }
}

/// The generation a first link states.
#[must_use]
pub fn generation_of(link: &[u8]) -> Option<u64> {
    let link = keys_core::key::UnverifiedLink::decode(link).ok()?;
    Some(link.unverified_body().policy.generation.unwrap_or(0))
}

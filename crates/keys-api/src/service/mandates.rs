//! Mandates: an owner lets the platform issue keys within signed limits, and ends it with one
//! signature.

use keys_core::anchors::AnchorRole;
use keys_core::entitlement::Entitlements;
use keys_core::id::ObjectId;
use keys_core::key::UnverifiedLink;
use keys_core::link::{Claims, sign_link};
use keys_core::policy::{NO_OUTAGE_LIMIT, Policy};
use keys_core::refusal::Refusal;
use keys_core::signature::SignError;
use keys_core::time::{Timestamp, Validity};
use keys_core::{envelope::Sealed, limits};
use serde_json::json;

use super::anchors::{self, AnchorError, BACKDATED_S, stored_link};
use super::denials;
use super::key_store::KeyStoreError;
use super::owner_keys;
use super::statements::{self, StatementError};
use super::trust::{self, Trust};
use crate::model::id::AccountId;
use crate::model::key::Denial;
use crate::model::statement::{Authority, DenialKind, DeniedLink, LinkKind, Mandate, StoredLink};
use crate::model::vehicle::{KeyCustody, Vehicle};
use crate::outbox::{self, EventKind};
use crate::state::App;
use crate::storage::{StorageError, StorageErrorKind, Tx, denied_links, links, mandates};

/// What a managed owner lets the platform do.
#[derive(Debug, Clone)]
pub struct MandateTerms {
    /// What keys may do at most.
    pub entitlements: Entitlements,
    /// Longest key, seconds.
    pub max_duration_s: u64,
    /// Greatest statement age before a trip began, seconds.
    pub outage_limit_s: u32,
    /// Further delegations of the mandate's own link.
    pub delegations: u8,
    /// Longest lock-only grace after a key's end, seconds.
    pub grace_s: u32,
    /// End.
    pub valid_until: Timestamp,
}

/// Why a mandate was not taken or ended.
#[derive(Debug, thiserror::Error)]
pub enum MandateError {
    /// The owner's device must sign, because the platform has no owner key.
    #[error("the vehicle is sovereign: the owner's device signs")]
    OwnerMustSign,
    /// The platform signs for a managed vehicle; posting a link is for sovereign ones.
    #[error("the vehicle is managed: the platform signs")]
    PlatformSigns,
    /// There is none.
    #[error("no live mandate")]
    None,
    /// The bundle forbids mandates or names no platform.
    #[error("the vehicle's bundle does not allow a mandate to this platform")]
    NotAllowed,
    /// A posted link does not hold.
    #[error("the link does not hold: {0}")]
    Refused(Refusal),
    /// The end is not in the future, or over 400 days away.
    #[error("must lie in the future and at most 400 days ahead")]
    Until,
    /// The key store failed.
    #[error("could not open the owner key")]
    KeyStore(#[from] KeyStoreError),
    /// The signer failed.
    #[error("could not sign")]
    Sign(#[from] SignError),
    /// The statement could not be signed.
    #[error("could not sign the statement")]
    Statement(#[from] StatementError),
    /// The store failed.
    #[error("could not read or write the mandate")]
    Storage(#[from] StorageError),
}

impl From<AnchorError> for MandateError {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::Sign(error) => error.into(),
            AnchorError::Storage(error) => error.into(),
        }
    }
}

impl AsRef<StorageErrorKind> for MandateError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Storage(error) => error.as_ref(),
            Self::Statement(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// Signs a mandate for a managed vehicle, and the links below it.
///
/// An earlier mandate stays until its end or until all are revoked; new keys are issued below the
/// newest.
///
/// # Errors
/// [`MandateError`]
pub async fn sign(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    terms: MandateTerms,
) -> Result<(Mandate, StoredLink), MandateError> {
    let owner = owner_keys::of_managed(app, tx, vehicle)
        .await?
        .ok_or(MandateError::OwnerMustSign)?;
    let now = app.clock.now();
    let validity = Validity {
        from: Timestamp(now.0.saturating_sub(BACKDATED_S)),
        until: terms.valid_until,
    };
    if terms.valid_until <= now || validity.seconds() > limits::LONG_WINDOW_S {
        return Err(MandateError::Until);
    }
    let trust = trust::load(app, tx, vehicle, now).await?;
    let claims = Claims {
        vehicle: Some(trust.vehicle),
        validity,
        grant_id: None,
        holder: *app.platform().root.as_bytes(),
        policy: Policy {
            delegations: terms.delegations,
            outage_limit_s: Some(terms.outage_limit_s),
            generation: (trust.generation > 0).then_some(trust.generation),
            max_window_s: Some(terms.max_duration_s),
            grace_s: Some(terms.grace_s),
            ..Policy::of(terms.entitlements)
        },
        booking_hash: None,
    };
    let sealed = sign_link(&claims, &owner, None)?;
    adopt_verified(app, tx, vehicle, &trust, sealed.bytes).await
}

/// Takes a mandate that a sovereign owner's device signed, and signs the links below it.
///
/// # Errors
/// [`MandateError`]
pub async fn adopt(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    link: Vec<u8>,
) -> Result<(Mandate, StoredLink), MandateError> {
    if vehicle.custody == KeyCustody::Managed {
        return Err(MandateError::PlatformSigns);
    }
    let trust = trust::load(app, tx, vehicle, app.clock.now()).await?;
    adopt_verified(app, tx, vehicle, &trust, link).await
}

async fn adopt_verified(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    trust: &Trust,
    bytes: Vec<u8>,
) -> Result<(Mandate, StoredLink), MandateError> {
    let now = app.clock.now();
    let (claims, id) = verify(app, trust, &bytes, now)?;
    let sealed = Sealed { bytes, id };
    let link = stored_link(vehicle, LinkKind::Mandate, &claims, None, sealed, now);
    let mandate = Mandate {
        id: app.new_id(),
        vehicle: vehicle.id,
        link: id,
        entitlements: claims.policy.entitlements,
        delegations: claims.policy.delegations,
        max_duration_s: claims.policy.max_window_s.unwrap_or(limits::WINDOW_S),
        outage_limit_s: claims.policy.outage_limit_s.unwrap_or(NO_OUTAGE_LIMIT),
        window: claims.validity,
        created_at: now,
    };
    if let Some(known) = mandates::live(tx, vehicle.id, now)
        .await?
        .into_iter()
        .find(|known| known.link == id)
    {
        return Ok((known, link));
    }
    links::insert(tx, &link).await?;
    mandates::insert(tx, &mandate).await?;
    anchors::ensure(app, tx, vehicle).await?;
    let about = (Some(vehicle.account_id), vehicle.id);
    let body = json!({"valid_until": mandate.window.until.to_string()});
    outbox::enqueue(app, tx, EventKind::MandateSigned, about, &mandate.id, body).await?;
    Ok((mandate, link))
}

fn verify(
    app: &App,
    trust: &Trust,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(Claims, ObjectId), MandateError> {
    if !trust.names_platform(app) || !trust.roots.mandate_allowed {
        return Err(MandateError::NotAllowed);
    }
    let key = trust
        .anchors
        .verify(bytes, trust.vehicle, &trust.roots)
        .map_err(MandateError::Refused)?;
    if key.anchor_role() != AnchorRole::Mandate || key.effective().delegations() < 2 {
        // With less depth the issuer could not sign a single key.
        return Err(MandateError::Refused(Refusal::MandateExceeded));
    }
    if key.effective().generation() < trust.generation {
        return Err(MandateError::Refused(Refusal::OldGeneration));
    }
    if key.effective().validity().until <= now {
        return Err(MandateError::Until);
    }
    let link =
        UnverifiedLink::decode(bytes).map_err(|error| MandateError::Refused(error.refusal()))?;
    Ok((link.unverified_body().clone(), key.leaf()))
}

/// Ends every live mandate of a vehicle and the keys below.
///
/// A managed owner's statement is signed here. For a sovereign owner the platform at once stops
/// issuing and denies its own issuer links; the owner's statement waits for the owner's device.
///
/// # Errors
/// [`MandateError::None`] if there is none.
pub async fn revoke(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    vehicle: &Vehicle,
) -> Result<(), MandateError> {
    let now = app.clock.now();
    let live = mandates::live(tx, vehicle.id, now).await?;
    if live.is_empty() {
        return Err(MandateError::None);
    }
    let issuers = links::live(tx, vehicle.id, &[LinkKind::Issuer], now).await?;
    let mut ended = Vec::new();
    for mandate in &live {
        let listed = |id: ObjectId, until: Timestamp| DeniedLink {
            short: id.short(),
            kind: DenialKind::Revoked,
            keep_until: until,
        };
        let link = listed(mandate.link, mandate.window.until);
        denied_links::put(tx, vehicle.id, Authority::Owner, link, now).await?;
        for issuer in issuers
            .iter()
            .filter(|link| link.parent == Some(mandate.link))
        {
            let link = listed(issuer.id, issuer.window.until);
            denied_links::put(tx, vehicle.id, Authority::Platform, link, now).await?;
        }
        ended.push(mandate.link);
    }
    mandates::revoke(tx, vehicle.id, &ended, now).await?;
    let by = if vehicle.custody == KeyCustody::Managed {
        Authority::Owner
    } else {
        Authority::Platform
    };
    let denial = Denial {
        by,
        at: now,
        seq: None,
        acknowledged_at: None,
    };
    for mandate in &live {
        denials::end_below(app, tx, vehicle, mandate.id, denial).await?;
        let about = (Some(owner), vehicle.id);
        outbox::enqueue(
            app,
            tx,
            EventKind::MandateRevoked,
            about,
            &mandate.id,
            json!({}),
        )
        .await?;
    }
    if by == Authority::Owner {
        statements::sign_owner(app, tx, vehicle).await?;
    } else {
        statements::sign_platform(app, tx, vehicle).await?;
    }
    Ok(())
}

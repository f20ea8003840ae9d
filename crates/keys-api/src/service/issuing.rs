//! Issuing keys: checks against the mandate, reserves the slot, signs at once if the holder is known.

use keys_core::effective::Effective;
use keys_core::id::GrantId;
use keys_core::key::UnverifiedLink;
use keys_core::limits;
use keys_core::link::Claims;
use keys_core::policy::{DEFAULT_OUTAGE_LIMIT_S, NO_OUTAGE_LIMIT, Policy};
use keys_core::signature::VerifyingKey;
use keys_core::time::{Timestamp, Validity};
use serde_json::json;

use super::signing::{self, SigningError};
use super::trust::Trust;
use crate::model::id::{AccountId, KeyId, VehicleId};
use crate::model::key::{Booking, Key, KeyState};
use crate::model::statement::Mandate;
use crate::model::vehicle::{KeyCustody, Vehicle};
use crate::outbox::{self, EventKind};
use crate::random;
use crate::state::App;
use crate::storage::{StorageError, StorageErrorKind, Tx, keys, links, mandates, slots, vehicles};

/// A window may have begun this long ago: the booking is under way when the host issues the key.
pub const BEGUN_BEFORE_S: u64 = 3_600;

/// What an owner promises.
#[derive(Debug, Clone)]
pub struct IssueRequest {
    /// On which vehicle.
    pub vehicle: VehicleId,
    /// When.
    pub window: Validity,
    /// Entitlements, delegations and conditions.
    pub policy: Policy,
    /// The owner's reference.
    pub booking_reference: Option<String>,
    /// The holder, if known.
    pub holder: Option<VerifyingKey>,
}

/// Why a key was not issued or changed.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The holder key is one of the owner's or the platform's.
    #[error("the holder key belongs to an owner or to the platform")]
    HolderKey,
    /// Nobody here may sign: a managed vehicle needs a mandate.
    #[error("the vehicle has no live mandate")]
    MandateNeeded,
    /// The caller has no such vehicle.
    #[error("no such vehicle")]
    NotFound,
    /// Another key that may drive holds part of the window.
    #[error("the window overlaps key `{0}`")]
    Overlap(KeyId),
    /// The link would not be signed.
    #[error("could not sign the key")]
    Signing(#[from] SigningError),
    /// The store failed.
    #[error("could not store the key")]
    Storage(#[from] StorageError),
    /// The key's conditions do not fit in a link.
    #[error("the policy does not fit in a link of 640 bytes")]
    TooLarge,
    /// More than the mandate gives.
    #[error("`{field}` is more than the mandate gives: {detail}")]
    Wider {
        /// The field at fault.
        field: &'static str,
        /// What the mandate gives.
        detail: String,
    },
    /// The window cannot be.
    #[error("{0}")]
    Window(WindowFault),
}

impl AsRef<StorageErrorKind> for IssueError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Signing(error) => error.as_ref(),
            Self::Storage(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// What is wrong with a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowFault {
    /// It begins too long ago.
    #[error("begins more than an hour ago")]
    BeginsTooLongAgo,
    /// It ends before it begins.
    #[error("must be later than valid_from")]
    Inverted,
    /// It is over.
    #[error("lies in the past")]
    Past,
    /// It is longer than any link may be.
    #[error("is more than 92 days after valid_from")]
    TooLong,
}

/// Checks a window by itself.
///
/// # Errors
/// [`WindowFault`]
pub fn check_window(window: Validity, now: Timestamp) -> Result<(), WindowFault> {
    if window.until <= window.from {
        Err(WindowFault::Inverted)
    } else if window.until <= now {
        Err(WindowFault::Past)
    } else if window.seconds() > limits::WINDOW_S {
        Err(WindowFault::TooLong)
    } else if window.from.plus(BEGUN_BEFORE_S) < now {
        Err(WindowFault::BeginsTooLongAgo)
    } else {
        Ok(())
    }
}

/// Issues a key.
///
/// # Errors
/// [`IssueError`]
pub async fn issue(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    request: IssueRequest,
) -> Result<Key, IssueError> {
    let now = app.clock.now();
    let vehicle = vehicles::of(owner)
        .find(tx, request.vehicle)
        .await?
        .ok_or(IssueError::NotFound)?;
    check_window(request.window, now).map_err(IssueError::Window)?;
    let mandate = mandate_for(tx, &vehicle, now).await?;
    let mut policy = request.policy;
    if let Some(mandate) = &mandate {
        // Stated, because a key that says nothing would inherit all that the mandate gives.
        policy.grace_s.get_or_insert(0);
        check_mandate(tx, mandate, request.window, &policy).await?;
    }
    let trust = super::trust::load(app, tx, &vehicle, now).await?;
    if let Some(holder) = &request.holder {
        check_holder(app, &trust, holder)?;
    }
    let holder = request.holder.map(|holder| *holder.as_bytes());
    let mut key = Key {
        id: app.new_id(),
        vehicle: vehicle.id,
        account: owner,
        grant: GrantId(random::bytes(app.random.as_ref())),
        state: KeyState::AwaitingHolder,
        window: request.window,
        policy,
        booking: request
            .booking_reference
            .map(|reference| Booking::new(random::bytes(app.random.as_ref()), reference)),
        holder,
        server_held: false,
        mandate: mandate.map(|mandate| mandate.id),
        leaf: None,
        chain: None,
        signed_until: None,
        to_sign: None,
        begun_at: None,
        suspended_at: None,
        ended_at: None,
        denial: None,
        created_at: now,
        updated_at: now,
    };
    check_size(&key)?;
    reserve(tx, &key).await?;
    let about = (Some(owner), vehicle.id);
    let body = json!({"booking_reference": key.booking.as_ref().map(|booking| &booking.reference)});
    outbox::enqueue(app, tx, EventKind::KeyIssued, about, &key.id, body).await?;
    if key.holder.is_some() {
        signing::advance(app, tx, &vehicle, &mut key).await?;
    }
    Ok(key)
}

/// Inserts the key and, if it may drive, its slot.
async fn reserve(tx: &Tx, key: &Key) -> Result<(), IssueError> {
    if key.drives()
        && let Some(other) = slots::taken_by(tx, key.vehicle, key.window, None).await?
    {
        return Err(IssueError::Overlap(other));
    }
    keys::insert(tx, key).await?;
    if key.drives() {
        slots::reserve(tx, key.id, key.vehicle, key.window).await?;
    }
    Ok(())
}

/// The mandate to issue below; none for a sovereign owner who signs every key.
///
/// # Errors
/// [`IssueError::MandateNeeded`] for a managed vehicle without one.
pub async fn mandate_for(
    tx: &Tx,
    vehicle: &Vehicle,
    now: Timestamp,
) -> Result<Option<Mandate>, IssueError> {
    let newest = mandates::live(tx, vehicle.id, now)
        .await?
        .into_iter()
        .next();
    match (newest, vehicle.custody) {
        (Some(mandate), _) => Ok(Some(mandate)),
        (None, KeyCustody::Sovereign) => Ok(None),
        (None, KeyCustody::Managed) => Err(IssueError::MandateNeeded),
    }
}

/// Checks a key against its mandate: by name what owners usually get wrong, then everything by the
/// very rule of narrowing. An end beyond the mandate's is no fault: such a key waits.
///
/// # Errors
/// [`IssueError::Wider`] naming the field.
pub async fn check_mandate(
    tx: &Tx,
    mandate: &Mandate,
    window: Validity,
    policy: &Policy,
) -> Result<(), IssueError> {
    let link = links::find(tx, mandate.link).await?;
    let link = link.ok_or(StorageError::damaged("mandates.link_id"))?;
    let given = effective_for_keys(&link.bytes).ok_or(StorageError::damaged("links.bytes"))?;
    if let Some((field, detail)) = wider_than(mandate, &given, window, policy) {
        return Err(IssueError::Wider { field, detail });
    }
    let claims = Claims {
        vehicle: None,
        validity: given.validity(),
        grant_id: None,
        holder: [0; 32],
        policy: policy.clone(),
        booking_hash: None,
    };
    match given.attenuate(&claims) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(IssueError::Wider {
            field: "policy",
            detail: format!("it states something wider ({refusal})"),
        }),
    }
}

/// What the issuer's link gives under a mandate.
fn effective_for_keys(mandate: &[u8]) -> Option<Effective> {
    let mandate = UnverifiedLink::decode(mandate).ok()?;
    let claims = mandate.unverified_body();
    let mut issuer = Claims {
        vehicle: None,
        policy: Policy::of(claims.policy.entitlements),
        ..claims.clone()
    };
    issuer.policy.delegations = claims.policy.delegations.saturating_sub(1);
    Effective::root(claims).ok()?.attenuate(&issuer).ok()
}

fn wider_than(
    mandate: &Mandate,
    given: &Effective,
    window: Validity,
    policy: &Policy,
) -> Option<(&'static str, String)> {
    if !policy.entitlements.is_subset_of(given.entitlements()) {
        let names = given.entitlements().names().join(", ");
        return Some(("entitlements", format!("it gives {names}")));
    }
    if policy.delegations > mandate.key_delegations() {
        let most = mandate.key_delegations();
        return Some(("delegations", format!("keys may state at most {most}")));
    }
    if window.seconds() > mandate.max_duration_s {
        let most = mandate.max_duration_s;
        return Some(("valid_until", format!("keys last at most {most} s")));
    }
    if window.from < mandate.window.from {
        let from = mandate.window.from;
        return Some(("valid_from", format!("it begins at {from}")));
    }
    if policy.outage_limit_s > given.outage_limit_s() && policy.outage_limit_s.is_some() {
        let most = mandate.outage_limit_s;
        return Some(("policy/outage_limit_s", format!("at most {most} s")));
    }
    if policy.grace_s.is_some_and(|grace| grace > given.grace_s()) {
        return Some(("policy/grace_s", format!("at most {} s", given.grace_s())));
    }
    if policy
        .clock_rule
        .is_some_and(|rule| rule > given.clock_rule())
    {
        return Some(("policy/clock_rule", "it gives a stricter rule".to_owned()));
    }
    None
}

/// Refuses holder keys that would make the holder an owner device or a part of the platform.
///
/// # Errors
/// [`IssueError::HolderKey`]
pub fn check_holder(app: &App, trust: &Trust, holder: &VerifyingKey) -> Result<(), IssueError> {
    use keys_core::signature::Signer;
    let bytes = holder.as_bytes();
    let platform = app.platform();
    let gateway = trust.bundle.as_ref().map(|bundle| bundle.gateway_key);
    let taken = trust.roots.is_owner(bytes)
        || trust.roots.is_platform_root(bytes)
        || *holder == platform.root
        || holder == platform.issuer.verifying_key()
        || holder == platform.status.verifying_key()
        || gateway.is_some_and(|gateway| gateway == *holder);
    if taken {
        Err(IssueError::HolderKey)
    } else {
        Ok(())
    }
}

/// A key with every claim must fit in a link; the largest overhead is that of a first link.
fn check_size(key: &Key) -> Result<(), IssueError> {
    const ENVELOPE: usize = 8 + 20 + 66 + 8;
    let claims = Claims {
        vehicle: Some(key.vehicle.core()),
        validity: key.window,
        grant_id: Some(key.grant),
        holder: [0; 32],
        policy: Policy {
            generation: Some(u64::from(u32::MAX)),
            ..key.policy.clone()
        },
        // Also without a reference now: a later link may need a salt to differ.
        booking_hash: Some([0; 16]),
    };
    if signing::write(&claims).len() + ENVELOPE > limits::LINK_BYTES {
        Err(IssueError::TooLarge)
    } else {
        Ok(())
    }
}

/// The outage limit a key has in the end: its own, else its mandate's, else the format's.
#[must_use]
pub fn outage_limit_s(policy: &Policy, mandate: Option<&Mandate>) -> Option<u32> {
    let limit = policy
        .outage_limit_s
        .or(mandate.map(|mandate| mandate.outage_limit_s))
        .unwrap_or(DEFAULT_OUTAGE_LIMIT_S);
    (limit != NO_OUTAGE_LIMIT).then_some(limit)
}

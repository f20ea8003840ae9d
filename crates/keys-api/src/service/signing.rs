//! Signing a key once its holder is known: below a mandate by the issuer, else by the owner's device.

use keys_core::anchors::AnchorStore;
use keys_core::chain::DigitalKey;
use keys_core::codec::Writer;
use keys_core::envelope::{Body, Sealed};
use keys_core::id::ObjectId;
use keys_core::key::{First, UnverifiedKey, UnverifiedLink, encode_key};
use keys_core::link::{Claims, sign_link};
use keys_core::refusal::Refusal;
use keys_core::signature::SignError;
use serde_json::json;

use super::anchors::{self, AnchorError, stored_link};
use super::denials;
use super::statements::StatementError;
use super::trust::{self, Trust};
use crate::model::id::KeyId;
use crate::model::key::{Booking, Key, KeyState};
use crate::model::statement::{DenialKind, LinkKind, Mandate, StoredLink};
use crate::model::vehicle::Vehicle;
use crate::outbox::{self, EventKind};
use crate::random;
use crate::state::App;
use crate::storage::{Conn, StorageError, StorageErrorKind, Tx, keys, links, mandates, vehicles};

/// Why a key could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// A posted link is not the one that was asked for.
    #[error("the link does not state what was asked for")]
    OtherClaims,
    /// The link would not, or does not, hold at the car.
    #[error("the key does not hold: {0}")]
    Refused(Refusal),
    /// The signer failed.
    #[error("could not sign")]
    Sign(#[from] SignError),
    /// A new link of a suspended key could not be suspended.
    #[error("could not sign the statement")]
    Statement(#[from] StatementError),
    /// The store failed.
    #[error("could not read or write the key")]
    Storage(#[from] StorageError),
}

impl From<AnchorError> for SigningError {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::Sign(error) => error.into(),
            AnchorError::Storage(error) => error.into(),
        }
    }
}

impl AsRef<StorageErrorKind> for SigningError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Statement(error) => error.as_ref(),
            Self::Storage(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// Signs as much of a key as can be signed now, or prepares it for the owner's device; stores it.
///
/// The key's holder is known. Below a mandate it stays `scheduled`, or signed for less than promised,
/// until mandate and issuer link reach far enough.
///
/// # Errors
/// [`SigningError`]
pub async fn advance(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
) -> Result<(), SigningError> {
    let before = key.leaf;
    if key.mandate.is_some() {
        sign_below_mandate(app, tx, vehicle, key).await?;
    } else {
        ask_owner(app, tx, vehicle, key).await?;
    }
    store(app, tx, vehicle, key, before).await
}

/// Stores a key whose newest link was `before`. A new link of a suspended key is suspended with the
/// others, or signing it would resume the key at the car.
async fn store(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    before: Option<ObjectId>,
) -> Result<(), SigningError> {
    key.updated_at = app.clock.now();
    if key.state == KeyState::Suspended && key.leaf != before {
        denials::deny(app, tx, vehicle, key, DenialKind::Suspended, None).await?;
    } else {
        keys::update(tx, key).await?;
    }
    Ok(())
}

async fn sign_below_mandate(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
) -> Result<(), SigningError> {
    let now = app.clock.now();
    if key.chain.is_none() {
        key.state = KeyState::Scheduled;
    }
    let Some(mandate) = mandates::live(tx, vehicle.id, now)
        .await?
        .into_iter()
        .next()
    else {
        return Ok(());
    };
    if key.window.seconds() > mandate.max_duration_s {
        return Err(SigningError::Refused(Refusal::MandateExceeded));
    }
    anchors::ensure(app, tx, vehicle).await?;
    let Some((mandate_link, issuer)) = path_for(app, tx, &mandate, key).await? else {
        return Ok(());
    };
    make_distinct(app, tx, key).await?;
    let Some(claims) = claims_of(key) else {
        return Ok(());
    };
    let sealed = sign_link(&claims, &app.platform().issuer, Some(&issuer.id))?;
    let first = First::Link(&mandate_link.bytes);
    let chain = encode_key(first, &[&issuer.bytes, &sealed.bytes]);
    let trust = trust::load(app, tx, vehicle, now).await?;
    verify(&chain, &trust)?;
    key.mandate = Some(mandate.id);
    let parent = Some(issuer.id);
    adopt_signed(app, tx, vehicle, key, (&claims, parent, sealed, chain)).await
}

/// The mandate's link and an issuer link that reach over the key's window; the longest if several do.
async fn path_for(
    app: &App,
    db: &impl Conn,
    mandate: &Mandate,
    key: &Key,
) -> Result<Option<(StoredLink, StoredLink)>, StorageError> {
    let now = app.clock.now();
    let issuer = anchors::standing_issuers(app, db, key.vehicle, now)
        .await?
        .into_iter()
        .filter(|link| link.parent == Some(mandate.link) && link.window.covers(&key.window))
        .max_by_key(|link| link.window.until);
    let Some(issuer) = issuer else {
        return Ok(None);
    };
    let mandate_link = links::find(db, mandate.link).await?;
    let mandate_link = mandate_link.ok_or(StorageError::damaged("mandates.link_id"))?;
    Ok(Some((mandate_link, issuer)))
}

/// What the key's own link states; `None` while nobody holds it.
fn claims_of(key: &Key) -> Option<Claims> {
    Some(Claims {
        vehicle: None,
        validity: key.window,
        grant_id: Some(key.grant),
        holder: key.holder?,
        policy: key.policy.clone(),
        booking_hash: key.booking.as_ref().map(|booking| booking.hash),
    })
}

/// Signatures are deterministic: a key that is shortened and extended back to the same second would get
/// the very link that was revoked. A new salt for its booking hash makes it another.
async fn make_distinct(app: &App, tx: &Tx, key: &mut Key) -> Result<(), StorageError> {
    let before = links::of_keys(tx, [key.id], LinkKind::Key).await?;
    let same = before.iter().any(|link| {
        let known = UnverifiedLink::decode(&link.bytes).ok();
        known.is_some_and(|known| {
            let known = known.unverified_body();
            known.validity == key.window
                && known.booking_hash == key.booking.as_ref().map(|booking| booking.hash)
        })
    });
    if same {
        let reference = key.booking.take().map(|booking| booking.reference);
        key.booking = Some(Booking::new(
            random::bytes(app.random.as_ref()),
            reference.unwrap_or_default(),
        ));
    }
    Ok(())
}

async fn ask_owner(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
) -> Result<(), SigningError> {
    make_distinct(app, tx, key).await?;
    let Some(mut claims) = claims_of(key) else {
        return Ok(());
    };
    let trust = trust::load(app, tx, vehicle, app.clock.now()).await?;
    claims.vehicle = Some(trust.vehicle);
    claims.policy.generation = (trust.generation > 0).then_some(trust.generation);
    key.to_sign = Some(write(&claims));
    if key.chain.is_none() {
        key.state = KeyState::PendingSignature;
    }
    Ok(())
}

/// Claims as their payload bytes.
#[must_use]
pub fn write(claims: &Claims) -> Vec<u8> {
    let mut writer = Writer::new();
    claims.write(&mut writer);
    writer.into_bytes()
}

/// Takes the link that the owner's device signed over exactly what was asked for.
///
/// # Errors
/// [`SigningError::OtherClaims`] if it states anything else, [`SigningError::Refused`] if it does not
/// verify.
pub async fn adopt_owner_link(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    link: &[u8],
) -> Result<(), SigningError> {
    let now = app.clock.now();
    let trust = trust::load(app, tx, vehicle, now).await?;
    let chain = encode_key(First::Link(link), &[]);
    let verified = verify(&chain, &trust)?;
    let claims = UnverifiedLink::decode(link)
        .map_err(|error| SigningError::Refused(error.refusal()))?
        .unverified_body()
        .clone();
    if key.to_sign.as_deref() != Some(&write(&claims)) {
        return Err(SigningError::OtherClaims);
    }
    let sealed = Sealed {
        bytes: link.to_vec(),
        id: verified.leaf(),
    };
    let before = key.leaf;
    adopt_signed(app, tx, vehicle, key, (&claims, None, sealed, chain)).await?;
    store(app, tx, vehicle, key, before).await
}

async fn adopt_signed(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    (claims, parent, sealed, chain): (&Claims, Option<ObjectId>, Sealed, Vec<u8>),
) -> Result<(), SigningError> {
    key.leaf = Some(sealed.id);
    key.chain = Some(chain);
    key.signed_until = Some(key.window.until);
    key.to_sign = None;
    if matches!(
        key.state,
        KeyState::AwaitingHolder | KeyState::PendingSignature | KeyState::Scheduled
    ) {
        key.state = KeyState::Active;
    }
    let mut link = stored_link(
        vehicle,
        LinkKind::Key,
        claims,
        parent,
        sealed,
        app.clock.now(),
    );
    link.key = Some(key.id);
    links::insert(tx, &link).await?;
    let about = (Some(key.account), key.vehicle);
    let body = json!({"link": link.id.to_string()});
    outbox::enqueue(app, tx, EventKind::KeySigned, about, &key.id, body).await?;
    Ok(())
}

/// A key is handed out only if the car would take it.
fn verify(chain: &[u8], trust: &Trust) -> Result<DigitalKey, SigningError> {
    let key =
        UnverifiedKey::parse(chain).map_err(|error| SigningError::Refused(error.refusal()))?;
    key.verify(trust.vehicle, &trust.roots, &AnchorStore::default())
        .map_err(SigningError::Refused)
}

/// Whether a waiting key's window has come into reach of its vehicle's mandate and issuer link.
///
/// # Errors
/// [`StorageError`]
pub async fn is_in_reach(app: &App, db: &impl Conn, key: &Key) -> Result<bool, StorageError> {
    let live = mandates::live(db, key.vehicle, app.clock.now()).await?;
    match live.first() {
        Some(mandate) => Ok(path_for(app, db, mandate, key).await?.is_some()),
        None => Ok(false),
    }
}

/// Signs a key whose window came into reach; `false` if it is gone, or would not hold at the car.
///
/// # Errors
/// [`SigningError`]
pub async fn sign_waiting(app: &App, tx: &Tx, id: KeyId) -> Result<bool, SigningError> {
    let Some(mut key) = keys::find_unscoped(tx, id).await? else {
        return Ok(false);
    };
    let Some(vehicle) = vehicles::find_unscoped(tx, key.vehicle).await? else {
        return Ok(false);
    };
    if !key.waits_for_signature() {
        return Ok(false);
    }
    match advance(app, tx, &vehicle, &mut key).await {
        Ok(()) => Ok(!key.waits_for_signature()),
        // For instance because a newer mandate gives less than was promised.
        Err(SigningError::Refused(refusal)) => {
            tracing::warn!(key = %key.id, %refusal, "a waiting key cannot be signed");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

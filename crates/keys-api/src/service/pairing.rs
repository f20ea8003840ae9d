//! Pairing: the relay passes bytes; for managed vehicles the API is the owner's device and does its
//! side. The code's secret half never reaches the relay, and for sovereign owners never the API.
//! Source: ck1 section 7.

use std::time::Duration;

use keys_core::bundle::Bundle;
use keys_core::pairing::{
    PairAnswer, PairConfirm, PairOffer, PairingCode, check_answer, fingerprint_of, owner_confirm,
};
use keys_core::signature::Signer;
use serde_json::json;

use super::bundles::{self, BundleError};
use super::key_store::KeyStoreError;
use super::owner_keys;
use crate::model::id::{AccountId, PairingId, VehicleId};
use crate::model::invitation::PairingRelay;
use crate::model::statement::StoredBundle;
use crate::model::vehicle::Vehicle;
use crate::outbox::{self, EventKind};
use crate::random;
use crate::relay::bells::Bell;
use crate::state::App;
use crate::storage::{StorageError, StorageErrorKind, Tx, pairings, vehicles};

/// How long an offer is kept: as long as its code is good.
pub const OFFER_S: u64 = 600;
/// How long [`pair_managed`] waits for a gateway's offer to come in.
const OFFER_WAIT: Duration = Duration::from_secs(10);
/// How long [`pair_managed`] waits for the gateway's answer.
const ANSWER_WAIT: Duration = Duration::from_secs(20);

/// Why pairing did not go on.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// It has been answered.
    #[error("the pairing is over")]
    Answered,
    /// The gateway's answer was not made with this code.
    #[error("the gateway's answer does not match the code")]
    Answer,
    /// Nothing was confirmed yet.
    #[error("nothing was confirmed yet")]
    NotConfirmed,
    /// The gateway did not answer: a wrong code, most likely.
    #[error("the gateway did not answer; the code may be wrong or used")]
    NotAnswered,
    /// No such pairing, or not the caller's.
    #[error("no such pairing")]
    NotFound,
    /// No gateway offers this code.
    #[error("no gateway offers this code now")]
    NotOffered,
    /// The bytes are not what they should be.
    #[error("{0}")]
    Malformed(&'static str),
    /// The vehicle is sovereign: its owner's device pairs.
    #[error("the vehicle is sovereign: the owner's device pairs")]
    OwnerMustPair,
    /// The bundle could not be made or stored.
    #[error("could not make the bundle")]
    Bundle(#[from] BundleError),
    /// The key store failed.
    #[error("could not open the owner key")]
    KeyStore(#[from] KeyStoreError),
    /// The store failed.
    #[error("could not read or write the pairing")]
    Storage(#[from] StorageError),
}

impl AsRef<StorageErrorKind> for PairingError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Storage(error) => error.as_ref(),
            Self::Bundle(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// Takes a gateway's offer under the public half of its code.
///
/// # Errors
/// [`PairingError::Malformed`]
pub async fn offer(
    app: &App,
    tx: &Tx,
    fingerprint: String,
    offer: Vec<u8>,
) -> Result<PairingRelay, PairingError> {
    let decoded =
        PairOffer::decode(&offer).map_err(|_| PairingError::Malformed("not a pairing offer"))?;
    if fingerprint_of(&decoded.gateway_key).to_string() != fingerprint {
        return Err(PairingError::Malformed(
            "the offer's key has another fingerprint",
        ));
    }
    let now = app.clock.now();
    let pairing = PairingRelay {
        id: app.new_id(),
        fingerprint,
        offer,
        confirm: None,
        answer: None,
        account: None,
        vehicle: None,
        expires_at: now.plus(OFFER_S),
    };
    pairings::insert(tx, &pairing, now).await?;
    Ok(pairing)
}

/// Passes on an owner's confirmation for one of their vehicles. A later one replaces it until the
/// gateway answers, as after a mistyped code.
///
/// # Errors
/// [`PairingError`]
pub async fn confirm(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    id: PairingId,
    bytes: Vec<u8>,
) -> Result<VehicleId, PairingError> {
    let confirm = PairConfirm::decode(&bytes)
        .map_err(|_| PairingError::Malformed("not a pairing confirmation"))?;
    let vehicle = vehicles::of(owner)
        .find(tx, confirm.vehicle.into())
        .await?
        .ok_or(PairingError::NotFound)?;
    let mut pairing = pairings::find(tx, id, app.clock.now())
        .await?
        .ok_or(PairingError::NotFound)?;
    if pairing.answer.is_some() {
        return Err(PairingError::Answered);
    }
    pairing.confirm = Some(bytes);
    pairing.account = Some(owner);
    pairing.vehicle = Some(vehicle.id);
    pairings::update(tx, &pairing).await?;
    Ok(vehicle.id)
}

/// Passes on the gateway's answer. The same bytes again change nothing.
///
/// # Errors
/// [`PairingError`]
pub async fn answer(app: &App, tx: &Tx, id: PairingId, bytes: Vec<u8>) -> Result<(), PairingError> {
    PairAnswer::decode(&bytes).map_err(|_| PairingError::Malformed("not a pairing answer"))?;
    let mut pairing = pairings::find(tx, id, app.clock.now())
        .await?
        .ok_or(PairingError::NotFound)?;
    match &pairing.answer {
        Some(known) if *known == bytes => return Ok(()),
        Some(_) => return Err(PairingError::Answered),
        None if pairing.confirm.is_none() => return Err(PairingError::NotConfirmed),
        None => {}
    }
    pairing.answer = Some(bytes);
    pairings::update(tx, &pairing).await?;
    Ok(())
}

/// A finished pairing of a managed vehicle, to be stored by [`store_managed`].
#[derive(Debug)]
pub struct PairedManaged {
    vehicle: Vehicle,
    bundle: Bundle,
    bytes: Vec<u8>,
}

/// Does the owner's side of a pairing for a managed vehicle, through the same relay that everybody
/// uses. Opens its own transactions.
///
/// # Errors
/// [`PairingError`]
pub async fn pair_managed(
    app: &App,
    owner: AccountId,
    vehicle: VehicleId,
    code: &PairingCode,
) -> Result<PairedManaged, PairingError> {
    let db = app.db.read();
    let vehicle = vehicles::of(owner)
        .find(db, vehicle)
        .await?
        .ok_or(PairingError::NotFound)?;
    let owner_key = owner_keys::of_managed(app, db, &vehicle)
        .await?
        .ok_or(PairingError::OwnerMustPair)?;
    let pairing = wait_for_offer(app, code).await?;
    let offer = PairOffer::decode(&pairing.offer)
        .map_err(|_| PairingError::Malformed("not a pairing offer"))?;
    let (bundle, sealed) =
        bundles::prepare(app, db, &vehicle, &owner_key, offer.gateway_key).await?;
    let confirmed = owner_confirm(
        code,
        &offer,
        vehicle.id.core(),
        owner_key.verifying_key(),
        random::bytes(app.random.as_ref()),
        &sealed.bytes,
    )
    .map_err(|_| PairingError::NotOffered)?;
    app.db
        .retry(|| async {
            let tx = app.db.begin().await?;
            confirm(app, &tx, owner, pairing.id, confirmed.encode()).await?;
            tx.commit().await.map_err(StorageError::from)?;
            Ok::<_, PairingError>(())
        })
        .await?;
    app.bells.ring(Bell::Pairing(pairing.id));
    let answer = wait_for_answer(app, pairing.id).await?;
    let answer = PairAnswer::decode(&answer).map_err(|_| PairingError::Answer)?;
    check_answer(code.secret(), &offer, &confirmed, &answer).map_err(|_| PairingError::Answer)?;
    Ok(PairedManaged {
        vehicle,
        bundle,
        bytes: sealed.bytes,
    })
}

async fn wait_for_offer(app: &App, code: &PairingCode) -> Result<PairingRelay, PairingError> {
    let fingerprint = code.fingerprint().to_string();
    // No bell: which pairing it will be is not known yet.
    let nowhere = Bell::Pairing(uuid::Uuid::nil().into());
    let found = app
        .bells
        .wait(app, nowhere, OFFER_WAIT, || async {
            let now = app.clock.now();
            let offers = pairings::by_fingerprint(app.db.read(), &fingerprint, now).await?;
            Ok::<_, StorageError>(offers.into_iter().next())
        })
        .await?;
    found.ok_or(PairingError::NotOffered)
}

async fn wait_for_answer(app: &App, id: PairingId) -> Result<Vec<u8>, PairingError> {
    let answer = app
        .bells
        .wait(app, Bell::Pairing(id), ANSWER_WAIT, || async {
            let pairing = pairings::find(app.db.read(), id, app.clock.now()).await?;
            Ok::<_, StorageError>(pairing.and_then(|pairing| pairing.answer))
        })
        .await?;
    answer.ok_or(PairingError::NotAnswered)
}

/// Stores what [`pair_managed`] brought: bundle, gateway, the platform's links and a first statement.
///
/// # Errors
/// [`PairingError`]
pub async fn store_managed(
    app: &App,
    tx: &Tx,
    paired: &PairedManaged,
) -> Result<(Bundle, StoredBundle), PairingError> {
    let vehicle = &paired.vehicle;
    let stored = bundles::store(app, tx, vehicle, &paired.bundle, paired.bytes.clone()).await?;
    let about = (Some(vehicle.account_id), vehicle.id);
    let body = json!({"bundle_seq": stored.seq});
    outbox::enqueue(app, tx, EventKind::VehiclePaired, about, &vehicle.id, body).await?;
    Ok((paired.bundle.clone(), stored))
}

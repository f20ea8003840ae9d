//! Statements: who may not open any more. The platform signs its own; an owner's are signed here for
//! managed vehicles and on the owner's device for sovereign ones.
//!
//! Every signing takes the next number in its transaction, so that two statements of one signer never
//! share a number. A platform statement names the newest owner statement, so that a car which lacks
//! that one does not take the platform's word for fresh. Source: ck1 section 4.

use keys_core::envelope::{NO_REST, Sealed, Unverified, seal};
use keys_core::id::ShortId;
use keys_core::limits;
use keys_core::signature::{SignError, Signer};
use keys_core::statement::{IdList, Statement, id_list};
use keys_core::status::{Accepted, Authority as Speaker, StatementRefusal, StatusBoard};
use keys_core::time::{ClockInterval, Timestamp};
use serde_json::json;

use super::anchors::{self, AnchorError};
use super::key_store::KeyStoreError;
use super::owner_keys;
use super::trust::Trust;
use crate::model::id::VehicleId;
use crate::model::statement::{Authority, DenialKind, DeniedLink, LinkKind, StoredStatement};
use crate::model::vehicle::Vehicle;
use crate::outbox::{self, EventKind};
use crate::state::App;
use crate::storage::statements::Sequence;
use crate::storage::{
    Conn, StorageError, StorageErrorKind, Tx, denied_links, keys, links, statements, vehicles,
};

/// Connected cars get a new platform statement when theirs is this old, seconds: ten minutes, less the
/// minute between two rounds of the job.
pub const REFRESH_S: u64 = 540;
/// From this many live ids on the owner is asked to raise the generation.
pub const FILLING: usize = 48;

/// Why a statement could not be signed or taken.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// The list is full.
    #[error("the list of denied links is full")]
    Full,
    /// The key store failed.
    #[error("could not open the signing key")]
    KeyStore(#[from] KeyStoreError),
    /// A posted statement is not one of the owner's, or not the next one.
    #[error("the statement is not taken: {0}")]
    Refused(StatementRefusal),
    /// A posted statement is not one.
    #[error("not a statement: {0}")]
    Malformed(keys_core::codec::DecodeError),
    /// The signer failed.
    #[error("could not sign")]
    Sign(#[from] SignError),
    /// The store failed.
    #[error("could not read or write statements")]
    Storage(#[from] StorageError),
}

impl From<AnchorError> for StatementError {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::Sign(error) => error.into(),
            AnchorError::Storage(error) => error.into(),
        }
    }
}

impl AsRef<StorageErrorKind> for StatementError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Storage(error) | Self::KeyStore(KeyStoreError::Storage(error)) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// What an authority's next statement lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    /// For ever.
    pub revoked: IdList,
    /// For now.
    pub suspended: IdList,
}

impl Lists {
    async fn load(
        db: &impl Conn,
        vehicle: VehicleId,
        authority: Authority,
        now: Timestamp,
    ) -> Result<Self, StatementError> {
        let listed = denied_links::listed(db, vehicle, authority, now).await?;
        let of = |kind: DenialKind| {
            let ids = listed
                .iter()
                .filter(|link| link.kind == kind)
                .map(|link| link.short);
            id_list(ids).ok_or(StatementError::Full)
        };
        Ok(Self {
            revoked: of(DenialKind::Revoked)?,
            suspended: of(DenialKind::Suspended)?,
        })
    }

    fn ids(&self) -> Vec<ShortId> {
        self.revoked
            .iter()
            .chain(&self.suspended)
            .copied()
            .collect()
    }
}

/// Signs the platform's next statement about a vehicle; `None` if its bundle does not name this
/// platform, so that it would mean nothing there.
///
/// # Errors
/// [`StatementError`]
pub async fn sign_platform(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
) -> Result<Option<StoredStatement>, StatementError> {
    let now = app.clock.now();
    anchors::ensure(app, tx, vehicle).await?;
    let Some(until) = status_link_until(app, tx, vehicle.id, now).await? else {
        return Ok(None);
    };
    let authority = Authority::Platform;
    let lists = Lists::load(tx, vehicle.id, authority, now).await?;
    let owner = statements::newest(tx, vehicle.id, Authority::Owner).await?;
    let seq = next(tx, vehicle.id, authority).await?;
    let body = Statement {
        vehicle: vehicle.id.core(),
        expires_at: Some(until),
        issued_at: now,
        seq,
        least_generation: 0,
        revoked: lists.revoked.clone(),
        owner_statement: owner.map(|owner| (owner.seq, owner.short)),
        suspended: lists.suspended.clone(),
    };
    let sealed = seal(&body, &app.platform().status, NO_REST)?;
    tell_if_filling(app, tx, vehicle, &lists).await?;
    store(tx, vehicle.id, authority, &body, sealed, &lists)
        .await
        .map(Some)
}

/// Until when the newest status link of this platform's key stands.
async fn status_link_until(
    app: &App,
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StorageError> {
    let holder = *app.platform().status.verifying_key().as_bytes();
    let live = links::live(db, vehicle, &[LinkKind::Status], now).await?;
    Ok(live
        .iter()
        .filter(|link| link.holder == holder)
        .map(|link| link.window.until)
        .max())
}

async fn tell_if_filling(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    lists: &Lists,
) -> Result<(), StorageError> {
    let live = lists.revoked.len();
    if live < FILLING {
        return Ok(());
    }
    let about = (Some(vehicle.account_id), vehicle.id);
    let body = json!({"live_ids": live, "most": limits::STATEMENT_IDS});
    outbox::enqueue(
        app,
        tx,
        EventKind::StatementFilling,
        about,
        &vehicle.id,
        body,
    )
    .await
}

/// Signs the next owner statement of a managed vehicle, and has the platform's name it; `None` for a sovereign one, whose owner signs on a device.
///
/// # Errors
/// [`StatementError`]
pub async fn sign_owner(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
) -> Result<Option<StoredStatement>, StatementError> {
    let Some(owner) = owner_keys::of_managed(app, tx, vehicle).await? else {
        return Ok(None);
    };
    let now = app.clock.now();
    let lists = Lists::load(tx, vehicle.id, Authority::Owner, now).await?;
    let body = owner_statement(tx, vehicle, &lists, now).await?;
    let seq = next(tx, vehicle.id, Authority::Owner).await?;
    let body = Statement { seq, ..body };
    let sealed = seal(&body, &owner, NO_REST)?;
    let stored = store(tx, vehicle.id, Authority::Owner, &body, sealed, &lists).await?;
    sign_platform(app, tx, vehicle).await?;
    Ok(Some(stored))
}

async fn owner_statement(
    db: &impl Conn,
    vehicle: &Vehicle,
    lists: &Lists,
    now: Timestamp,
) -> Result<Statement, StorageError> {
    let sequence = statements::sequence(db, vehicle.id, Authority::Owner).await?;
    Ok(Statement {
        vehicle: vehicle.id.core(),
        expires_at: None,
        issued_at: now,
        seq: sequence.last_seq + 1,
        least_generation: sequence.least_generation,
        revoked: lists.revoked.clone(),
        owner_statement: None,
        suspended: lists.suspended.clone(),
    })
}

/// What the owner's device should sign next; `None` if its newest statement says all there is.
///
/// # Errors
/// [`StatementError`]
pub async fn to_sign(
    app: &App,
    db: &impl Conn,
    vehicle: &Vehicle,
) -> Result<Option<Statement>, StatementError> {
    let now = app.clock.now();
    let lists = Lists::load(db, vehicle.id, Authority::Owner, now).await?;
    let newest = statements::newest(db, vehicle.id, Authority::Owner).await?;
    let told = newest.as_ref().map(body_of).transpose()?;
    let complete = match &told {
        None => lists.revoked.is_empty() && lists.suspended.is_empty(),
        Some(told) => {
            lists.revoked.iter().all(|id| told.revoked.contains(id))
                && lists.suspended == told.suspended
        }
    };
    if complete {
        return Ok(None);
    }
    Ok(Some(owner_statement(db, vehicle, &lists, now).await?))
}

/// What a stored statement says. It was verified, or signed here.
///
/// # Errors
/// [`StorageError::Damaged`]
pub fn body_of(stored: &StoredStatement) -> Result<Statement, StorageError> {
    Unverified::<Statement>::decode(&stored.bytes)
        .map(|statement| statement.unverified_body().clone())
        .map_err(|_| StorageError::damaged("statements.bytes"))
}

/// Takes the next number.
async fn next(tx: &Tx, vehicle: VehicleId, authority: Authority) -> Result<u64, StorageError> {
    let known = statements::sequence(tx, vehicle, authority).await?;
    let to = Sequence {
        last_seq: known.last_seq + 1,
        ..known
    };
    statements::set_sequence(tx, vehicle, authority, to).await?;
    Ok(to.last_seq)
}

async fn store(
    tx: &Tx,
    vehicle: VehicleId,
    authority: Authority,
    body: &Statement,
    sealed: Sealed,
    lists: &Lists,
) -> Result<StoredStatement, StatementError> {
    if sealed.bytes.len() > limits::CARRIED_BYTES {
        return Err(StatementError::Full);
    }
    let stored = StoredStatement {
        vehicle,
        authority,
        seq: body.seq,
        short: sealed.id.short(),
        bytes: sealed.bytes,
        issued_at: body.issued_at,
        expires_at: body.expires_at,
    };
    statements::insert(tx, &stored).await?;
    denied_links::number(tx, vehicle, authority, &lists.ids(), body.seq).await?;
    keys::number_denials(tx, vehicle, authority, body.seq).await?;
    Ok(stored)
}

/// Verifies a statement that a sovereign owner's device signed.
///
/// # Errors
/// [`StatementError::Malformed`] or [`StatementError::Refused`].
pub fn verify_owner(
    bytes: &[u8],
    trust: &Trust,
    known: Sequence,
    now: Timestamp,
) -> Result<(Statement, Sealed), StatementError> {
    let statement = Unverified::<Statement>::decode(bytes).map_err(StatementError::Malformed)?;
    let mut board = StatusBoard::with_known(known.last_seq, 0, known.least_generation);
    let clock = ClockInterval::exactly(now);
    let accepted = board
        .accept(
            &statement,
            trust.vehicle,
            &trust.roots,
            &trust.anchors,
            clock,
        )
        .map_err(StatementError::Refused)?;
    let body = statement.unverified_body().clone();
    match accepted {
        Accepted::New(Speaker::Owner, id)
            if body.seq > known.last_seq && body.least_generation >= known.least_generation =>
        {
            let sealed = Sealed {
                bytes: bytes.to_vec(),
                id,
            };
            Ok((body, sealed))
        }
        Accepted::New(Speaker::Owner, _) | Accepted::Known => {
            Err(StatementError::Refused(StatementRefusal::Rollback))
        }
        Accepted::New(Speaker::Platform, _) => Err(StatementError::Refused(
            StatementRefusal::Signature(keys_core::refusal::Refusal::UnknownSigner),
        )),
    }
}

/// Stores a verified owner statement and what it lists, and has the platform's next statement name it.
/// What it means for keys and mandates is [`super::denials::apply_owner_word`]'s work.
///
/// # Errors
/// [`StatementError`]
pub async fn adopt_owner(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    body: &Statement,
    sealed: Sealed,
) -> Result<StoredStatement, StatementError> {
    let now = app.clock.now();
    let authority = Authority::Owner;
    let sequence = Sequence {
        last_seq: body.seq,
        least_generation: body.least_generation,
    };
    statements::set_sequence(tx, vehicle.id, authority, sequence).await?;
    let known = links::by_short(
        tx,
        vehicle.id,
        body.revoked.iter().chain(&body.suspended).copied(),
    )
    .await?;
    let keep_until = |short: ShortId| {
        let until = known
            .iter()
            .find(|link| link.id.short() == short)
            .map(|link| link.window.until);
        until.unwrap_or(now.plus(limits::LONG_WINDOW_S))
    };
    let put = |short: &ShortId, kind: DenialKind| DeniedLink {
        short: *short,
        kind,
        keep_until: keep_until(*short),
    };
    let before = denied_links::listed(tx, vehicle.id, authority, now).await?;
    let left: Vec<ShortId> = before
        .iter()
        .filter(|link| link.kind == DenialKind::Suspended && !body.suspended.contains(&link.short))
        .map(|link| link.short)
        .collect();
    denied_links::resume(tx, vehicle.id, authority, &left).await?;
    for short in &body.suspended {
        let link = put(short, DenialKind::Suspended);
        denied_links::put(tx, vehicle.id, authority, link, now).await?;
    }
    for short in &body.revoked {
        let link = put(short, DenialKind::Revoked);
        denied_links::put(tx, vehicle.id, authority, link, now).await?;
    }
    let stored = StoredStatement {
        vehicle: vehicle.id,
        authority,
        seq: body.seq,
        short: sealed.id.short(),
        bytes: sealed.bytes,
        issued_at: body.issued_at,
        expires_at: None,
    };
    statements::insert(tx, &stored).await?;
    let listed: Vec<ShortId> = body
        .revoked
        .iter()
        .chain(&body.suspended)
        .copied()
        .collect();
    denied_links::number(tx, vehicle.id, authority, &listed, body.seq).await?;
    Ok(stored)
}

/// Signs a new platform statement for a connected vehicle if its newest one is ten minutes old.
///
/// # Errors
/// [`StatementError`]
pub async fn refresh(app: &App, vehicle: VehicleId) -> Result<bool, StatementError> {
    let newest = statements::newest(app.db.read(), vehicle, Authority::Platform).await?;
    let now = app.clock.now();
    if newest.is_some_and(|newest| now.since(newest.issued_at) < REFRESH_S) {
        return Ok(false);
    }
    let tx = app.db.begin().await?;
    let Some(found) = vehicles::find_unscoped(&tx, vehicle).await? else {
        return Ok(false);
    };
    let signed = sign_platform(app, &tx, &found).await?.is_some();
    tx.commit().await.map_err(StorageError::from)?;
    Ok(signed)
}

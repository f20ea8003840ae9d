//! Changing a key after it was issued: longer, shorter, paused, over.

use keys_core::time::{Timestamp, Validity};
use serde_json::json;

use super::denials;
use super::issuing::{self, IssueError};
use super::signing::{self, SigningError};
use super::statements::StatementError;
use crate::model::id::{AccountId, KeyId};
use crate::model::key::{Key, KeyState};
use crate::model::statement::DenialKind;
use crate::model::vehicle::Vehicle;
use crate::outbox::{self, EventKind};
use crate::state::App;
use crate::storage::{
    StorageError, StorageErrorKind, Tx, invitations, keys, mandates, slots, vehicles,
};

/// Why a key could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The change breaks a rule of issuing.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The caller has no such key.
    #[error("no such key")]
    NotFound,
    /// An extension must end later, a shortening earlier.
    #[error("valid_until {0}")]
    Until(&'static str),
    /// The statement could not be signed.
    #[error("could not sign the statement")]
    Statement(#[from] StatementError),
    /// The store failed.
    #[error("could not read or write the key")]
    Storage(#[from] StorageError),
    /// The key's state forbids it.
    #[error("the key is {}", .0.as_str())]
    WrongState(KeyState),
}

impl From<SigningError> for ChangeError {
    fn from(error: SigningError) -> Self {
        Self::Issue(error.into())
    }
}

impl AsRef<StorageErrorKind> for ChangeError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Issue(error) => error.as_ref(),
            Self::Statement(error) => error.as_ref(),
            Self::Storage(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// A key of `owner` that is not over, and its vehicle.
///
/// # Errors
/// [`ChangeError::NotFound`]
pub async fn find(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    id: KeyId,
) -> Result<(Vehicle, Key), ChangeError> {
    let key = keys::of(owner)
        .find(tx, id)
        .await?
        .ok_or(ChangeError::NotFound)?;
    with_vehicle(app, tx, key).await
}

/// A key and its vehicle, its state brought up to now.
///
/// # Errors
/// [`ChangeError::NotFound`] if the vehicle was removed.
pub async fn with_vehicle(app: &App, tx: &Tx, mut key: Key) -> Result<(Vehicle, Key), ChangeError> {
    key.state = key.state_at(app.clock.now());
    let vehicle = vehicles::find_unscoped(tx, key.vehicle)
        .await?
        .ok_or(ChangeError::NotFound)?;
    Ok((vehicle, key))
}

fn refuse_if_over(key: &Key) -> Result<(), ChangeError> {
    if key.state.is_over() {
        Err(ChangeError::WrongState(key.state))
    } else {
        Ok(())
    }
}

/// Lets a key end later: a new link that repeats the grant id. The old link is never revoked.
///
/// # Errors
/// [`ChangeError`]
pub async fn extend(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    until: Timestamp,
) -> Result<(), ChangeError> {
    refuse_if_over(key)?;
    if until <= key.window.until {
        return Err(ChangeError::Until(
            "must be later than it is; use shorten to end a key earlier",
        ));
    }
    let window = Validity {
        from: key.window.from,
        until,
    };
    check_longer(tx, vehicle, key, window, app.clock.now()).await?;
    key.window = window;
    if key.drives() {
        if let Some(other) = slots::taken_by(tx, key.vehicle, window, Some(key.id)).await? {
            return Err(IssueError::Overlap(other).into());
        }
        slots::change(tx, key.id, window).await?;
    }
    store_window(app, tx, vehicle, key, EventKind::KeyExtended).await
}

async fn check_longer(
    tx: &Tx,
    vehicle: &Vehicle,
    key: &Key,
    window: Validity,
    now: Timestamp,
) -> Result<(), ChangeError> {
    if window.seconds() > keys_core::limits::WINDOW_S {
        return Err(IssueError::Window(issuing::WindowFault::TooLong).into());
    }
    if key.mandate.is_some()
        && let Some(mandate) = mandates::live(tx, vehicle.id, now).await?.first()
    {
        issuing::check_mandate(tx, mandate, window, &key.policy).await?;
    }
    Ok(())
}

/// Lets a key end earlier: a new link, and the old ones are revoked.
///
/// # Errors
/// [`ChangeError`]
pub async fn shorten(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    until: Timestamp,
) -> Result<(), ChangeError> {
    refuse_if_over(key)?;
    if until >= key.window.until {
        return Err(ChangeError::Until(
            "must be earlier than it is; use extend to end a key later",
        ));
    }
    if until <= key.window.from || until <= app.clock.now() {
        return Err(ChangeError::Until(
            "must be in the future and later than valid_from; use revoke to end a key now",
        ));
    }
    let signed_before = key.leaf;
    key.window.until = until;
    if key.drives() {
        slots::change(tx, key.id, key.window).await?;
    }
    store_window(app, tx, vehicle, key, EventKind::KeyShortened).await?;
    // Below a mandate the new link exists now, or, if it could not be signed, the key waits for it
    // without the old one. A sovereign owner's device signs first, see `adopt_link`.
    if signed_before.is_some() && key.mandate.is_some() {
        let but = key.leaf.filter(|leaf| Some(*leaf) != signed_before);
        denials::deny(app, tx, vehicle, key, DenialKind::Revoked, but).await?;
    }
    Ok(())
}

async fn store_window(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    event: EventKind,
) -> Result<(), ChangeError> {
    key.updated_at = app.clock.now();
    if key.holder.is_some() {
        signing::advance(app, tx, vehicle, key).await?;
    } else {
        keys::update(tx, key).await?;
    }
    tell(app, tx, key, event).await?;
    Ok(())
}

/// Takes the link that a sovereign owner's device signed. Links that reach beyond it, from before a
/// shortening, go on the owner's list.
///
/// # Errors
/// [`ChangeError`]
pub async fn adopt_link(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    link: &[u8],
) -> Result<(), ChangeError> {
    refuse_if_over(key)?;
    if key.to_sign.is_none() {
        return Err(ChangeError::WrongState(key.state));
    }
    let longer_before = key
        .signed_until
        .is_some_and(|until| until > key.window.until);
    signing::adopt_owner_link(app, tx, vehicle, key, link).await?;
    if longer_before {
        let leaf = key.leaf;
        denials::deny(app, tx, vehicle, key, DenialKind::Revoked, leaf).await?;
    }
    Ok(())
}

/// Pauses a key. A paused key stays paused.
///
/// # Errors
/// [`ChangeError`]
pub async fn suspend(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
) -> Result<(), ChangeError> {
    match key.state {
        KeyState::Suspended => return Ok(()),
        KeyState::Active => {}
        other => return Err(ChangeError::WrongState(other)),
    }
    let now = app.clock.now();
    key.state = KeyState::Suspended;
    key.suspended_at = Some(now);
    key.updated_at = now;
    denials::deny(app, tx, vehicle, key, DenialKind::Suspended, None).await?;
    tell(app, tx, key, EventKind::KeySuspended).await?;
    Ok(())
}

/// Lets a paused key work again. A working key goes on working.
///
/// # Errors
/// [`ChangeError`]
pub async fn resume(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
) -> Result<(), ChangeError> {
    match key.state {
        KeyState::Active => return Ok(()),
        KeyState::Suspended => {}
        other => return Err(ChangeError::WrongState(other)),
    }
    key.state = KeyState::Active;
    key.suspended_at = None;
    key.updated_at = app.clock.now();
    denials::undeny(app, tx, vehicle, key).await?;
    tell(app, tx, key, EventKind::KeyResumed).await?;
    Ok(())
}

/// Ends a key by decision: of its owner (`revoked`) or of its holder (`relinquished`). A key that is
/// over by decision stays as it is.
///
/// # Errors
/// [`ChangeError`]
pub async fn end(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    to: KeyState,
) -> Result<(), ChangeError> {
    match key.state {
        KeyState::Revoked | KeyState::Relinquished => return Ok(()),
        KeyState::Expired => return Err(ChangeError::WrongState(KeyState::Expired)),
        _ => {}
    }
    let now = app.clock.now();
    key.state = to;
    key.ended_at = Some(now);
    key.updated_at = now;
    key.to_sign = None;
    denials::deny(app, tx, vehicle, key, DenialKind::Revoked, None).await?;
    slots::free(tx, key.id).await?;
    invitations::withdraw_all(tx, key.id).await?;
    let event = if to == KeyState::Relinquished {
        EventKind::KeyRelinquished
    } else {
        EventKind::KeyRevoked
    };
    tell(app, tx, key, event).await?;
    Ok(())
}

async fn tell(app: &App, tx: &Tx, key: &Key, kind: EventKind) -> Result<(), StorageError> {
    let about = (Some(key.account), key.vehicle);
    let body = json!({"state": key.state.as_str(), "valid_until": key.window.until.to_string()});
    outbox::enqueue(app, tx, kind, about, &key.id, body).await
}

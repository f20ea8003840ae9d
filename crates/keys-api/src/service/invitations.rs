//! Invitations: the one-time offer of a key, its acceptance, and the lost phone.
//!
//! The secret stays in the fragment of a link and is posted by a page; looking never consumes
//! anything. The first to redeem wins.

use keys_core::signature::VerifyingKey;
use serde_json::json;

use super::issuing::{self, IssueError};
use super::key_changes::{self, ChangeError};
use super::signing;
use super::trust;
use crate::model::holder::HolderSession;
use crate::model::id::{AccountId, InvitationId, KeyId};
use crate::model::invitation::{ACTIVATION_TRIES, Invitation, InvitationState};
use crate::model::key::{Key, KeyState};
use crate::outbox::{self, EventKind};
use crate::random;
use crate::secret::{Secret, TokenKind};
use crate::state::App;
use crate::storage::{
    Conn, StorageError, StorageErrorKind, Tx, holder_sessions, invitations, keys,
};

/// An invitation with what is shown once.
#[derive(Debug)]
pub struct NewInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// 128 bits for the link.
    pub secret: Secret,
    /// For another channel.
    pub activation_code: Option<Secret>,
}

/// Why an invitation cannot be made, seen or used.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// It asks for an activation code.
    #[error("the activation code is missing")]
    CodeNeeded,
    /// Wrong activation code; this many tries are left.
    #[error("the activation code is wrong")]
    CodeWrong(u8),
    /// The key cannot be changed so.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// None, or a wrong secret; which of the two is not said.
    #[error("no such invitation")]
    NotFound,
    /// Used, withdrawn, locked or over.
    #[error("the invitation is over")]
    Over(InvitationState),
    /// The store failed.
    #[error("could not read or write the invitation")]
    Storage(#[from] StorageError),
}

impl From<IssueError> for InvitationError {
    fn from(error: IssueError) -> Self {
        Self::Change(error.into())
    }
}

impl AsRef<StorageErrorKind> for InvitationError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Change(error) => error.as_ref(),
            Self::Storage(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// Makes an invitation for a key that waits for its holder. An activation code is asked for by default
/// when the key may drive.
///
/// # Errors
/// [`InvitationError`]
pub async fn create(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    key: KeyId,
    with_code: Option<bool>,
) -> Result<NewInvitation, InvitationError> {
    let (_, key) = key_changes::find(app, tx, owner, key).await?;
    if key.state != KeyState::AwaitingHolder {
        return Err(ChangeError::WrongState(key.state).into());
    }
    let source = app.random.as_ref();
    let secret = Secret::random::<16>("", source);
    let activation_code = with_code
        .unwrap_or_else(|| key.drives())
        .then(|| digits(app));
    let invitation = Invitation {
        id: app.new_id(),
        key: key.id,
        state: InvitationState::Open,
        secret_hash: secret.hash().to_vec(),
        activation_hash: activation_code.as_ref().map(|code| code.hash().to_vec()),
        tries_left: ACTIVATION_TRIES,
        recovery_hash: None,
        device_name: None,
        created_at: app.clock.now(),
        expires_at: key.window.until,
        redeemed_at: None,
    };
    invitations::insert(tx, &invitation).await?;
    tell(app, tx, &key, &invitation, EventKind::InvitationCreated).await?;
    Ok(NewInvitation {
        invitation,
        secret,
        activation_code,
    })
}

/// Six digits: a person types them, and there are five tries.
fn digits(app: &App) -> Secret {
    const BOUND: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let drawn = u32::from_be_bytes(random::bytes(app.random.as_ref()));
        if drawn < BOUND {
            return Secret::new(format!("{:06}", drawn % 1_000_000));
        }
    }
}

/// What somebody with the secret may see. Consumes nothing.
///
/// # Errors
/// [`InvitationError::NotFound`]
pub async fn look(
    app: &App,
    db: &impl Conn,
    id: InvitationId,
    secret: &Secret,
) -> Result<(Invitation, Key), InvitationError> {
    let invitation = with_secret(db, id, secret).await?;
    let mut key = keys::find_unscoped(db, invitation.key)
        .await?
        .ok_or(InvitationError::NotFound)?;
    key.state = key.state_at(app.clock.now());
    Ok((invitation, key))
}

async fn with_secret(
    db: &impl Conn,
    id: InvitationId,
    secret: &Secret,
) -> Result<Invitation, InvitationError> {
    let found = invitations::find_unscoped(db, id).await?;
    found
        .filter(|invitation| secret.matches(&invitation.secret_hash))
        .ok_or(InvitationError::NotFound)
}

/// Who accepts an invitation.
#[derive(Debug)]
pub struct Redeemer {
    /// From the link.
    pub secret: Secret,
    /// From the other channel.
    pub activation_code: Option<Secret>,
    /// The phone's public key.
    pub holder: VerifyingKey,
    /// What the phone calls itself.
    pub device_name: Option<String>,
}

/// An accepted invitation, with what is shown once.
#[derive(Debug)]
pub struct Redeemed {
    /// The key, signed if it can be.
    pub key: Key,
    /// The holder session's token.
    pub holder_token: Secret,
    /// Suspends the key from any browser.
    pub recovery_code: Secret,
}

/// Counts a try at the activation code. `Err` with [`InvitationError::CodeWrong`] must still be
/// committed: the try is gone.
///
/// # Errors
/// [`InvitationError`]
pub async fn check_code(
    app: &App,
    tx: &Tx,
    id: InvitationId,
    redeemer: &Redeemer,
) -> Result<Invitation, InvitationError> {
    let mut invitation = with_secret(tx, id, &redeemer.secret).await?;
    if !invitation.is_open(app.clock.now()) {
        return Err(InvitationError::Over(invitation.state));
    }
    let Some(hash) = &invitation.activation_hash else {
        return Ok(invitation);
    };
    let Some(code) = &redeemer.activation_code else {
        return Err(InvitationError::CodeNeeded);
    };
    if code.matches(hash) {
        return Ok(invitation);
    }
    invitation.tries_left = invitation.tries_left.saturating_sub(1);
    if invitation.tries_left == 0 {
        invitation.state = InvitationState::Locked;
        if let Some(key) = keys::find_unscoped(tx, invitation.key).await? {
            tell(app, tx, &key, &invitation, EventKind::InvitationLocked).await?;
        }
    }
    invitations::update(tx, &invitation).await?;
    Err(InvitationError::CodeWrong(invitation.tries_left))
}

/// Accepts an invitation that [`check_code`] passed: binds the key to the phone, signs it if it can be
/// signed, begins a holder session.
///
/// # Errors
/// [`InvitationError`]
pub async fn redeem(
    app: &App,
    tx: &Tx,
    mut invitation: Invitation,
    redeemer: Redeemer,
) -> Result<Redeemed, InvitationError> {
    let now = app.clock.now();
    let key = keys::find_unscoped(tx, invitation.key)
        .await?
        .ok_or(InvitationError::NotFound)?;
    let (vehicle, mut key) = key_changes::with_vehicle(app, tx, key).await?;
    if key.state != KeyState::AwaitingHolder {
        return Err(InvitationError::Over(invitation.state));
    }
    let trust = trust::load(app, tx, &vehicle, now).await?;
    issuing::check_holder(app, &trust, &redeemer.holder)?;
    key.holder = Some(*redeemer.holder.as_bytes());
    // A mandate may have come or gone since the key was issued.
    key.mandate = issuing::mandate_for(tx, &vehicle, now)
        .await
        .map(|mandate| mandate.map(|mandate| mandate.id))
        .or_else(|error| match error {
            IssueError::MandateNeeded => Ok(key.mandate),
            other => Err(other),
        })?;
    signing::advance(app, tx, &vehicle, &mut key)
        .await
        .map_err(IssueError::from)?;
    let source = app.random.as_ref();
    let recovery_code = Secret::random::<16>("", source);
    invitation.state = InvitationState::Redeemed;
    invitation.redeemed_at = Some(now);
    invitation.device_name.clone_from(&redeemer.device_name);
    invitation.recovery_hash = Some(recovery_code.hash().to_vec());
    invitations::update(tx, &invitation).await?;
    invitations::withdraw_all(tx, key.id).await?;
    let session = HolderSession {
        id: app.new_id(),
        key: key.id,
        vehicle: vehicle.id,
    };
    let holder_token = TokenKind::Holder.make(source);
    let hash = holder_token.hash();
    holder_sessions::insert(tx, &session, hash, redeemer.device_name, now).await?;
    tell(app, tx, &key, &invitation, EventKind::InvitationRedeemed).await?;
    Ok(Redeemed {
        key,
        holder_token,
        recovery_code,
    })
}

/// Takes back an invitation of one of the owner's keys.
///
/// # Errors
/// [`InvitationError`]
pub async fn withdraw(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    id: InvitationId,
) -> Result<(), InvitationError> {
    let mut invitation = invitations::find_unscoped(tx, id)
        .await?
        .ok_or(InvitationError::NotFound)?;
    let key = keys::of(owner)
        .find(tx, invitation.key)
        .await?
        .ok_or(InvitationError::NotFound)?;
    match invitation.state {
        InvitationState::Withdrawn => Ok(()),
        InvitationState::Redeemed => Err(InvitationError::Over(InvitationState::Redeemed)),
        InvitationState::Open | InvitationState::Locked => {
            invitation.state = InvitationState::Withdrawn;
            invitations::update(tx, &invitation).await?;
            Ok(tell(app, tx, &key, &invitation, EventKind::InvitationWithdrawn).await?)
        }
    }
}

/// A lost phone: link secret and recovery code suspend the key and end its holder sessions.
///
/// # Errors
/// [`InvitationError::NotFound`] unless both are right.
pub async fn lost(
    app: &App,
    tx: &Tx,
    id: InvitationId,
    secret: &Secret,
    recovery_code: &Secret,
) -> Result<Key, InvitationError> {
    let invitation = with_secret(tx, id, secret).await?;
    let right = invitation
        .recovery_hash
        .as_ref()
        .is_some_and(|hash| recovery_code.matches(hash));
    if !right {
        return Err(InvitationError::NotFound);
    }
    let key = keys::find_unscoped(tx, invitation.key)
        .await?
        .ok_or(InvitationError::NotFound)?;
    let (vehicle, mut key) = key_changes::with_vehicle(app, tx, key).await?;
    key_changes::suspend(app, tx, &vehicle, &mut key).await?;
    holder_sessions::end_all(tx, key.id, app.clock.now()).await?;
    Ok(key)
}

async fn tell(
    app: &App,
    tx: &Tx,
    key: &Key,
    invitation: &Invitation,
    kind: EventKind,
) -> Result<(), StorageError> {
    let about = (Some(key.account), key.vehicle);
    let body = json!({
        "invitation_id": invitation.id.to_string(),
        "device_name": invitation.device_name,
    });
    outbox::enqueue(app, tx, kind, about, &key.id, body).await
}

//! Commands on their way to the car. The API relays and remembers; the gateway decides.
//!
//! A command is sent once. Without an answer it is `unknown`, and nothing tries it again: a late
//! receipt settles it.

use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::id::{CommandId, GrantId, ObjectId};
use keys_core::key::{First, encode_key};
use keys_core::link::{Claims, sign_link};
use keys_core::policy::{Policy, Presence};
use keys_core::presentation::{Presentation, PresentedKey, encode_presentation};
use keys_core::proof::{Proof, sign_proof};
use keys_core::refusal::Refusal;
use keys_core::signature::{SignError, Signer};
use keys_core::time::{Timestamp, Validity};

use super::anchors::{BACKDATED_S, stored_link};
use super::key_store::KeyStoreError;
use super::owner_keys;
use super::receipts;
use crate::model::command::{COMMAND_LIFE_S, CommandState, RelayedCommand};
use crate::model::id::{AccountId, CommandRowId, KeyId, VehicleId};
use crate::model::statement::{LinkKind, StoredLink};
use crate::model::vehicle::{KeyCustody, Vehicle};
use crate::random;
use crate::state::App;
use crate::storage::{StorageError, StorageErrorKind, Tx, commands, links};

/// How long an owner device's link lives.
const OWNER_DEVICE_S: u64 = 90 * 86_400;

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command id came before, with other bytes.
    #[error("the command id was used with another presentation")]
    CommandIdUsed,
    /// The presentation does not parse.
    #[error("not a presentation: {0}")]
    Malformed(keys_core::codec::DecodeError),
    /// It is for another vehicle.
    #[error("the presentation is for another vehicle")]
    OtherVehicle,
    /// It presents another key than the session's.
    #[error("the presentation is of another key")]
    OtherKey,
    /// A sovereign owner's device must present.
    #[error("the vehicle is sovereign: post a presentation of the owner's device")]
    OwnerMustPresent,
    /// The key store failed.
    #[error("could not open the owner key")]
    KeyStore(#[from] KeyStoreError),
    /// The signer failed.
    #[error("could not sign")]
    Sign(#[from] SignError),
    /// The store failed.
    #[error("could not read or write the command")]
    Storage(#[from] StorageError),
}

impl AsRef<StorageErrorKind> for CommandError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Storage(error) => error.as_ref(),
            _ => &StorageErrorKind::Other,
        }
    }
}

/// Who sends a presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The holder of a key, or a co-driver below it, over the holder's session.
    Holder(KeyId),
    /// The owner.
    Owner(AccountId),
}

/// Takes a presentation for relay. The same bytes again give the command they gave before.
///
/// # Errors
/// [`CommandError`]
pub async fn accept(
    app: &App,
    tx: &Tx,
    vehicle: VehicleId,
    sender: Sender,
    bytes: Vec<u8>,
) -> Result<RelayedCommand, CommandError> {
    let presentation = Presentation::parse(&bytes).map_err(CommandError::Malformed)?;
    if presentation.challenge.unverified_body().vehicle != vehicle.core() {
        return Err(CommandError::OtherVehicle);
    }
    if let Sender::Holder(key) = sender {
        let ids = presented_links(&presentation.key);
        if links::key_of(tx, vehicle, ids).await? != Some(key) {
            return Err(CommandError::OtherKey);
        }
    }
    let proof = presentation.proof.unverified_body();
    let (command_id, command) = (proof.command_id, proof.command);
    drop(presentation);
    if let Some(known) = commands::find_by_command_id(tx, vehicle, command_id).await? {
        return if known.presentation == bytes {
            Ok(known)
        } else {
            Err(CommandError::CommandIdUsed)
        };
    }
    let mut taken = new_command(app, vehicle, command_id, command);
    taken.presentation = bytes;
    match sender {
        Sender::Holder(key) => taken.key = Some(key),
        Sender::Owner(account) => taken.account = Some(account),
    }
    commands::insert(tx, &taken).await?;
    Ok(taken)
}

/// The ids of the links a presented key names, not verified: they only say whose session may relay it.
fn presented_links(key: &PresentedKey<'_>) -> Vec<ObjectId> {
    match key {
        PresentedKey::Cached(leaf) => vec![*leaf],
        PresentedKey::Whole(key) => key.unverified_ids().to_vec(),
    }
}

fn new_command(
    app: &App,
    vehicle: VehicleId,
    command_id: CommandId,
    command: VehicleCommand,
) -> RelayedCommand {
    let now = app.clock.now();
    RelayedCommand {
        id: app.new_id(),
        vehicle,
        key: None,
        account: None,
        command_id,
        command,
        state: CommandState::Accepted,
        reasons: Vec::new(),
        presentation: Vec::new(),
        receipt: None,
        created_at: now,
        sent_at: None,
        settled_at: None,
        expires_at: now.plus(COMMAND_LIFE_S),
    }
}

/// Takes a command of a managed owner: the server-held owner key will present it as an owner device.
///
/// # Errors
/// [`CommandError`]
pub async fn accept_managed(
    app: &App,
    tx: &Tx,
    owner: AccountId,
    vehicle: &Vehicle,
    command: VehicleCommand,
) -> Result<RelayedCommand, CommandError> {
    if vehicle.custody == KeyCustody::Sovereign {
        return Err(CommandError::OwnerMustPresent);
    }
    let command_id = CommandId(random::bytes(app.random.as_ref()));
    let mut taken = new_command(app, vehicle.id, command_id, command);
    taken.account = Some(owner);
    commands::insert(tx, &taken).await?;
    Ok(taken)
}

/// Signs a managed owner's command over a challenge: the owner device's link and the proof.
///
/// # Errors
/// [`CommandError`]
pub async fn present_managed(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    command: &mut RelayedCommand,
    challenge: &[u8],
) -> Result<(), CommandError> {
    let owner = owner_keys::of_managed(app, tx, vehicle)
        .await?
        .ok_or(CommandError::OwnerMustPresent)?;
    let now = app.clock.now();
    let link = owner_device(app, tx, vehicle, &owner, now).await?;
    let proof = Proof {
        command: command.command,
        phone_time: now,
        share: None,
        parameters: None,
        presence: Presence::Tap,
        command_id: command.command_id,
        not_after: now.plus(keys_core::limits::COMMAND_LIFE_S),
        position: None,
    };
    let proof = sign_proof(&proof, &owner, challenge, &link.id)?;
    let key = encode_key(First::Link(&link.bytes), &[]);
    command.presentation = encode_presentation(challenge, &key, &proof.bytes);
    Ok(())
}

/// The owner device's link: signed once, used until a day before its end.
async fn owner_device(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    owner: &keys_core::signature::SigningKey,
    now: Timestamp,
) -> Result<StoredLink, CommandError> {
    let public = *owner.verifying_key().as_bytes();
    let live = links::live(tx, vehicle.id, &[LinkKind::OwnerDevice], now.plus(86_400)).await?;
    if let Some(link) = live.into_iter().find(|link| link.holder == public) {
        return Ok(link);
    }
    let all = VehicleCommand::ALL
        .iter()
        .fold(Entitlements::REMOTE, |all, command| {
            all | command.entitlement()
        });
    let claims = Claims {
        vehicle: Some(vehicle.id.core()),
        validity: Validity {
            from: Timestamp(now.0.saturating_sub(BACKDATED_S)),
            until: now.plus(OWNER_DEVICE_S),
        },
        grant_id: Some(GrantId(random::bytes(app.random.as_ref()))),
        holder: public,
        policy: Policy::of(all),
        booking_hash: None,
    };
    let sealed = sign_link(&claims, owner, None)?;
    let link = stored_link(vehicle, LinkKind::OwnerDevice, &claims, None, sealed, now);
    links::insert(tx, &link).await?;
    Ok(link)
}

/// Marks a command as sent, unless it was sent, or is over. Only who gets `true` may send it.
///
/// # Errors
/// [`StorageError`]
pub async fn mark_sent(
    app: &App,
    tx: &Tx,
    command: &mut RelayedCommand,
) -> Result<bool, StorageError> {
    let now = app.clock.now();
    let stored = commands::find_unscoped(tx, command.id).await?;
    let waits = stored.is_some_and(|stored| stored.state_at(now) == CommandState::Accepted);
    if waits {
        command.state = CommandState::Sent;
        command.sent_at = Some(now);
        commands::update(tx, command).await?;
    }
    Ok(waits)
}

/// Settles a command that the gateway, or the lack of a challenge, refused without a receipt.
///
/// # Errors
/// [`StorageError`]
pub async fn refuse(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    id: CommandRowId,
    refusal: Refusal,
) -> Result<bool, StorageError> {
    let Some(mut command) = commands::find_unscoped(tx, id).await? else {
        return Ok(false);
    };
    if command.state.is_answer() {
        return Ok(false);
    }
    command.state = CommandState::Refused;
    command.reasons = vec![refusal.code().to_owned()];
    command.settled_at = Some(app.clock.now());
    commands::update(tx, &command).await?;
    receipts::tell_settled(app, tx, vehicle, &command).await?;
    Ok(true)
}

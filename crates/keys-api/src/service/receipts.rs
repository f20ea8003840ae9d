//! Receipts: the gateway's signed answers, verified before they are stored, and what they mean for
//! commands and keys.

use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::ObjectId;
use keys_core::receipt::{OutcomeCode, Receipt};
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;
use serde_json::json;

use crate::model::command::{CommandState, RelayedCommand, StoredReceipt};
use crate::model::id::{CommandRowId, KeyId};
use crate::model::vehicle::Vehicle;
use crate::outbox::{self, EventKind};
use crate::secret::sha256;
use crate::state::App;
use crate::storage::{
    StorageError, StorageErrorKind, Tx, commands, gateways, keys, links, receipts,
};

/// Why a receipt was not stored.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It is not this gateway's.
    #[error("the receipt does not hold: {0}")]
    Refused(Refusal),
    /// The store failed.
    #[error("could not store the receipt")]
    Storage(#[from] StorageError),
}

impl AsRef<StorageErrorKind> for ReceiptError {
    fn as_ref(&self) -> &StorageErrorKind {
        match self {
            Self::Refused(_) => &StorageErrorKind::Other,
            Self::Storage(error) => error.as_ref(),
        }
    }
}

/// Verifies and stores a receipt; storing it again changes nothing. Returns the command it settled.
///
/// # Errors
/// [`ReceiptError`]
pub async fn store(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    gateway: &VerifyingKey,
    bytes: &[u8],
) -> Result<Option<CommandRowId>, ReceiptError> {
    let (receipt, object) = verify(vehicle, gateway, bytes).map_err(ReceiptError::Refused)?;
    if receipts::is_known(tx, vehicle.id, object).await? {
        return Ok(None);
    }
    let command = commands::find_by_command_id(tx, vehicle.id, receipt.command_id).await?;
    // Another presentation may have used the same command id, and was refused for it.
    let command = command.filter(|command| sha256(&command.presentation) == receipt.presentation);
    let key = match &command {
        Some(RelayedCommand { key: Some(key), .. }) => Some(*key),
        _ => links::key_of(tx, vehicle.id, receipt.links.iter().copied()).await?,
    };
    let stored = stored_receipt(app, vehicle, &receipt, object, key, bytes);
    receipts::insert(tx, &stored).await?;
    let news = gateways::News {
        clock_trusted: Some(receipt.clock_trusted),
        ..Default::default()
    };
    gateways::note(tx, vehicle.id, news, app.clock.now()).await?;
    note_begun(app, tx, &receipt, key).await?;
    match command {
        Some(command) => settle(app, tx, vehicle, command, &receipt, bytes).await,
        None => Ok(None),
    }
}

fn verify(
    vehicle: &Vehicle,
    gateway: &VerifyingKey,
    bytes: &[u8],
) -> Result<(Receipt, ObjectId), Refusal> {
    let verified = Unverified::<Receipt>::decode(bytes)?.verify(gateway, NO_REST)?;
    let object = verified.id();
    let receipt = verified.into_body();
    if receipt.vehicle == vehicle.id.core() {
        Ok((receipt, object))
    } else {
        Err(Refusal::WrongVehicle)
    }
}

fn stored_receipt(
    app: &App,
    vehicle: &Vehicle,
    receipt: &Receipt,
    object: ObjectId,
    key: Option<KeyId>,
    bytes: &[u8],
) -> StoredReceipt {
    StoredReceipt {
        id: app.new_id(),
        object,
        vehicle: vehicle.id,
        bytes: bytes.to_vec(),
        journal_index: receipt.journal.0,
        command_id: receipt.command_id,
        key,
        command: receipt.command,
        allowed: receipt.allowed,
        outcome: receipt.outcome,
        reasons: receipt.reasons,
        made_at: receipt.time,
        received_at: app.clock.now(),
    }
}

/// A trip begins with an allowed unlock or drive of the key itself; a delegate begins for himself.
async fn note_begun(
    app: &App,
    tx: &Tx,
    receipt: &Receipt,
    key: Option<KeyId>,
) -> Result<(), StorageError> {
    let begins = receipt.allowed
        && receipt.command.begins_trip()
        && matches!(
            receipt.outcome,
            Some(OutcomeCode::Done | OutcomeCode::Unknown)
        );
    let (true, Some(id), Some(leaf)) = (begins, key, receipt.links.last()) else {
        return Ok(());
    };
    let own = links::find(tx, *leaf).await?;
    let own = own.is_some_and(|link| link.kind == crate::model::statement::LinkKind::Key);
    if let Some(mut key) = keys::find_unscoped(tx, id).await?
        && own
        && key.begun_at.is_none()
    {
        key.begun_at = Some(receipt.time);
        key.updated_at = app.clock.now();
        keys::update(tx, &key).await?;
    }
    Ok(())
}

async fn settle(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    mut command: RelayedCommand,
    receipt: &Receipt,
    bytes: &[u8],
) -> Result<Option<CommandRowId>, ReceiptError> {
    let state = match (receipt.allowed, receipt.outcome) {
        (false, _) => CommandState::Refused,
        (true, Some(OutcomeCode::Done)) => CommandState::Done,
        (true, Some(OutcomeCode::Declined)) => CommandState::Declined,
        (true, Some(OutcomeCode::Unknown) | None) => CommandState::Unknown,
    };
    // Only news settles: nothing changes an end, and unknown twice is no news.
    if command.state.is_final() || command.state == state {
        return Ok(None);
    }
    command.state = state;
    command.reasons = receipt
        .reasons
        .iter()
        .map(|reason| reason.code().to_owned())
        .collect();
    command.receipt = Some(bytes.to_vec());
    command.settled_at = Some(app.clock.now());
    commands::update(tx, &command).await?;
    tell_settled(app, tx, vehicle, &command).await?;
    Ok(Some(command.id))
}

/// Writes the event of a settled command.
///
/// # Errors
/// [`StorageError`]
pub async fn tell_settled(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    command: &RelayedCommand,
) -> Result<(), StorageError> {
    let about = (Some(vehicle.account_id), vehicle.id);
    let body = json!({
        "command": command.command.as_str(),
        "state": command.state.as_str(),
        "reasons": command.reasons,
    });
    outbox::enqueue(app, tx, EventKind::CommandSettled, about, &command.id, body).await
}

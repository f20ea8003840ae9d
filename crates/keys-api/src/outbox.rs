//! Events, written in the transaction of what happened. Names are past tense and stable.

use serde_json::Value;

use crate::model::id::{AccountId, VehicleId};
use crate::state::App;
use crate::storage::events::{self, NewEvent};
use crate::storage::{StorageError, Tx};

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A command's end is known, or known not to be known.
    CommandSettled,
    /// A holder's link to a co-driver was reported.
    DelegationReported,
    /// A key ends later than before.
    KeyExtended,
    /// A key was promised.
    KeyIssued,
    /// Its holder gave a key back.
    KeyRelinquished,
    /// A suspended key works again.
    KeyResumed,
    /// Its owner ended a key.
    KeyRevoked,
    /// A key ends earlier than before.
    KeyShortened,
    /// A key's link was signed.
    KeySigned,
    /// A key was paused.
    KeySuspended,
    /// An offer was made.
    InvitationCreated,
    /// Five wrong activation codes.
    InvitationLocked,
    /// An offer was accepted.
    InvitationRedeemed,
    /// An offer was taken back.
    InvitationWithdrawn,
    /// An owner ended a mandate.
    MandateRevoked,
    /// An owner signed a mandate.
    MandateSigned,
    /// A statement's list is nearly full: the owner should raise the generation.
    StatementFilling,
    /// A car was paired with its gateway.
    VehiclePaired,
}

impl EventKind {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandSettled => "command.settled",
            Self::DelegationReported => "delegation.reported",
            Self::KeyExtended => "key.extended",
            Self::KeyIssued => "key.issued",
            Self::KeyRelinquished => "key.relinquished",
            Self::KeyResumed => "key.resumed",
            Self::KeyRevoked => "key.revoked",
            Self::KeyShortened => "key.shortened",
            Self::KeySigned => "key.signed",
            Self::KeySuspended => "key.suspended",
            Self::InvitationCreated => "invitation.created",
            Self::InvitationLocked => "invitation.locked",
            Self::InvitationRedeemed => "invitation.redeemed",
            Self::InvitationWithdrawn => "invitation.withdrawn",
            Self::MandateRevoked => "mandate.revoked",
            Self::MandateSigned => "mandate.signed",
            Self::StatementFilling => "statement.filling",
            Self::VehiclePaired => "vehicle.paired",
        }
    }
}

/// Writes an event in the transaction of what happened.
///
/// # Errors
/// [`StorageError`]
pub async fn enqueue(
    app: &App,
    tx: &Tx,
    kind: EventKind,
    (account, vehicle): (Option<AccountId>, VehicleId),
    subject: &impl ToString,
    body: Value,
) -> Result<(), StorageError> {
    let event = NewEvent {
        id: app.new_id(),
        kind: kind.as_str(),
        account,
        vehicle: Some(vehicle),
        subject: subject.to_string(),
        body,
        at: app.clock.now(),
    };
    events::insert(tx, event).await
}

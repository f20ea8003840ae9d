//! Commands as resources, and receipts.

use keys_core::command::VehicleCommand;
use keys_core::id::{CommandId, ObjectId};
use keys_core::receipt::OutcomeCode;
use keys_core::refusal::Refusals;
use keys_core::time::Timestamp;

use super::id::{AccountId, CommandRowId, KeyId, ReceiptId, VehicleId};

/// How long a command waits for its gateway, seconds.
pub const COMMAND_LIFE_S: u64 = 30;
/// How long after that an answer may be under way before the command counts as unknown, seconds.
pub const ANSWER_GRACE_S: u64 = 15;

/// A command on its way through the API. The car decides about it, not the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayedCommand {
    /// Its id.
    pub id: CommandRowId,
    /// The vehicle.
    pub vehicle: VehicleId,
    /// The key it was presented with, if a holder sent it.
    pub key: Option<KeyId>,
    /// The account, if an owner sent it.
    pub account: Option<AccountId>,
    /// Executes at most once for ever.
    pub command_id: CommandId,
    /// What is asked.
    pub command: VehicleCommand,
    /// How far it came, as stored; see [`RelayedCommand::state_at`].
    pub state: CommandState,
    /// Why it was refused.
    pub reasons: Vec<String>,
    /// M2; empty until a managed owner's device has signed it.
    pub presentation: Vec<u8>,
    /// The newest receipt about it.
    pub receipt: Option<Vec<u8>>,
    /// When it came in.
    pub created_at: Timestamp,
    /// When it went to the gateway.
    pub sent_at: Option<Timestamp>,
    /// When its end was known.
    pub settled_at: Option<Timestamp>,
    /// Not sent after this.
    pub expires_at: Timestamp,
}

/// How far a command came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// Taken; its gateway has not got it yet.
    Accepted,
    /// The car did not obey.
    Declined,
    /// The car obeyed.
    Done,
    /// Its gateway never got it.
    Expired,
    /// The gateway refused it.
    Refused,
    /// With the gateway.
    Sent,
    /// The car may have obeyed. It is not tried again.
    Unknown,
}

impl CommandState {
    /// The word tables and answers use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Done => "done",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Accepted,
            Self::Declined,
            Self::Done,
            Self::Expired,
            Self::Refused,
            Self::Sent,
            Self::Unknown,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }

    /// Whether it is answered. `Unknown` still settles when the car tells.
    #[must_use]
    pub fn is_answer(self) -> bool {
        !matches!(self, Self::Accepted | Self::Sent)
    }

    /// Whether nothing changes it any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        self.is_answer() && self != Self::Unknown
    }
}

impl RelayedCommand {
    /// Its state at `now`: a deadline that passed counts, whoever noticed.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> CommandState {
        match self.state {
            CommandState::Accepted if now >= self.expires_at => CommandState::Expired,
            CommandState::Sent if now >= self.expires_at.plus(ANSWER_GRACE_S) => {
                CommandState::Unknown
            }
            state => state,
        }
    }
}

/// A gateway's signed answer, verified before it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReceipt {
    /// Its row.
    pub id: ReceiptId,
    /// Its object id.
    pub object: ObjectId,
    /// The vehicle.
    pub vehicle: VehicleId,
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// Journal entry it is about.
    pub journal_index: u64,
    /// The command.
    pub command_id: CommandId,
    /// The key it was presented with, if the API knows it.
    pub key: Option<KeyId>,
    /// What was asked.
    pub command: VehicleCommand,
    /// Whether the gateway allowed it.
    pub allowed: bool,
    /// What the car did.
    pub outcome: Option<OutcomeCode>,
    /// Every reason.
    pub reasons: Refusals,
    /// By the gateway's clock.
    pub made_at: Timestamp,
    /// By ours.
    pub received_at: Timestamp,
}

//! Wire structs of commands and challenges.

use keys_core::command::VehicleCommand;
use keys_core::limits;
use keys_core::receipt::{OutcomeCode, Receipt};
use keys_core::time::Timestamp;

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::command::{CommandState, RelayedCommand};
use crate::model::id::{CommandRowId, KeyId, VehicleId};
use crate::routes::encode::base64url;

/// Body of an owner's command: its name for a managed vehicle, a presentation for a sovereign one.
#[derive(Debug, utoipa::ToSchema)]
pub struct SendCommand {
    /// Managed: unlock, lock, enable_driving, open_trunk, charge_port or locate.
    #[schema(value_type = Option<String>)]
    pub command: Option<VehicleCommand>,
    /// M2 that the owner's device signed, base64url.
    #[schema(value_type = Option<String>)]
    pub presentation: Option<Vec<u8>>,
}

impl FromFields for SendCommand {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let read = crate::read_fields!(
            fields,
            Self {
                command: optional(read::parsed),
                presentation: optional(read::bytes(1, limits::PRESENTATION_BYTES)),
            }
        )?;
        if read.command.is_some() == read.presentation.is_some() {
            fields.refuse::<()>("command", "expected either a command or a presentation");
        }
        Some(read)
    }
}

/// Body of a holder's command.
#[derive(Debug, utoipa::ToSchema)]
pub struct PresentBody {
    /// M2: challenge, key and proof, base64url.
    #[schema(value_type = String)]
    pub presentation: Vec<u8>,
}

impl FromFields for PresentBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                presentation: required(read::bytes(1, limits::PRESENTATION_BYTES)),
            }
        )
    }
}

/// Body that asks for a challenge.
#[derive(Debug, utoipa::ToSchema)]
pub struct ChallengeBody {
    /// 16 random bytes of the phone, base64url; echoed in the challenge.
    #[schema(value_type = Option<String>)]
    pub phone_nonce: Option<[u8; 16]>,
}

impl FromFields for ChallengeBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                phone_nonce: optional(read::array),
            }
        )
    }
}

/// A challenge of the car's gateway.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Challenge)]
pub struct ChallengeJson {
    /// M1, base64url; check it against the bundle before signing.
    pub challenge: String,
}

/// A command on its way, or at its end.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Command)]
pub struct CommandJson {
    id: CommandRowId,
    vehicle_id: VehicleId,
    key_id: Option<KeyId>,
    command: &'static str,
    /// The phone's id of it, hex; executes at most once for ever.
    command_id: String,
    /// `unknown` means that the car may have obeyed; it is never tried again by itself.
    state: CommandState,
    /// Refusal codes; for an allowed lock, why it was lock-only.
    reasons: Vec<String>,
    /// What the car did: done, declined or unknown.
    outcome: Option<&'static str>,
    /// The gateway's signed answer, base64url.
    receipt: Option<String>,
    created_at: Rfc3339,
    sent_at: Option<Rfc3339>,
    settled_at: Option<Rfc3339>,
    /// Not sent after this.
    expires_at: Rfc3339,
}

impl CommandJson {
    /// A command as it stands at `now`.
    #[must_use]
    pub fn new(command: RelayedCommand, now: Timestamp) -> Self {
        let outcome = command.receipt.as_deref().and_then(outcome_of);
        Self {
            state: command.state_at(now),
            id: command.id,
            vehicle_id: command.vehicle,
            key_id: command.key,
            command: command.command.as_str(),
            command_id: command.command_id.to_string(),
            reasons: command.reasons,
            outcome: outcome.map(OutcomeCode::as_str),
            receipt: command.receipt.as_deref().map(base64url),
            created_at: command.created_at.into(),
            sent_at: command.sent_at.map(Rfc3339::from),
            settled_at: command.settled_at.map(Rfc3339::from),
            expires_at: command.expires_at.into(),
        }
    }
}

/// The outcome in a receipt that was verified before it was stored.
fn outcome_of(receipt: &[u8]) -> Option<OutcomeCode> {
    let receipt = keys_core::envelope::Unverified::<Receipt>::decode(receipt).ok()?;
    receipt.unverified_body().outcome
}

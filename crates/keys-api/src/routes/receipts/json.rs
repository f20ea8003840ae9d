//! Wire structs of receipts.

use keys_core::receipt::OutcomeCode;
use keys_core::refusal::Refusal;

use crate::http::time::Rfc3339;
use crate::model::command::StoredReceipt;
use crate::model::id::{KeyId, ReceiptId, VehicleId};
use crate::routes::encode::base64url;

/// A receipt, verified with the gateway's key before it was stored.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Receipt)]
pub struct ReceiptJson {
    id: ReceiptId,
    /// Object id, hex.
    object_id: String,
    /// The signed bytes, base64url.
    receipt: String,
    vehicle_id: VehicleId,
    key_id: Option<KeyId>,
    command: &'static str,
    /// Hex.
    command_id: String,
    /// allowed or refused.
    decision: &'static str,
    /// done, declined or unknown.
    outcome: Option<&'static str>,
    /// Refusal codes.
    reasons: Vec<&'static str>,
    /// Entry of the car's journal it is about.
    journal_index: u64,
    /// By the gateway's clock.
    made_at: Rfc3339,
    /// By ours.
    received_at: Rfc3339,
}

impl From<StoredReceipt> for ReceiptJson {
    fn from(receipt: StoredReceipt) -> Self {
        Self {
            id: receipt.id,
            object_id: receipt.object.to_string(),
            receipt: base64url(&receipt.bytes),
            vehicle_id: receipt.vehicle,
            key_id: receipt.key,
            command: receipt.command.as_str(),
            command_id: receipt.command_id.to_string(),
            decision: if receipt.allowed {
                "allowed"
            } else {
                "refused"
            },
            outcome: receipt.outcome.map(OutcomeCode::as_str),
            reasons: receipt.reasons.iter().map(Refusal::code).collect(),
            journal_index: receipt.journal_index,
            made_at: receipt.made_at.into(),
            received_at: receipt.received_at.into(),
        }
    }
}

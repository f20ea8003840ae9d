//! `/v1/pairings`: the relay between a gateway and an owner's device, and pairing a managed vehicle.
//! The gateway's side needs no token: it proves itself by the code, which the API never sees.

pub mod answer;
pub mod await_answer;
pub mod await_confirm;
pub mod confirm;
pub mod json;
pub mod list;
pub mod offer;
pub mod pair;

use axum::http::StatusCode;

use crate::http::Problem;
use crate::service::pairing::PairingError;

impl From<PairingError> for Problem {
    fn from(error: PairingError) -> Self {
        let conflict = |code: &'static str, title: &'static str| {
            Self::conflict(code, title, error.to_string())
        };
        match error {
            PairingError::Answered => conflict("pairing-over", "The pairing is over"),
            PairingError::Answer => {
                conflict("pairing-answer-wrong", "The gateway's answer is wrong")
            }
            PairingError::NotConfirmed => {
                conflict("pairing-not-confirmed", "Nothing was confirmed yet")
            }
            PairingError::NotAnswered => {
                conflict("pairing-not-answered", "The gateway did not answer")
            }
            PairingError::NotOffered => {
                conflict("pairing-not-offered", "No gateway offers this code")
            }
            PairingError::OwnerMustPair => {
                conflict("owner-must-sign", "The owner's device must do this")
            }
            PairingError::NotFound => Self::not_found(),
            PairingError::Malformed(detail) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "Some fields do not hold",
                detail,
            ),
            PairingError::Bundle(error) => error.into(),
            PairingError::KeyStore(error) => Self::internal(&error),
            PairingError::Storage(error) => error.into(),
        }
    }
}

//! Invitations: below `/v1/keys/{id}/invitations` for the owner, `/v1/invitations` for who has the
//! link. The secret stands in bodies only, never in a path.

pub mod create;
pub mod json;
pub mod look;
pub mod lost;
pub mod redeem;
pub mod withdraw;

use axum::http::StatusCode;

use crate::http::Problem;
use crate::model::invitation::InvitationState;
use crate::service::invitations::InvitationError;

impl From<InvitationError> for Problem {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::CodeNeeded => Self::invalid_field(
                "/activation_code",
                "required; the host sent it over another channel",
            ),
            InvitationError::CodeWrong(0) => over(InvitationState::Locked),
            InvitationError::CodeWrong(tries_left) => {
                let detail = format!("{tries_left} tries are left");
                let title = "The activation code is wrong";
                Self::new(
                    StatusCode::FORBIDDEN,
                    "activation-code-wrong",
                    title,
                    detail,
                )
                .with("tries_left", tries_left)
            }
            InvitationError::Change(error) => error.into(),
            InvitationError::NotFound => Self::not_found(),
            InvitationError::Over(state) => over(state),
            InvitationError::Storage(error) => error.into(),
        }
    }
}

fn over(state: InvitationState) -> Problem {
    let (code, title, detail) = match state {
        InvitationState::Redeemed => (
            "invitation-used",
            "The invitation was used",
            "somebody redeemed it; ask the host for a new one if it was not you",
        ),
        InvitationState::Locked => (
            "invitation-locked",
            "The invitation is locked",
            "the activation code was wrong five times; ask the host for a new invitation",
        ),
        InvitationState::Open | InvitationState::Withdrawn => (
            "invitation-over",
            "The invitation is over",
            "it was withdrawn or its time is over; ask the host for a new one",
        ),
    };
    Problem::new(StatusCode::GONE, code, title, detail)
}

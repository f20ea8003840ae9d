//! `/v1/accounts`, `/v1/account`.

pub mod get;
pub mod json;
pub mod sign_up;

use crate::http::Problem;
use crate::service::accounts::{SignInError, SignUpError};
use crate::service::passwords::PasswordError;

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::EmailTaken => Self::conflict(
                "email-taken",
                "Address taken",
                "this address has an account; sign in instead",
            ),
            SignUpError::Storage(error) => error.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Password(error) => error.into(),
            SignInError::Storage(error) => error.into(),
            SignInError::Wrong => {
                let detail = "address and password do not match";
                Self::new(
                    axum::http::StatusCode::UNAUTHORIZED,
                    "wrong-credentials",
                    "Not signed in",
                    detail,
                )
            }
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Hash(_) => Self::internal(&error),
            PasswordError::Stopping => Self::unavailable("the server is stopping"),
        }
    }
}

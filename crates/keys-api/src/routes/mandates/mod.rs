//! `/v1/vehicles/{id}/mandate`: the owner lets the platform issue within signed limits.

pub mod get;
pub mod json;
pub mod revoke;
pub mod sign;

use crate::http::Problem;
use crate::service::mandates::MandateError;

impl From<MandateError> for Problem {
    fn from(error: MandateError) -> Self {
        let conflict = |code: &'static str, title: &'static str| {
            Self::conflict(code, title, error.to_string())
        };
        match error {
            MandateError::None => Self::not_found(),
            MandateError::OwnerMustSign => {
                conflict("owner-must-sign", "The owner's device must do this")
            }
            MandateError::PlatformSigns => {
                conflict("platform-signs", "The platform signs for this vehicle")
            }
            MandateError::NotAllowed => {
                conflict("mandate-not-allowed", "The bundle does not allow it")
            }
            MandateError::Refused(refusal) => Self::invalid_field("/link", error.to_string())
                .with("reasons", vec![refusal.code().to_owned()]),
            MandateError::Until => Self::invalid_field("/valid_until", error.to_string()),
            MandateError::KeyStore(error) => Self::internal(&error),
            MandateError::Sign(error) => Self::internal(&error),
            MandateError::Statement(error) => error.into(),
            MandateError::Storage(error) => error.into(),
        }
    }
}

//! `/v1/vehicles/{id}/bundle`: whom the car believes.

pub mod get;
pub mod json;
pub mod put;

use crate::http::Problem;
use crate::service::anchors::AnchorError;
use crate::service::bundles::BundleError;

impl From<BundleError> for Problem {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::PlatformSigns => Self::conflict(
                "platform-signs",
                "The platform signs for this vehicle",
                error.to_string(),
            ),
            BundleError::Refused(refusal) => Self::invalid_field("/bundle", error.to_string())
                .with("reasons", vec![refusal.code().to_owned()]),
            BundleError::Rollback(newest) => {
                Self::conflict("rollback", "Something newer is there", error.to_string())
                    .with("newest_seq", newest)
            }
            BundleError::Anchors(error) => error.into(),
            BundleError::Statement(error) => error.into(),
            BundleError::Storage(error) => error.into(),
        }
    }
}

impl From<AnchorError> for Problem {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::Storage(error) => error.into(),
            AnchorError::Sign(error) => Self::internal(&error),
        }
    }
}

//! `/v1/vehicles`.

pub mod get;
pub mod json;
pub mod list;
pub mod register;
pub mod remove;
pub mod update;

use crate::http::Problem;
use crate::service::vehicles::VehicleError;

impl From<VehicleError> for Problem {
    fn from(error: VehicleError) -> Self {
        match error {
            VehicleError::HasKeys(_) => Self::conflict(
                "vehicle-has-keys",
                "Signed keys still open the vehicle",
                format!("{error}; revoke them first"),
            ),
            VehicleError::NotFound => Self::not_found(),
            VehicleError::Storage(error) => error.into(),
        }
    }
}

//! `/v1/vehicles/{id}/statements`: who may not open any more.

pub mod json;
pub mod list;
pub mod post;

use crate::http::Problem;
use crate::service::statements::StatementError;

impl From<StatementError> for Problem {
    fn from(error: StatementError) -> Self {
        let text = error.to_string();
        match error {
            StatementError::Full => Self::conflict(
                "statement-full",
                "The list of denied links is full",
                "raise the generation with a new mandate, then try again",
            ),
            StatementError::KeyStore(error) => Self::internal(&error),
            StatementError::Refused(refusal) => Self::invalid_field("/statement", text)
                .with("reasons", vec![refusal.refusal().code().to_owned()]),
            StatementError::Malformed(_) => Self::invalid_field("/statement", text),
            StatementError::Sign(error) => Self::internal(&error),
            StatementError::Storage(error) => error.into(),
        }
    }
}

//! `/v1/keys`.

pub mod change;
pub mod extend;
pub mod get;
pub mod issue;
pub mod json;
pub mod list;
pub mod policy;
pub mod put_link;
pub mod resume;
pub mod revoke;
pub mod shorten;
pub mod suspend;

use crate::http::Problem;
use crate::model::key::KeyState;
use crate::service::issuing::{IssueError, WindowFault};
use crate::service::key_changes::ChangeError;
use crate::service::signing::SigningError;

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        let text = error.to_string();
        match error {
            IssueError::HolderKey => Self::invalid_field("/holder_key", text),
            IssueError::MandateNeeded => Self::conflict(
                "mandate-needed",
                "The vehicle needs a mandate",
                "sign a mandate first; without one the platform issues nothing",
            ),
            IssueError::NotFound => Self::not_found(),
            IssueError::Overlap(other) => {
                let title = "The window overlaps another key's";
                Self::conflict("key-overlap", title, text).with("key_id", other.to_string())
            }
            IssueError::Signing(error) => error.into(),
            IssueError::Storage(error) => error.into(),
            IssueError::TooLarge => Self::invalid_field("/policy", text),
            IssueError::Wider { field, detail } => {
                let detail = format!("more than the mandate gives: {detail}");
                Self::invalid_field(&format!("/{field}"), detail)
            }
            IssueError::Window(fault) => {
                let field = match fault {
                    WindowFault::BeginsTooLongAgo => "/valid_from",
                    WindowFault::Inverted | WindowFault::Past | WindowFault::TooLong => {
                        "/valid_until"
                    }
                };
                Self::invalid_field(field, fault.to_string())
            }
        }
    }
}

impl From<SigningError> for Problem {
    fn from(error: SigningError) -> Self {
        let text = error.to_string();
        match error {
            SigningError::OtherClaims => Self::invalid_field("/link", text),
            SigningError::Refused(refusal) => {
                Self::conflict("key-refused", "The car would not take this key", text)
                    .with("reasons", vec![refusal.code().to_owned()])
            }
            SigningError::Sign(error) => Self::internal(&error),
            SigningError::Statement(error) => error.into(),
            SigningError::Storage(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let text = error.to_string();
        match error {
            ChangeError::Issue(error) => error.into(),
            ChangeError::NotFound => Self::not_found(),
            ChangeError::Until(detail) => Self::invalid_field("/valid_until", detail),
            ChangeError::Statement(error) => error.into(),
            ChangeError::Storage(error) => error.into(),
            ChangeError::WrongState(state) => wrong_state(state, text),
        }
    }
}

fn wrong_state(state: KeyState, detail: String) -> Problem {
    let title = "The key's state forbids it";
    Problem::conflict("key-state", title, detail).with("state", state.as_str())
}

//! `?wait=`: how long an answer may be held back for something to happen.

use std::time::Duration;

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::relay::bells::LONGEST_WAIT_S;

/// `?wait=` as routes read it.
#[derive(Debug, Clone, Copy)]
pub struct WaitQuery {
    wait: Option<u64>,
}

impl FromFields for WaitQuery {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                wait: optional(read::uint(0, LONGEST_WAIT_S)),
            }
        )
    }
}

impl WaitQuery {
    /// How long to wait; not at all if absent.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or(0))
    }
}

/// `?wait=`, for the document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "only its description is used; `WaitQuery` reads the value"
)]
pub struct WaitParams {
    /// Seconds to hold the answer back until there is one; 0 if absent.
    #[param(minimum = 0, maximum = 30, required = false)]
    wait: u64,
}

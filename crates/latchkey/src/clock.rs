//! The one place where this program asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use keys_core::time::Timestamp;

/// Now, by the machine's clock; 0 if that stands before 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the process's clock: everything else is given the time"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs()),
    )
}

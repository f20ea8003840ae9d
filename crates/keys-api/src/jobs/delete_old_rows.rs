//! Deletes rows whose time is over: sessions, stored replies.

use crate::state::App;
use crate::storage::{StorageError, replies, sessions};

/// Returns how many were deleted.
pub(super) async fn run(app: &App) -> Result<u64, StorageError> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let deleted =
        sessions::delete_expired(&tx, now).await? + replies::delete_expired(&tx, now).await?;
    tx.commit().await?;
    Ok(deleted)
}

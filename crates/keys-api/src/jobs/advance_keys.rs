//! Moves keys along with time: windows that are over, commands without an answer, links that are
//! about to end, keys whose window came into reach.

use crate::model::id::KeyId;
use crate::service::anchors::{self, AnchorError};
use crate::service::signing::{self, SigningError};
use crate::service::statements::{self, StatementError};
use crate::state::App;
use crate::storage::{
    StorageError, bundles, commands, denied_links, keys, mandates, pairings, vehicles,
};

/// Waiting keys read at a time.
const AT_ONCE: u64 = 64;

/// Writes down what time has ended. Returns how many rows changed.
pub(super) async fn end(app: &App) -> Result<u64, StorageError> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let mut changed = keys::expire(&tx, now).await?;
    changed += commands::pass_deadlines(&tx, now).await?;
    changed += denied_links::delete_over(&tx, now).await?;
    changed += pairings::delete_expired(&tx, now).await?;
    tx.commit().await.map_err(StorageError::from)?;
    Ok(changed)
}

/// Renews the platform's links of every vehicle that needs it. Returns how many vehicles.
pub(super) async fn renew(app: &App) -> Result<u64, AnchorError> {
    let db = app.db.read();
    let mut all = bundles::vehicles(db).await?;
    all.extend(mandates::vehicles(db, app.clock.now()).await?);
    all.sort_unstable();
    all.dedup();
    let mut renewed = 0;
    for id in all {
        if !anchors::due(app, db, id).await? {
            continue;
        }
        let signed = app
            .db
            .retry(|| async {
                let tx = app.db.begin().await?;
                let Some(vehicle) = vehicles::find_unscoped(&tx, id).await? else {
                    return Ok(false);
                };
                let signed = anchors::ensure(app, &tx, &vehicle).await?;
                tx.commit().await.map_err(StorageError::from)?;
                Ok::<_, AnchorError>(signed)
            })
            .await?;
        if signed {
            renewed += 1;
            app.hub.wake(id);
        }
    }
    Ok(renewed)
}

/// Signs keys whose window came into reach. Returns how many.
pub(super) async fn sign(app: &App) -> Result<u64, SigningError> {
    let db = app.db.read();
    let (mut signed, mut after) = (0, None);
    loop {
        let now = app.clock.now();
        let page = keys::waiting_below_mandates(db, now, after, AT_ONCE).await?;
        let Some(last) = page.last() else {
            return Ok(signed);
        };
        after = Some(last.id);
        for key in &page {
            if signing::is_in_reach(app, db, key).await? {
                let done = app.db.retry(|| sign_one(app, key.id)).await?;
                signed += u64::from(done);
            }
        }
    }
}

async fn sign_one(app: &App, key: KeyId) -> Result<bool, SigningError> {
    let tx = app.db.begin().await?;
    let signed = signing::sign_waiting(app, &tx, key).await?;
    tx.commit().await.map_err(StorageError::from)?;
    Ok(signed)
}

/// Signs a new statement for every connected vehicle whose newest is ten minutes old. Returns how many.
pub(super) async fn refresh(app: &App) -> Result<u64, StatementError> {
    let mut refreshed = 0;
    for vehicle in app.hub.connected() {
        if app.db.retry(|| statements::refresh(app, vehicle)).await? {
            refreshed += 1;
            app.hub.wake(vehicle);
        }
    }
    Ok(refreshed)
}

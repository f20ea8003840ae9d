//! What all changes of a key by its owner have in common.

use super::json::KeyJson;
use crate::http::{Idempotency, OwnerCaller, Problem, Reply};
use crate::model::id::KeyId;
use crate::model::key::Key;
use crate::model::vehicle::Vehicle;
use crate::service::key_changes::{self, ChangeError};
use crate::service::key_view;
use crate::state::App;
use crate::storage::Tx;

/// Finds the caller's key, has `change` done to it, answers with the key and tells its gateway.
///
/// # Errors
/// The change's problem.
pub async fn change<C>(
    app: &App,
    owner: OwnerCaller,
    idempotency: Idempotency,
    id: KeyId,
    change: C,
) -> Result<Reply, Problem>
where
    C: AsyncFnOnce(&App, &Tx, &Vehicle, &mut Key) -> Result<(), ChangeError>,
{
    let tx = app.db.begin().await?;
    let (vehicle, mut key) = key_changes::find(app, &tx, owner.account, id).await?;
    change(app, &tx, &vehicle, &mut key).await?;
    let view = key_view::show_one(app, &tx, key).await?;
    let reply = Reply::ok(&KeyJson::from(view));
    let reply = idempotency.commit(tx, reply).await?;
    app.hub.wake(vehicle.id);
    Ok(reply)
}

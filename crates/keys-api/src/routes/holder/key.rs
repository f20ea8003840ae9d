//! `GET /v1/holder/key`

use axum::extract::State;
use keys_core::challenge::Seqs;

use super::json::{CarryJson, HolderKeyJson, HolderVehicleJson};
use crate::http::{HolderCaller, Problem, Reply};
use crate::relay::deliver;
use crate::routes::encode::base64url;
use crate::routes::keys::json::KeyJson;
use crate::service::key_view;
use crate::state::App;
use crate::storage::{bundles, keys};

/// The holder's key, its vehicle, and what the phone carries to the car.
#[utoipa::path(get, path = "/v1/holder/key", tag = "holder", operation_id = "get_holder_key",
    security(("holder" = [])),
    responses((status = 200, description = "Key, bundle and carry pack.", body = HolderKeyJson)))]
pub async fn key(State(app): State<App>, holder: HolderCaller) -> Result<Reply, Problem> {
    let db = app.db.read();
    let vehicle = super::vehicle_of(db, &holder).await?;
    let key = keys::find_unscoped(db, holder.key).await?;
    let mut key = key.ok_or_else(Problem::not_found)?;
    // The host's own reference is not the holder's to read.
    key.booking = None;
    let view = key_view::show_one(&app, db, key).await?;
    let bundle = bundles::newest(db, vehicle.id).await?;
    let bundle_seq = bundle.as_ref().map_or(0, |bundle| bundle.seq);
    let held = Seqs {
        // Only the newest bundle travels with a phone.
        bundle: bundle_seq.saturating_sub(1),
        ..Seqs::default()
    };
    let carry = deliver::lacking(db, vehicle.id, held, app.clock.now()).await?;
    Ok(Reply::ok(&HolderKeyJson {
        key: KeyJson::from(view),
        vehicle: HolderVehicleJson::from(vehicle),
        bundle: bundle.map(|bundle| base64url(&bundle.bytes)),
        carry: carry.into_iter().map(CarryJson::from).collect(),
    }))
}

//! `GET /v1/gateways/sync`

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use keys_core::sync;

use crate::relay::connection;
use crate::state::App;

/// Where gateways dial in: binary frames after a signed handshake. Needs no token; a gateway proves
/// the key that the newest bundle of its vehicle names, else it is closed with code 4401.
#[utoipa::path(get, path = "/v1/gateways/sync", tag = "gateways", operation_id = "sync_gateway",
    responses((status = 101, description = "Switching to WebSocket."),
        (status = 426, description = "Not a WebSocket request.")))]
pub async fn sync_gateway(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_frame_size(sync::MAX_BYTES)
        .max_message_size(sync::MAX_BYTES)
        .on_upgrade(move |socket| connection::serve(app, socket))
}

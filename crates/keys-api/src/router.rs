//! Every path in one table, and the layers around it.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::http::{Problem, body, rate_limit, request_id};
use crate::openapi;
use crate::routes::{
    accounts, api_tokens, bundles, commands, gateways, health, holder, invitations, keys, mandates,
    openapi as description, pairings, platform, receipts, sessions, statements, vehicles,
};
use crate::state::App;

/// All operations. A route is added here and nowhere else; it is then in the document too.
fn table() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        // Operation.
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(description::openapi))
        // Accounts.
        .routes(routes!(accounts::sign_up::sign_up))
        .routes(routes!(accounts::get::get))
        .routes(routes!(sessions::create::create, sessions::list::list))
        .routes(routes!(sessions::revoke::revoke))
        .routes(routes!(api_tokens::create::create, api_tokens::list::list))
        .routes(routes!(api_tokens::revoke::revoke))
        // Vehicles.
        .routes(routes!(vehicles::register::register, vehicles::list::list))
        .routes(routes!(
            vehicles::get::get,
            vehicles::update::update,
            vehicles::remove::remove
        ))
        .merge(trust())
        .merge(key_life())
        .merge(relay())
}

/// Pairing, and what a vehicle believes.
fn trust() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(platform::get::get))
        .routes(routes!(pairings::offer::offer, pairings::list::list))
        .routes(routes!(
            pairings::confirm::confirm,
            pairings::await_confirm::await_confirm
        ))
        .routes(routes!(
            pairings::answer::answer,
            pairings::await_answer::await_answer
        ))
        .routes(routes!(pairings::pair::pair))
        .routes(routes!(bundles::get::get, bundles::put::put))
        .routes(routes!(
            mandates::get::get,
            mandates::sign::sign,
            mandates::revoke::revoke
        ))
        .routes(routes!(statements::list::list, statements::post::post))
}

/// Keys from their promise to their end.
fn key_life() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(keys::issue::issue, keys::list::list))
        .routes(routes!(keys::get::get))
        .routes(routes!(keys::put_link::put_link))
        .routes(routes!(keys::extend::extend))
        .routes(routes!(keys::shorten::shorten))
        .routes(routes!(keys::suspend::suspend))
        .routes(routes!(keys::resume::resume))
        .routes(routes!(keys::revoke::revoke))
        .routes(routes!(invitations::create::create))
        .routes(routes!(invitations::withdraw::withdraw))
        .routes(routes!(invitations::look::look))
        .routes(routes!(invitations::redeem::redeem))
        .routes(routes!(invitations::lost::lost))
        .routes(routes!(holder::key::key))
        .routes(routes!(holder::delegation::delegation))
        .routes(routes!(holder::relinquish::relinquish))
}

/// What passes between phones, owners and gateways.
fn relay() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(holder::challenge::challenge))
        .routes(routes!(holder::command::command))
        .routes(routes!(holder::time::time))
        .routes(routes!(holder::receipts::receipts))
        .routes(routes!(commands::get::get))
        .routes(routes!(commands::send::send))
        .routes(routes!(commands::challenge::challenge))
        .routes(routes!(receipts::list::list))
        .routes(routes!(gateways::get::get))
        .routes(routes!(gateways::sync::sync_gateway))
}

/// The OpenAPI document of [`router`].
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::finish(table().into_openapi())
}

/// The whole HTTP surface.
pub fn router(app: App) -> Router {
    let (api, _) = table().split_for_parts();
    let docs = SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json"));
    api.merge(docs)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            Problem::of_status(StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(from_fn(body::layer))
        .layer(from_fn_with_state(app.clone(), rate_limit::layer))
        .layer(CatchPanicLayer::custom(request_id::caught_panic))
        .layer(from_fn_with_state(app.clone(), request_id::layer))
        .with_state(app)
}

//! The outermost layer: gives every request an id, and every error its final form.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use tracing::Instrument;

use super::problem::{MEDIA_TYPE, Problem, Rendered};
use crate::model::id::RequestId;
use crate::state::App;

/// The header that carries the request id.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Runs a request under a fresh id.
pub async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response<Body> {
    let id: RequestId = app.new_id();
    request.extensions_mut().insert(id);
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path());
    let mut response = async {
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        finish(response, &id.to_string())
    }
    .instrument(span)
    .await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn finish(response: Response<Body>, id: &str) -> Response<Body> {
    let status = response.status();
    if let Some(Rendered(problem)) = response.extensions().get::<Rendered>().cloned() {
        return with_body(response, &problem, id);
    }
    let error = status.is_client_error() || status.is_server_error();
    let own = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/"));
    // Errors made by libraries come as plain text or nothing.
    if error && !own {
        with_body(response, &Problem::of_status(status), id)
    } else {
        response
    }
}

fn with_body(response: Response<Body>, problem: &Problem, id: &str) -> Response<Body> {
    let (mut parts, _) = response.into_parts();
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(problem.document(id)))
}

/// Turns a panic into a problem; for `tower_http`'s catch-panic layer.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the payload over"
)]
pub fn caught_panic(payload: Box<dyn std::any::Any + Send + 'static>) -> Response<Body> {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = text, "handler panicked");
    Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

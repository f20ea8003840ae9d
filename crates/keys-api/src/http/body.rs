//! Bodies are read whole, within 64 KiB and 30 s, before any handler runs; so a slow or endless
//! client holds no transaction, and a request that lost a race can run again.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::problem::{Problem, Rendered};
use crate::storage::ATTEMPTS;

/// Largest body.
pub const MOST_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
pub const READ_DEADLINE: Duration = Duration::from_secs(30);

/// The bytes of the body; also in the request's extensions, for the idempotency fingerprint.
#[derive(Debug, Clone)]
pub(super) struct WholeBody(pub(super) Bytes);

/// Reads the body, then runs the request, again if a transaction lost a race.
pub async fn layer(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let bytes = match read(body).await {
        Ok(bytes) => bytes,
        Err(problem) => return refuse_and_close(problem),
    };
    parts.extensions.insert(WholeBody(bytes.clone()));
    if parts.method == Method::GET {
        return next
            .run(Request::from_parts(parts, Body::from(bytes)))
            .await;
    }
    for _ in 1..ATTEMPTS {
        let request = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
        let response = next.clone().run(request).await;
        match response.extensions().get::<Rendered>() {
            Some(Rendered(problem)) if problem.lost_race() => tokio::task::yield_now().await,
            _ => return response,
        }
    }
    next.run(Request::from_parts(parts, Body::from(bytes)))
        .await
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(READ_DEADLINE, Limited::new(body, MOST_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is over {MOST_BYTES} bytes");
            Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large",
                detail,
            ))
        }
        Ok(Err(_)) => Err(Problem::unreadable("the body broke off")),
        Err(_) => Err(Problem::of_status(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// The rest of such a body is not read, so the connection cannot be used again.
fn refuse_and_close(problem: Problem) -> Response {
    let mut response = problem.into_response();
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The whole body, as the layer read it.
pub(super) async fn whole(request: Request) -> Result<Bytes, Problem> {
    match request.extensions().get::<WholeBody>() {
        Some(WholeBody(bytes)) => Ok(bytes.clone()),
        None => read(request.into_body()).await,
    }
}

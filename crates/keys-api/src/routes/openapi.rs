//! The API description.

use axum::response::{IntoResponse, Response};

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation", operation_id = "openapi",
    responses((status = 200, description = "The API as OpenAPI 3.1.", body = serde_json::Value)))]
pub async fn openapi() -> Response {
    axum::Json(crate::router::document()).into_response()
}

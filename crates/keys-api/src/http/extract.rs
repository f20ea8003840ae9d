//! Path, query and body with our own rejections: every one is a [`Problem`].

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::fields::{FromFields, read_body, read_query};
use super::problem::{FieldError, Problem};

/// A JSON body of kind `T`. 415 for another media type, 400 if it is no JSON, 422 naming every field
/// that does not hold.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// Path parameters. An id that does not parse is 404, like one that does not exist.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

/// Query parameters of kind `T`; unknown and repeated ones are refused.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

/// A body for routes whose body may be left out: absent counts as `{}`.
#[derive(Debug, Clone)]
pub struct OptionalJson<T>(pub T);

impl<S: Send + Sync, T: FromFields> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let body = super::body::whole(request).await?;
        Ok(Self(parse(&body)?))
    }
}

impl<S: Send + Sync, T: FromFields> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return Json::from_request(request, state)
                .await
                .map(|Json(body)| Self(body));
        }
        match super::body::whole(request).await? {
            body if body.is_empty() => Ok(Self(parse(b"{}")?)),
            _ => Err(unsupported_media()),
        }
    }
}

fn parse<T: FromFields>(body: &[u8]) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::unreadable(format!("the body is not JSON: {error}")))?;
    read_body(&value).map_err(Problem::invalid)
}

fn require_json(headers: &axum::http::HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(unsupported_media())
    }
}

fn unsupported_media() -> Problem {
    let detail = "send the body as `content-type: application/json`";
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        detail,
    )
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(_) => Err(Problem::not_found()),
        }
    }
}

impl<S: Send + Sync, T: FromFields> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state)
                .await
                .map_err(|_| Problem::unreadable("the query does not parse"))?;
        let mut object = Map::new();
        for (name, text) in pairs {
            if object.insert(name.clone(), Value::String(text)).is_some() {
                return Err(Problem::invalid(vec![FieldError {
                    pointer: name,
                    detail: "given twice".to_owned(),
                }]));
            }
        }
        read_query(&Value::Object(object))
            .map(Self)
            .map_err(Problem::invalid)
    }
}

//! Wire structs of API tokens.

use keys_core::time::Timestamp;

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::account::ApiToken;
use crate::model::id::ApiTokenId;
use crate::secret::Secret;

/// Body that makes a token.
#[derive(Debug, utoipa::ToSchema)]
pub struct CreateApiToken {
    /// What to call it.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// When it ends by itself; never if absent.
    #[schema(value_type = Option<Rfc3339>)]
    pub expires_at: Option<Timestamp>,
}

impl FromFields for CreateApiToken {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                name: required(read::text(1, 80)),
                expires_at: optional(read::time),
            }
        )
    }
}

/// An API token, without its secret.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ApiToken)]
pub struct ApiTokenJson {
    id: ApiTokenId,
    name: String,
    created_at: Rfc3339,
    expires_at: Option<Rfc3339>,
}

impl From<ApiToken> for ApiTokenJson {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(Rfc3339),
        }
    }
}

/// An API token as it is shown once.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct NewApiToken {
    /// The token.
    #[serde(flatten)]
    pub api_token: ApiTokenJson,
    /// Bearer token (`lkt_…`); shown once.
    pub token: String,
}

impl NewApiToken {
    /// The token with its secret.
    #[must_use]
    pub fn new(token: ApiToken, secret: &Secret) -> Self {
        Self {
            api_token: token.into(),
            token: secret.reveal().to_owned(),
        }
    }
}

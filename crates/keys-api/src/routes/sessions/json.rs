//! Wire structs of sessions.

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::account::{Email, Session};
use crate::model::id::SessionId;
use crate::secret::Secret;

/// Body of a sign-in.
#[derive(Debug, utoipa::ToSchema)]
pub struct SignInBody {
    /// The address of the account.
    #[schema(value_type = String, format = Email, max_length = 254)]
    pub email: Email,
    /// Its password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256)]
    pub password: Secret,
}

impl FromFields for SignInBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                email: required(read::parsed),
                password: required(read::secret(1, 256)),
            }
        )
    }
}

/// A session.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub struct SessionJson {
    id: SessionId,
    /// What the signed-in program calls itself.
    user_agent: Option<String>,
    created_at: Rfc3339,
    expires_at: Rfc3339,
    /// Whether it is the session that is asking.
    current: bool,
}

impl SessionJson {
    /// The session as shown to the session `asking`.
    #[must_use]
    pub fn new(session: Session, asking: Option<SessionId>) -> Self {
        Self {
            id: session.id,
            user_agent: session.user_agent,
            created_at: session.created_at.into(),
            expires_at: session.expires_at.into(),
            current: asking == Some(session.id),
        }
    }
}

//! Wire structs of accounts.

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::account::{Account, Email};
use crate::model::id::AccountId;
use crate::secret::Secret;

/// Body of a sign-up.
#[derive(Debug, utoipa::ToSchema)]
pub struct SignUpBody {
    /// The address to sign in with.
    #[schema(value_type = String, format = Email, max_length = 254)]
    pub email: Email,
    /// 8 to 256 bytes.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    pub password: Secret,
    /// What to call the owner.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
}

impl FromFields for SignUpBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                email: required(read::parsed),
                password: required(read::secret(8, 256)),
                name: optional(read::text(1, 80)),
            }
        )
    }
}

/// An account.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Account)]
pub struct AccountJson {
    id: AccountId,
    email: String,
    name: Option<String>,
    created_at: Rfc3339,
}

impl From<Account> for AccountJson {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            email: account.email.as_str().to_owned(),
            name: account.name,
            created_at: account.created_at.into(),
        }
    }
}

/// An account and the token of the session just begun.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct SignedIn {
    /// The account.
    pub account: AccountJson,
    /// Bearer token of the session (`lks_…`); shown once.
    pub token: String,
}

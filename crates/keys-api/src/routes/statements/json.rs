//! Wire structs of statements.

use keys_core::codec::Writer;
use keys_core::envelope::Body;
use keys_core::limits;
use keys_core::statement::Statement;

use crate::http::Problem;
use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::statement::{Authority, StoredStatement};
use crate::model::vehicle::Vehicle;
use crate::routes::encode::base64url;
use crate::service::statements;
use crate::state::App;
use crate::storage::{self, Conn};

/// Body of a statement that a sovereign owner's device signed.
#[derive(Debug, utoipa::ToSchema)]
pub struct PostStatement {
    /// The signed statement, base64url.
    #[schema(value_type = String)]
    pub statement: Vec<u8>,
}

impl FromFields for PostStatement {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                statement: required(read::bytes(1, limits::CARRIED_BYTES)),
            }
        )
    }
}

/// What each authority said last about a vehicle.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Statements)]
pub struct StatementsJson {
    /// The owner's newest.
    owner: Option<StatementJson>,
    /// The platform's newest.
    platform: Option<StatementJson>,
    /// What a sovereign owner's device should sign next.
    to_sign: Option<StatementToSignJson>,
}

/// A signed statement.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Statement)]
pub struct StatementJson {
    /// Its number.
    seq: u64,
    issued_at: Rfc3339,
    /// Not fresh from here on; absent from owners.
    expires_at: Option<Rfc3339>,
    /// The signed bytes, base64url.
    statement: String,
}

/// An unsigned statement.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = StatementToSign)]
pub struct StatementToSignJson {
    /// Payload, deterministic CBOR, base64url.
    statement: String,
}

impl From<StoredStatement> for StatementJson {
    fn from(stored: StoredStatement) -> Self {
        Self {
            seq: stored.seq,
            issued_at: stored.issued_at.into(),
            expires_at: stored.expires_at.map(Rfc3339::from),
            statement: base64url(&stored.bytes),
        }
    }
}

impl From<Statement> for StatementToSignJson {
    fn from(statement: Statement) -> Self {
        let mut writer = Writer::new();
        statement.write(&mut writer);
        Self {
            statement: base64url(&writer.into_bytes()),
        }
    }
}

impl StatementsJson {
    /// The statements of a vehicle as they stand.
    ///
    /// # Errors
    /// The store's problem.
    pub async fn load(app: &App, db: &impl Conn, vehicle: &Vehicle) -> Result<Self, Problem> {
        let newest = async |authority| {
            let stored = storage::statements::newest(db, vehicle.id, authority).await?;
            Ok::<_, Problem>(stored.map(StatementJson::from))
        };
        let to_sign = statements::to_sign(app, db, vehicle).await?;
        Ok(Self {
            owner: newest(Authority::Owner).await?,
            platform: newest(Authority::Platform).await?,
            to_sign: to_sign.map(StatementToSignJson::from),
        })
    }
}

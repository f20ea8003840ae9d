//! Table `api_tokens`.

use keys_core::time::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect};

use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::account::ApiToken;
use crate::model::id::{AccountId, ApiTokenId};
use crate::model::page::PageQuery;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: ApiTokenId,
    account_id: AccountId,
    name: String,
    token_hash: Vec<u8>,
    created_at: i64,
    expires_at: Option<i64>,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts a token under its hash.
pub async fn insert(
    db: &impl Conn,
    token: &ApiToken,
    token_hash: [u8; 32],
) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(token.id),
        account_id: Set(token.account_id),
        name: Set(token.name.clone()),
        token_hash: Set(token_hash.to_vec()),
        created_at: Set(to_db(token.created_at)),
        expires_at: Set(token.expires_at.map(to_db)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The live token with this hash.
pub async fn find_by_hash(
    db: &impl Conn,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<ApiToken>, StorageError> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(hash.to_vec()))
        .filter(live(now))
        .one(db)
        .await?;
    Ok(row.map(ApiToken::from))
}

/// One page of an account's live tokens, newest first.
pub async fn list(
    db: &impl Conn,
    account: AccountId,
    page: &PageQuery,
    now: Timestamp,
) -> Result<Vec<ApiToken>, StorageError> {
    let mut query = Entity::find()
        .filter(Column::AccountId.eq(account))
        .filter(live(now));
    if let Some(after) = page.after() {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(page.fetch())
        .all(db)
        .await?;
    Ok(rows.into_iter().map(ApiToken::from).collect())
}

/// Ends an account's token; `false` if it has no such token.
pub async fn delete(
    db: &impl Conn,
    account: AccountId,
    id: ApiTokenId,
) -> Result<bool, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::AccountId.eq(account))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(done.rows_affected > 0)
}

fn live(now: Timestamp) -> Condition {
    Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(to_db(now)))
}

impl From<Model> for ApiToken {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            name: row.name,
            created_at: from_db(row.created_at),
            expires_at: row.expires_at.map(from_db),
        }
    }
}

//! Table `sessions`.

use keys_core::time::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::account::Session;
use crate::model::id::{AccountId, SessionId};
use crate::model::page::PageQuery;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: SessionId,
    account_id: AccountId,
    token_hash: Vec<u8>,
    user_agent: Option<String>,
    created_at: i64,
    expires_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts a session under the hash of its token.
pub async fn insert(
    db: &impl Conn,
    session: &Session,
    token_hash: [u8; 32],
) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(session.id),
        account_id: Set(session.account_id),
        token_hash: Set(token_hash.to_vec()),
        user_agent: Set(session.user_agent.clone()),
        created_at: Set(to_db(session.created_at)),
        expires_at: Set(to_db(session.expires_at)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The live session with this token hash.
pub async fn find_by_hash(
    db: &impl Conn,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Session>, StorageError> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(hash.to_vec()))
        .filter(Column::ExpiresAt.gt(to_db(now)))
        .one(db)
        .await?;
    Ok(row.map(Session::from))
}

/// One page of an account's live sessions, newest first.
pub async fn list(
    db: &impl Conn,
    account: AccountId,
    page: &PageQuery,
    now: Timestamp,
) -> Result<Vec<Session>, StorageError> {
    let mut query = Entity::find()
        .filter(Column::AccountId.eq(account))
        .filter(Column::ExpiresAt.gt(to_db(now)));
    if let Some(after) = page.after() {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(page.fetch())
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// Ends an account's session; `false` if it has no such session.
pub async fn delete(
    db: &impl Conn,
    account: AccountId,
    id: SessionId,
) -> Result<bool, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::AccountId.eq(account))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Deletes sessions that ended before `now`.
pub async fn delete_expired(db: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    Ok(Entity::delete_many()
        .filter(Column::ExpiresAt.lte(to_db(now)))
        .exec(db)
        .await?
        .rows_affected)
}

impl From<Model> for Session {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            user_agent: row.user_agent,
            created_at: from_db(row.created_at),
            expires_at: from_db(row.expires_at),
        }
    }
}

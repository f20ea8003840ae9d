//! Table `idempotent_replies`.

use keys_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::{Conn, StorageError};
use crate::clock::to_db;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotent_replies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    /// Hash of the request that was answered.
    pub fingerprint: Vec<u8>,
    /// The reply, encrypted.
    pub sealed_reply: Vec<u8>,
    expires_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The reply kept under `id`, unless its time is over.
pub async fn find(
    db: &impl Conn,
    id: [u8; 32],
    now: Timestamp,
) -> Result<Option<Model>, StorageError> {
    Ok(Entity::find_by_id(id.to_vec())
        .filter(Column::ExpiresAt.gt(to_db(now)))
        .one(db)
        .await?)
}

/// Keeps a reply, in the place of one whose time is over; [`StorageError::Taken`] if there is one.
pub async fn save(
    db: &impl Conn,
    id: [u8; 32],
    fingerprint: [u8; 32],
    sealed_reply: Vec<u8>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    Entity::delete_many()
        .filter(Column::Id.eq(id.to_vec()))
        .filter(Column::ExpiresAt.lte(to_db(now)))
        .exec(db)
        .await?;
    let row = ActiveModel {
        id: Set(id.to_vec()),
        fingerprint: Set(fingerprint.to_vec()),
        sealed_reply: Set(sealed_reply),
        expires_at: Set(to_db(expires_at)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Deletes replies whose time is over.
pub async fn delete_expired(db: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    Ok(Entity::delete_many()
        .filter(Column::ExpiresAt.lte(to_db(now)))
        .exec(db)
        .await?
        .rows_affected)
}

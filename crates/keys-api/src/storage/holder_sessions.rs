//! Table `holder_sessions`.

use keys_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

use super::{Conn, StorageError};
use crate::clock::to_db;
use crate::model::holder::HolderSession;
use crate::model::id::{HolderSessionId, KeyId, VehicleId};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holder_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: HolderSessionId,
    key_id: KeyId,
    vehicle_id: VehicleId,
    token_hash: Vec<u8>,
    device_name: Option<String>,
    created_at: i64,
    ended_at: Option<i64>,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts a holder session under the hash of its token.
pub async fn insert(
    db: &impl Conn,
    session: &HolderSession,
    token_hash: [u8; 32],
    device_name: Option<String>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(session.id),
        key_id: Set(session.key),
        vehicle_id: Set(session.vehicle),
        token_hash: Set(token_hash.to_vec()),
        device_name: Set(device_name),
        created_at: Set(to_db(now)),
        ended_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The live holder session with this token hash.
pub async fn find_by_hash(
    db: &impl Conn,
    hash: &[u8; 32],
) -> Result<Option<HolderSession>, StorageError> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(hash.to_vec()))
        .filter(Column::EndedAt.is_null())
        .one(db)
        .await?;
    Ok(row.map(|row| HolderSession {
        id: row.id,
        key: row.key_id,
        vehicle: row.vehicle_id,
    }))
}

/// Ends every holder session of a key.
pub async fn end_all(db: &impl Conn, key: KeyId, now: Timestamp) -> Result<u64, StorageError> {
    let done = Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(to_db(now)))
        .filter(Column::KeyId.eq(key))
        .filter(Column::EndedAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

//! Table `slots`: the window each key that may drive reserves on its vehicle.

use keys_core::time::Validity;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::{Conn, StorageError};
use crate::clock::to_db;
use crate::model::id::{KeyId, VehicleId};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    key_id: KeyId,
    vehicle_id: VehicleId,
    valid_from: i64,
    valid_until: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A key other than `but` that holds part of `window`, the earliest if there are several.
pub async fn taken_by(
    db: &impl Conn,
    vehicle: VehicleId,
    window: Validity,
    but: Option<KeyId>,
) -> Result<Option<KeyId>, StorageError> {
    let mut query = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::ValidFrom.lt(to_db(window.until)))
        .filter(Column::ValidUntil.gt(to_db(window.from)));
    if let Some(but) = but {
        query = query.filter(Column::KeyId.ne(but));
    }
    let row = query
        .order_by_asc(Column::ValidFrom)
        .limit(1)
        .one(db)
        .await?;
    Ok(row.map(|row| row.key_id))
}

/// Reserves `window` for a key.
pub async fn reserve(
    db: &impl Conn,
    key: KeyId,
    vehicle: VehicleId,
    window: Validity,
) -> Result<(), StorageError> {
    let row = ActiveModel {
        key_id: Set(key),
        vehicle_id: Set(vehicle),
        valid_from: Set(to_db(window.from)),
        valid_until: Set(to_db(window.until)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Moves a key's reservation to `window`.
pub async fn change(db: &impl Conn, key: KeyId, window: Validity) -> Result<(), StorageError> {
    let row = ActiveModel {
        key_id: Set(key),
        valid_from: Set(to_db(window.from)),
        valid_until: Set(to_db(window.until)),
        ..Default::default()
    };
    Entity::update(row).exec(db).await?;
    Ok(())
}

/// Frees what a key reserved.
pub async fn free(db: &impl Conn, key: KeyId) -> Result<(), StorageError> {
    Entity::delete_by_id(key).exec(db).await?;
    Ok(())
}

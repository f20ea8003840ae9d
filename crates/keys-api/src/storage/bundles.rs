//! Table `bundles`.

use keys_core::time::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::columns::{array, number, to_number};
use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::id::VehicleId;
use crate::model::statement::StoredBundle;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bundles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    vehicle_id: VehicleId,
    #[sea_orm(primary_key, auto_increment = false)]
    seq: i64,
    bytes: Vec<u8>,
    gateway_key: Vec<u8>,
    issued_at: i64,
    created_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The newest bundle of a vehicle.
pub async fn newest(
    db: &impl Conn,
    vehicle: VehicleId,
) -> Result<Option<StoredBundle>, StorageError> {
    let row = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .order_by_desc(Column::Seq)
        .limit(1)
        .one(db)
        .await?;
    row.map(StoredBundle::try_from).transpose()
}

/// The bundles of a vehicle with numbers above `seq`, in their order: each is signed by an owner key of
/// the one before it.
pub async fn above(
    db: &impl Conn,
    vehicle: VehicleId,
    seq: u64,
) -> Result<Vec<StoredBundle>, StorageError> {
    let rows = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Seq.gt(to_number(seq)))
        .order_by_asc(Column::Seq)
        .limit(64)
        .all(db)
        .await?;
    rows.into_iter().map(StoredBundle::try_from).collect()
}

/// Inserts a bundle; [`StorageError::Taken`] if there is one of this number.
pub async fn insert(
    db: &impl Conn,
    bundle: &StoredBundle,
    now: Timestamp,
) -> Result<(), StorageError> {
    let row = ActiveModel {
        vehicle_id: Set(bundle.vehicle),
        seq: Set(to_number(bundle.seq)),
        bytes: Set(bundle.bytes.clone()),
        gateway_key: Set(bundle.gateway_key.to_vec()),
        issued_at: Set(to_db(bundle.issued_at)),
        created_at: Set(to_db(now)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Vehicles that have a bundle, for the job that renews links.
pub async fn vehicles(db: &impl Conn) -> Result<Vec<VehicleId>, StorageError> {
    Ok(Entity::find()
        .select_only()
        .column(Column::VehicleId)
        .distinct()
        .into_tuple()
        .all(db)
        .await?)
}

impl TryFrom<Model> for StoredBundle {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        Ok(Self {
            vehicle: row.vehicle_id,
            seq: number(row.seq, "bundles.seq")?,
            bytes: row.bytes,
            gateway_key: array(row.gateway_key, "bundles.gateway_key")?,
            issued_at: from_db(row.issued_at),
        })
    }
}

//! Table `vehicles`. Queries start from the owner, so that someone else's vehicle is not found.

use keys_core::time::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, Select};

use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::id::{AccountId, VehicleId};
use crate::model::page::PageQuery;
use crate::model::vehicle::{KeyCustody, Vehicle, VehicleDetails};
use crate::model::vin::Vin;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vehicles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: VehicleId,
    account_id: AccountId,
    name: String,
    brand: Option<String>,
    model: Option<String>,
    year: Option<i64>,
    vin: Option<String>,
    time_zone: String,
    key_custody: String,
    platform_gateway: bool,
    created_at: i64,
    updated_at: i64,
    removed_at: Option<i64>,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Finders over one owner's vehicles.
#[derive(Debug, Clone, Copy)]
pub struct OfOwner(AccountId);

/// The vehicles of `owner`.
#[must_use]
pub fn of(owner: AccountId) -> OfOwner {
    OfOwner(owner)
}

impl OfOwner {
    /// One of them.
    pub async fn find(
        self,
        db: &impl Conn,
        id: VehicleId,
    ) -> Result<Option<Vehicle>, StorageError> {
        self.select()
            .filter(Column::Id.eq(id))
            .one(db)
            .await?
            .map(Vehicle::try_from)
            .transpose()
    }

    /// One page of them, newest first.
    pub async fn list(
        self,
        db: &impl Conn,
        page: &PageQuery,
    ) -> Result<Vec<Vehicle>, StorageError> {
        let mut query = self.select();
        if let Some(after) = page.after() {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query
            .order_by_desc(Column::Id)
            .limit(page.fetch())
            .all(db)
            .await?;
        rows.into_iter().map(Vehicle::try_from).collect()
    }

    fn select(self) -> Select<Entity> {
        Entity::find()
            .filter(Column::AccountId.eq(self.0))
            .filter(Column::RemovedAt.is_null())
    }
}

/// A vehicle by id alone, for those who proved their right otherwise: gateways and holders.
pub async fn find_unscoped(db: &impl Conn, id: VehicleId) -> Result<Option<Vehicle>, StorageError> {
    let row = Entity::find_by_id(id)
        .filter(Column::RemovedAt.is_null())
        .one(db)
        .await?;
    row.map(Vehicle::try_from).transpose()
}

/// Inserts a vehicle.
pub async fn insert(db: &impl Conn, vehicle: &Vehicle) -> Result<(), StorageError> {
    Entity::insert(ActiveModel::from(vehicle))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes a changed vehicle over its row.
pub async fn update(db: &impl Conn, vehicle: &Vehicle) -> Result<(), StorageError> {
    Entity::update(ActiveModel::from(vehicle)).exec(db).await?;
    Ok(())
}

/// Marks a vehicle removed.
pub async fn remove(db: &impl Conn, id: VehicleId, now: Timestamp) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(id),
        removed_at: Set(Some(to_db(now))),
        ..Default::default()
    };
    Entity::update(row).exec(db).await?;
    Ok(())
}

impl From<&Vehicle> for ActiveModel {
    fn from(vehicle: &Vehicle) -> Self {
        let details = vehicle.details.clone();
        Self {
            id: Set(vehicle.id),
            account_id: Set(vehicle.account_id),
            name: Set(details.name),
            brand: Set(details.brand),
            model: Set(details.model),
            year: Set(details.year.map(i64::from)),
            vin: Set(details.vin.map(|vin| vin.as_str().to_owned())),
            time_zone: Set(details.time_zone.name().to_owned()),
            key_custody: Set(vehicle.custody.as_str().to_owned()),
            platform_gateway: Set(vehicle.platform_gateway),
            created_at: Set(to_db(vehicle.created_at)),
            updated_at: Set(to_db(vehicle.updated_at)),
            removed_at: Set(None),
        }
    }
}

impl TryFrom<Model> for Vehicle {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        let vin = row.vin.map(|vin| vin.parse::<Vin>()).transpose();
        let year = row.year.map(u16::try_from).transpose();
        Ok(Self {
            id: row.id,
            account_id: row.account_id,
            details: VehicleDetails {
                name: row.name,
                brand: row.brand,
                model: row.model,
                year: year.map_err(|_| StorageError::damaged("vehicles.year"))?,
                vin: vin.map_err(|_| StorageError::damaged("vehicles.vin"))?,
                time_zone: row
                    .time_zone
                    .parse()
                    .map_err(|_| StorageError::damaged("vehicles.time_zone"))?,
            },
            custody: match row.key_custody.as_str() {
                "managed" => KeyCustody::Managed,
                "sovereign" => KeyCustody::Sovereign,
                _ => return Err(StorageError::damaged("vehicles.key_custody")),
            },
            platform_gateway: row.platform_gateway,
            created_at: from_db(row.created_at),
            updated_at: from_db(row.updated_at),
        })
    }
}

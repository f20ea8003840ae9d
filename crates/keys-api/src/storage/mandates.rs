//! Table `mandates`.

use keys_core::entitlement::Entitlements;
use keys_core::id::ObjectId;
use keys_core::time::{Timestamp, Validity};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, QueryOrder};

use super::columns::{array, number, to_number};
use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::id::{MandateId, VehicleId};
use crate::model::statement::Mandate;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mandates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: MandateId,
    vehicle_id: VehicleId,
    link_id: Option<Vec<u8>>,
    entitlements: i64,
    delegations: i64,
    max_duration_s: i64,
    outage_limit_s: i64,
    valid_from: i64,
    valid_until: i64,
    created_at: i64,
    revoked_at: Option<i64>,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts a mandate.
pub async fn insert(db: &impl Conn, mandate: &Mandate) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(mandate.id),
        vehicle_id: Set(mandate.vehicle),
        link_id: Set(Some(mandate.link.0.to_vec())),
        entitlements: Set(i64::from(mandate.entitlements.bits())),
        delegations: Set(i64::from(mandate.delegations)),
        max_duration_s: Set(to_number(mandate.max_duration_s)),
        outage_limit_s: Set(i64::from(mandate.outage_limit_s)),
        valid_from: Set(to_db(mandate.window.from)),
        valid_until: Set(to_db(mandate.window.until)),
        created_at: Set(to_db(mandate.created_at)),
        revoked_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The mandates of a vehicle that stand at `now`, newest first.
pub async fn live(
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<Vec<Mandate>, StorageError> {
    let rows = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ValidUntil.gt(to_db(now)))
        .order_by_desc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(Mandate::try_from).collect()
}

/// One mandate.
pub async fn find(db: &impl Conn, id: MandateId) -> Result<Option<Mandate>, StorageError> {
    let row = Entity::find_by_id(id).one(db).await?;
    row.map(Mandate::try_from).transpose()
}

/// Ends the live mandates of a vehicle with these links.
pub async fn revoke(
    db: &impl Conn,
    vehicle: VehicleId,
    links: &[ObjectId],
    now: Timestamp,
) -> Result<u64, StorageError> {
    let done = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(to_db(now)))
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::LinkId.is_in(links.iter().map(|link| link.0.to_vec())))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Vehicles with a live mandate, for the job that renews links.
pub async fn vehicles(db: &impl Conn, now: Timestamp) -> Result<Vec<VehicleId>, StorageError> {
    let rows = Entity::find()
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ValidUntil.gt(to_db(now)))
        .all(db)
        .await?;
    let mut vehicles: Vec<VehicleId> = rows.into_iter().map(|row| row.vehicle_id).collect();
    vehicles.sort_unstable();
    vehicles.dedup();
    Ok(vehicles)
}

impl TryFrom<Model> for Mandate {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        let bits = number(row.entitlements, "mandates.entitlements")?;
        let link = row
            .link_id
            .ok_or(StorageError::damaged("mandates.link_id"))?;
        Ok(Self {
            id: row.id,
            vehicle: row.vehicle_id,
            link: ObjectId(array(link, "mandates.link_id")?),
            entitlements: Entitlements::from_bits(bits)
                .ok_or(StorageError::damaged("mandates.entitlements"))?,
            delegations: number(row.delegations, "mandates.delegations")?,
            max_duration_s: number(row.max_duration_s, "mandates.max_duration_s")?,
            outage_limit_s: number(row.outage_limit_s, "mandates.outage_limit_s")?,
            window: Validity {
                from: from_db(row.valid_from),
                until: from_db(row.valid_until),
            },
            created_at: from_db(row.created_at),
        })
    }
}

//! Table `denied_links`: what each authority's next statement lists.

use keys_core::id::ShortId;
use keys_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

use super::columns::{array, to_number};
use super::{Conn, StorageError, Tx};
use crate::clock::{from_db, to_db};
use crate::model::id::VehicleId;
use crate::model::statement::{Authority, DenialKind, DeniedLink};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "denied_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    vehicle_id: VehicleId,
    #[sea_orm(primary_key, auto_increment = false)]
    short_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    authority: String,
    denial: String,
    listed_seq: Option<i64>,
    denied_at: i64,
    keep_until: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What an authority's list holds at `now`.
pub async fn listed(
    db: &impl Conn,
    vehicle: VehicleId,
    authority: Authority,
    now: Timestamp,
) -> Result<Vec<DeniedLink>, StorageError> {
    let rows = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Authority.eq(authority.as_str()))
        .filter(Column::KeepUntil.gt(to_db(now)))
        .all(db)
        .await?;
    rows.into_iter().map(DeniedLink::try_from).collect()
}

/// Puts a link on an authority's list. What is revoked stays revoked.
pub async fn put(
    tx: &Tx,
    vehicle: VehicleId,
    authority: Authority,
    link: DeniedLink,
    now: Timestamp,
) -> Result<(), StorageError> {
    let id = (
        vehicle,
        link.short.0.to_vec(),
        authority.as_str().to_owned(),
    );
    let row = ActiveModel {
        vehicle_id: Set(vehicle),
        short_id: Set(link.short.0.to_vec()),
        authority: Set(authority.as_str().to_owned()),
        denial: Set(link.kind.as_str().to_owned()),
        listed_seq: Set(None),
        denied_at: Set(to_db(now)),
        keep_until: Set(to_db(link.keep_until)),
    };
    match Entity::find_by_id(id).one(tx).await? {
        None => {
            Entity::insert(row).exec_without_returning(tx).await?;
        }
        Some(known) if known.denial == DenialKind::Revoked.as_str() => {}
        Some(_) => {
            Entity::update(row).exec(tx).await?;
        }
    }
    Ok(())
}

/// Takes suspended links off an authority's list.
pub async fn resume(
    tx: &Tx,
    vehicle: VehicleId,
    authority: Authority,
    links: &[ShortId],
) -> Result<(), StorageError> {
    Entity::delete_many()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Authority.eq(authority.as_str()))
        .filter(Column::Denial.eq(DenialKind::Suspended.as_str()))
        .filter(Column::ShortId.is_in(links.iter().map(|link| link.0.to_vec())))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes links off an authority's list that another entry covers.
pub async fn delete(
    tx: &Tx,
    vehicle: VehicleId,
    authority: Authority,
    links: &[ShortId],
) -> Result<(), StorageError> {
    Entity::delete_many()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Authority.eq(authority.as_str()))
        .filter(Column::ShortId.is_in(links.iter().map(|link| link.0.to_vec())))
        .exec(tx)
        .await?;
    Ok(())
}

/// Notes by which statement the list was told first.
pub async fn number(
    tx: &Tx,
    vehicle: VehicleId,
    authority: Authority,
    links: &[ShortId],
    seq: u64,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::ListedSeq, Expr::value(to_number(seq)))
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::Authority.eq(authority.as_str()))
        .filter(Column::ShortId.is_in(links.iter().map(|link| link.0.to_vec())))
        .filter(Column::ListedSeq.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets links that are over anyway.
pub async fn delete_over(db: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::KeepUntil.lte(to_db(now)))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

impl TryFrom<Model> for DeniedLink {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        let kind = [DenialKind::Revoked, DenialKind::Suspended]
            .into_iter()
            .find(|kind| kind.as_str() == row.denial)
            .ok_or(StorageError::damaged("denied_links.denial"))?;
        Ok(Self {
            short: ShortId(array(row.short_id, "denied_links.short_id")?),
            kind,
            keep_until: from_db(row.keep_until),
        })
    }
}

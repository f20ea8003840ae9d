//! Table `pairings`: opaque bytes on their way.

use keys_core::time::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::{Conn, StorageError, Tx};
use crate::clock::{from_db, to_db};
use crate::model::id::{AccountId, PairingId, VehicleId};
use crate::model::invitation::PairingRelay;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pairings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: PairingId,
    fingerprint: String,
    offer: Vec<u8>,
    confirm: Option<Vec<u8>>,
    answer: Option<Vec<u8>>,
    account_id: Option<AccountId>,
    vehicle_id: Option<VehicleId>,
    created_at: i64,
    expires_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A pairing that is not over.
pub async fn find(
    db: &impl Conn,
    id: PairingId,
    now: Timestamp,
) -> Result<Option<PairingRelay>, StorageError> {
    let row = Entity::find_by_id(id)
        .filter(Column::ExpiresAt.gt(to_db(now)))
        .one(db)
        .await?;
    Ok(row.map(PairingRelay::from))
}

/// The unanswered offers under a fingerprint, newest first.
pub async fn by_fingerprint(
    db: &impl Conn,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Vec<PairingRelay>, StorageError> {
    let rows = Entity::find()
        .filter(Column::Fingerprint.eq(fingerprint))
        .filter(Column::ExpiresAt.gt(to_db(now)))
        .filter(Column::Answer.is_null())
        .order_by_desc(Column::Id)
        .limit(8)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(PairingRelay::from).collect())
}

/// Inserts an offer.
pub async fn insert(tx: &Tx, pairing: &PairingRelay, now: Timestamp) -> Result<(), StorageError> {
    let mut row = ActiveModel::from(pairing);
    row.created_at = Set(to_db(now));
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes a changed pairing over its row.
pub async fn update(tx: &Tx, pairing: &PairingRelay) -> Result<(), StorageError> {
    Entity::update(ActiveModel::from(pairing)).exec(tx).await?;
    Ok(())
}

/// Forgets pairings that are over.
pub async fn delete_expired(db: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    let done = Entity::delete_many()
        .filter(Column::ExpiresAt.lte(to_db(now)))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

impl From<&PairingRelay> for ActiveModel {
    fn from(pairing: &PairingRelay) -> Self {
        Self {
            id: Set(pairing.id),
            fingerprint: Set(pairing.fingerprint.clone()),
            offer: Set(pairing.offer.clone()),
            confirm: Set(pairing.confirm.clone()),
            answer: Set(pairing.answer.clone()),
            account_id: Set(pairing.account),
            vehicle_id: Set(pairing.vehicle),
            expires_at: Set(to_db(pairing.expires_at)),
            ..Default::default()
        }
    }
}

impl From<Model> for PairingRelay {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            fingerprint: row.fingerprint,
            offer: row.offer,
            confirm: row.confirm,
            answer: row.answer,
            account: row.account_id,
            vehicle: row.vehicle_id,
            expires_at: from_db(row.expires_at),
        }
    }
}

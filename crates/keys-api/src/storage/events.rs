//! Table `events`: the outbox.

use keys_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::{StorageError, Tx};
use crate::clock::to_db;
use crate::model::id::{AccountId, EventId, VehicleId};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: EventId,
    kind: String,
    account_id: Option<AccountId>,
    vehicle_id: Option<VehicleId>,
    subject_id: String,
    body: String,
    created_at: i64,
    handed_on_at: Option<i64>,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// What happened, past tense.
    pub kind: &'static str,
    /// Whose it is.
    pub account: Option<AccountId>,
    /// Which vehicle it is about.
    pub vehicle: Option<VehicleId>,
    /// What it happened to.
    pub subject: String,
    /// JSON.
    pub body: serde_json::Value,
    /// When.
    pub at: Timestamp,
}

/// Inserts an event, in the transaction of what happened.
pub async fn insert(tx: &Tx, event: NewEvent) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(event.id),
        kind: Set(event.kind.to_owned()),
        account_id: Set(event.account),
        vehicle_id: Set(event.vehicle),
        subject_id: Set(event.subject),
        body: Set(event.body.to_string()),
        created_at: Set(to_db(event.at)),
        handed_on_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

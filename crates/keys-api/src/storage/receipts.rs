//! Table `receipts`. Only verified ones come here.

use keys_core::command::VehicleCommand;
use keys_core::id::{CommandId, ObjectId};
use keys_core::receipt::OutcomeCode;
use keys_core::refusal::{Refusal, Refusals};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, Select};

use super::columns::{array, number, to_number};
use super::{Conn, StorageError, Tx};
use crate::clock::{from_db, to_db};
use crate::model::command::StoredReceipt;
use crate::model::id::{KeyId, ReceiptId, VehicleId};
use crate::model::page::PageQuery;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "receipts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: ReceiptId,
    vehicle_id: VehicleId,
    object_id: Vec<u8>,
    bytes: Vec<u8>,
    journal_index: i64,
    command_id: Vec<u8>,
    key_id: Option<KeyId>,
    command: String,
    decision: String,
    outcome: Option<String>,
    reasons: String,
    made_at: i64,
    received_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const ALLOWED: &str = "allowed";
const REFUSED: &str = "refused";

/// Whether this receipt is stored already.
pub async fn is_known(
    db: &impl Conn,
    vehicle: VehicleId,
    object: ObjectId,
) -> Result<bool, StorageError> {
    let row = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::ObjectId.eq(object.0.to_vec()))
        .one(db)
        .await?;
    Ok(row.is_some())
}

/// One page of a vehicle's receipts, newest first. The caller has checked whose vehicle it is.
pub async fn of_vehicle(
    db: &impl Conn,
    vehicle: VehicleId,
    page: &PageQuery,
) -> Result<Vec<StoredReceipt>, StorageError> {
    list(
        Entity::find().filter(Column::VehicleId.eq(vehicle)),
        db,
        page,
    )
    .await
}

/// One page of a key's receipts, newest first. The caller has checked whose key it is.
pub async fn of_key(
    db: &impl Conn,
    key: KeyId,
    page: &PageQuery,
) -> Result<Vec<StoredReceipt>, StorageError> {
    list(Entity::find().filter(Column::KeyId.eq(key)), db, page).await
}

async fn list(
    mut query: Select<Entity>,
    db: &impl Conn,
    page: &PageQuery,
) -> Result<Vec<StoredReceipt>, StorageError> {
    if let Some(after) = page.after() {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(page.fetch())
        .all(db)
        .await?;
    rows.into_iter().map(StoredReceipt::try_from).collect()
}

/// Inserts a receipt.
pub async fn insert(tx: &Tx, receipt: &StoredReceipt) -> Result<(), StorageError> {
    let reasons: Vec<&str> = receipt.reasons.iter().map(Refusal::code).collect();
    let row = ActiveModel {
        id: Set(receipt.id),
        vehicle_id: Set(receipt.vehicle),
        object_id: Set(receipt.object.0.to_vec()),
        bytes: Set(receipt.bytes.clone()),
        journal_index: Set(to_number(receipt.journal_index)),
        command_id: Set(receipt.command_id.0.to_vec()),
        key_id: Set(receipt.key),
        command: Set(receipt.command.as_str().to_owned()),
        decision: Set(if receipt.allowed { ALLOWED } else { REFUSED }.to_owned()),
        outcome: Set(receipt.outcome.map(|outcome| outcome.as_str().to_owned())),
        reasons: Set(serde_json::json!(reasons).to_string()),
        made_at: Set(to_db(receipt.made_at)),
        received_at: Set(to_db(receipt.received_at)),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

impl TryFrom<Model> for StoredReceipt {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        let reasons: Vec<String> = serde_json::from_str(&row.reasons)
            .map_err(|_| StorageError::damaged("receipts.reasons"))?;
        let reasons: Result<Refusals, _> =
            reasons.iter().map(|code| code.parse::<Refusal>()).collect();
        let outcome = row.outcome.map(|word| {
            [
                OutcomeCode::Done,
                OutcomeCode::Declined,
                OutcomeCode::Unknown,
            ]
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
            .ok_or(StorageError::damaged("receipts.outcome"))
        });
        Ok(Self {
            id: row.id,
            object: ObjectId(array(row.object_id, "receipts.object_id")?),
            vehicle: row.vehicle_id,
            bytes: row.bytes,
            journal_index: number(row.journal_index, "receipts.journal_index")?,
            command_id: CommandId(array(row.command_id, "receipts.command_id")?),
            key: row.key_id,
            command: row
                .command
                .parse::<VehicleCommand>()
                .map_err(|_| StorageError::damaged("receipts.command"))?,
            allowed: row.decision == ALLOWED,
            outcome: outcome.transpose()?,
            reasons: reasons.map_err(|_| StorageError::damaged("receipts.reasons"))?,
            made_at: from_db(row.made_at),
            received_at: from_db(row.received_at),
        })
    }
}

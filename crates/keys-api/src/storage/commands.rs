//! Table `commands`.

use keys_core::command::VehicleCommand;
use keys_core::id::CommandId;
use keys_core::time::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::columns::array;
use super::{Conn, StorageError, Tx};
use crate::clock::{from_db, to_db};
use crate::model::command::{ANSWER_GRACE_S, CommandState, RelayedCommand};
use crate::model::id::{AccountId, CommandRowId, KeyId, VehicleId};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "commands")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: CommandRowId,
    vehicle_id: VehicleId,
    key_id: Option<KeyId>,
    account_id: Option<AccountId>,
    command_id: Vec<u8>,
    command: String,
    state: String,
    reasons: String,
    presentation: Vec<u8>,
    receipt: Option<Vec<u8>>,
    created_at: i64,
    sent_at: Option<i64>,
    settled_at: Option<i64>,
    expires_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A command by id; who may see it is checked by the caller.
pub async fn find_unscoped(
    db: &impl Conn,
    id: CommandRowId,
) -> Result<Option<RelayedCommand>, StorageError> {
    let row = Entity::find_by_id(id).one(db).await?;
    row.map(RelayedCommand::try_from).transpose()
}

/// The command a phone gave this id.
pub async fn find_by_command_id(
    db: &impl Conn,
    vehicle: VehicleId,
    command_id: CommandId,
) -> Result<Option<RelayedCommand>, StorageError> {
    let row = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::CommandId.eq(command_id.0.to_vec()))
        .one(db)
        .await?;
    row.map(RelayedCommand::try_from).transpose()
}

/// Commands of a vehicle that wait for its gateway at `now`, oldest first.
pub async fn waiting(
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<Vec<RelayedCommand>, StorageError> {
    let rows = Entity::find()
        .filter(Column::VehicleId.eq(vehicle))
        .filter(Column::State.eq(CommandState::Accepted.as_str()))
        .filter(Column::ExpiresAt.gt(to_db(now)))
        .order_by_asc(Column::Id)
        .limit(16)
        .all(db)
        .await?;
    rows.into_iter().map(RelayedCommand::try_from).collect()
}

/// Inserts a command.
pub async fn insert(tx: &Tx, command: &RelayedCommand) -> Result<(), StorageError> {
    Entity::insert(ActiveModel::from(command))
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Writes a changed command over its row.
pub async fn update(tx: &Tx, command: &RelayedCommand) -> Result<(), StorageError> {
    Entity::update(ActiveModel::from(command)).exec(tx).await?;
    Ok(())
}

/// Writes down the deadlines that passed: never sent is expired, never answered is unknown.
pub async fn pass_deadlines(db: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    let at = to_db(now);
    let passed = |from: CommandState, to: CommandState, before: Timestamp| {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(to.as_str()))
            .col_expr(Column::SettledAt, Expr::value(at))
            .filter(Column::State.eq(from.as_str()))
            .filter(Column::ExpiresAt.lte(to_db(before)))
    };
    let expired = passed(CommandState::Accepted, CommandState::Expired, now);
    let late = Timestamp(now.0.saturating_sub(ANSWER_GRACE_S));
    let unknown = passed(CommandState::Sent, CommandState::Unknown, late);
    Ok(expired.exec(db).await?.rows_affected + unknown.exec(db).await?.rows_affected)
}

impl From<&RelayedCommand> for ActiveModel {
    fn from(command: &RelayedCommand) -> Self {
        Self {
            id: Set(command.id),
            vehicle_id: Set(command.vehicle),
            key_id: Set(command.key),
            account_id: Set(command.account),
            command_id: Set(command.command_id.0.to_vec()),
            command: Set(command.command.as_str().to_owned()),
            state: Set(command.state.as_str().to_owned()),
            reasons: Set(serde_json::json!(command.reasons).to_string()),
            presentation: Set(command.presentation.clone()),
            receipt: Set(command.receipt.clone()),
            created_at: Set(to_db(command.created_at)),
            sent_at: Set(command.sent_at.map(to_db)),
            settled_at: Set(command.settled_at.map(to_db)),
            expires_at: Set(to_db(command.expires_at)),
        }
    }
}

impl TryFrom<Model> for RelayedCommand {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            vehicle: row.vehicle_id,
            key: row.key_id,
            account: row.account_id,
            command_id: CommandId(array(row.command_id, "commands.command_id")?),
            command: row
                .command
                .parse::<VehicleCommand>()
                .map_err(|_| StorageError::damaged("commands.command"))?,
            state: CommandState::from_word(&row.state)
                .ok_or(StorageError::damaged("commands.state"))?,
            reasons: serde_json::from_str(&row.reasons)
                .map_err(|_| StorageError::damaged("commands.reasons"))?,
            presentation: row.presentation,
            receipt: row.receipt,
            created_at: from_db(row.created_at),
            sent_at: row.sent_at.map(from_db),
            settled_at: row.settled_at.map(from_db),
            expires_at: from_db(row.expires_at),
        })
    }
}

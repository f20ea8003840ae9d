//! Table `invitations`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

use super::columns::number;
use super::{Conn, StorageError, Tx};
use crate::clock::{from_db, to_db};
use crate::model::id::{InvitationId, KeyId};
use crate::model::invitation::{Invitation, InvitationState};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: InvitationId,
    key_id: KeyId,
    state: String,
    secret_hash: Vec<u8>,
    activation_hash: Option<Vec<u8>>,
    tries_left: i64,
    recovery_hash: Option<Vec<u8>>,
    device_name: Option<String>,
    created_at: i64,
    expires_at: i64,
    redeemed_at: Option<i64>,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An invitation by id; its secret, or the owner of its key, is checked by the caller.
pub async fn find_unscoped(
    db: &impl Conn,
    id: InvitationId,
) -> Result<Option<Invitation>, StorageError> {
    let row = Entity::find_by_id(id).one(db).await?;
    row.map(Invitation::try_from).transpose()
}

/// Inserts an invitation.
pub async fn insert(tx: &Tx, invitation: &Invitation) -> Result<(), StorageError> {
    Entity::insert(ActiveModel::from(invitation))
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Writes a changed invitation over its row.
pub async fn update(tx: &Tx, invitation: &Invitation) -> Result<(), StorageError> {
    Entity::update(ActiveModel::from(invitation))
        .exec(tx)
        .await?;
    Ok(())
}

/// Withdraws every open invitation of a key.
pub async fn withdraw_all(tx: &Tx, key: KeyId) -> Result<u64, StorageError> {
    let done = Entity::update_many()
        .col_expr(
            Column::State,
            Expr::value(InvitationState::Withdrawn.as_str()),
        )
        .filter(Column::KeyId.eq(key))
        .filter(Column::State.is_in([
            InvitationState::Open.as_str(),
            InvitationState::Locked.as_str(),
        ]))
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
}

impl From<&Invitation> for ActiveModel {
    fn from(invitation: &Invitation) -> Self {
        Self {
            id: Set(invitation.id),
            key_id: Set(invitation.key),
            state: Set(invitation.state.as_str().to_owned()),
            secret_hash: Set(invitation.secret_hash.clone()),
            activation_hash: Set(invitation.activation_hash.clone()),
            tries_left: Set(i64::from(invitation.tries_left)),
            recovery_hash: Set(invitation.recovery_hash.clone()),
            device_name: Set(invitation.device_name.clone()),
            created_at: Set(to_db(invitation.created_at)),
            expires_at: Set(to_db(invitation.expires_at)),
            redeemed_at: Set(invitation.redeemed_at.map(to_db)),
        }
    }
}

impl TryFrom<Model> for Invitation {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            key: row.key_id,
            state: InvitationState::from_word(&row.state)
                .ok_or(StorageError::damaged("invitations.state"))?,
            secret_hash: row.secret_hash,
            activation_hash: row.activation_hash,
            tries_left: number(row.tries_left, "invitations.tries_left")?,
            recovery_hash: row.recovery_hash,
            device_name: row.device_name,
            created_at: from_db(row.created_at),
            expires_at: from_db(row.expires_at),
            redeemed_at: row.redeemed_at.map(from_db),
        })
    }
}

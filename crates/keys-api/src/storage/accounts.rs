//! Table `accounts`.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QuerySelect};

use super::{Conn, StorageError};
use crate::clock::{from_db, to_db};
use crate::model::account::{Account, Email};
use crate::model::id::AccountId;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: AccountId,
    email: String,
    name: Option<String>,
    password_hash: Option<String>,
    created_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts an account; [`StorageError::Taken`] if the address has one.
pub async fn insert(
    db: &impl Conn,
    account: &Account,
    password_hash: String,
) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(account.id),
        email: Set(account.email.as_str().to_owned()),
        name: Set(account.name.clone()),
        password_hash: Set(Some(password_hash)),
        created_at: Set(to_db(account.created_at)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The account `id`.
pub async fn find(db: &impl Conn, id: AccountId) -> Result<Option<Account>, StorageError> {
    Entity::find_by_id(id)
        .one(db)
        .await?
        .map(Account::try_from)
        .transpose()
}

/// The account of an address, and its password hash if it has a password.
pub async fn find_by_email(
    db: &impl Conn,
    email: &Email,
) -> Result<Option<(Account, Option<String>)>, StorageError> {
    let Some(row) = Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .one(db)
        .await?
    else {
        return Ok(None);
    };
    let hash = row.password_hash.clone();
    Ok(Some((row.try_into()?, hash)))
}

/// Whether there is no account at all.
pub async fn none(db: &impl Conn) -> Result<bool, StorageError> {
    let any: Option<AccountId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .into_tuple()
        .one(db)
        .await?;
    Ok(any.is_none())
}

impl TryFrom<Model> for Account {
    type Error = StorageError;

    fn try_from(row: Model) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            email: row
                .email
                .parse()
                .map_err(|_| StorageError::damaged("accounts.email"))?,
            name: row.name,
            created_at: from_db(row.created_at),
        })
    }
}

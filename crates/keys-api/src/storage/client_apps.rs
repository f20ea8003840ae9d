//! Table `client_apps`.

use keys_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::{Conn, StorageError};
use crate::clock::to_db;
use crate::model::client_app::NewClientApp;
use crate::model::id::{AccountId, ClientAppId};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_apps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: ClientAppId,
    account_id: Option<AccountId>,
    name: String,
    client_id: String,
    secret_hash: Vec<u8>,
    sealed_management_token: Vec<u8>,
    management_token_hash: Vec<u8>,
    webhook_id: String,
    redirect_uris: String,
    created_at: i64,
}

/// None are declared: queries name what they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts an application: its secret hashed, its management token hashed and sealed.
pub async fn insert(
    db: &impl Conn,
    id: ClientAppId,
    name: &str,
    app: &NewClientApp,
    sealed_management_token: Vec<u8>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let row = ActiveModel {
        id: Set(id),
        account_id: Set(None),
        name: Set(name.to_owned()),
        client_id: Set(app.client_id.clone()),
        secret_hash: Set(app.client_secret.hash().to_vec()),
        sealed_management_token: Set(sealed_management_token),
        management_token_hash: Set(app.management_token.hash().to_vec()),
        webhook_id: Set(app.webhook_id.clone()),
        redirect_uris: Set(serde_json::json!(app.redirect_uris).to_string()),
        created_at: Set(to_db(now)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Whether an application with this public id exists.
pub async fn exists(db: &impl Conn, client_id: &str) -> Result<bool, StorageError> {
    Ok(Entity::find()
        .filter(Column::ClientId.eq(client_id))
        .one(db)
        .await?
        .is_some())
}

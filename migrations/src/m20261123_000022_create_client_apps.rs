//! Client applications. The secret is stored hashed; the management token is sealed, because it
//! keys webhook signatures.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("client_apps")
            .col(string("id").primary_key())
            .col(string_null("account_id"))
            .col(string("name"))
            .col(string_uniq("client_id"))
            .col(blob("secret_hash"))
            .col(blob("sealed_management_token"))
            .col(blob_uniq("management_token_hash"))
            .col(string_uniq("webhook_id"))
            .col(text("redirect_uris"))
            .col(big_integer("created_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("client_apps", "account_id")
                    .to("accounts", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}

//! API tokens: long-lived, named, revocable. Only the SHA-256 of a token is stored.

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
            .table("api_tokens")
            .col(string("id").primary_key())
            .col(string("account_id"))
            .col(string("name"))
            .col(blob_uniq("token_hash"))
            .col(big_integer("created_at"))
            .col(big_integer_null("expires_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("api_tokens", "account_id")
                    .to("accounts", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("api_tokens_by_account")
                    .table("api_tokens")
                    .col("account_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

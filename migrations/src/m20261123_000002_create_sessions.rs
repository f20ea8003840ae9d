//! Account sessions. Only the SHA-256 of a token is stored.

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
            .table("sessions")
            .col(string("id").primary_key())
            .col(string("account_id"))
            .col(blob_uniq("token_hash"))
            .col(string_null("user_agent"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("sessions", "account_id")
                    .to("accounts", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("sessions_by_account")
                    .table("sessions")
                    .col("account_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("sessions_by_end")
                    .table("sessions")
                    .col("expires_at")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

//! Replies kept for a repeated POST, encrypted under a key derived from the Idempotency-Key.

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
            .table("idempotent_replies")
            .col(blob("id").primary_key())
            .col(blob("fingerprint"))
            .col(blob("sealed_reply"))
            .col(big_integer("expires_at"))
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("idempotent_replies_by_end")
                    .table("idempotent_replies")
                    .col("expires_at")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

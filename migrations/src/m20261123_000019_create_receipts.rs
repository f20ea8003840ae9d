//! Receipts reported by gateways, by their place in the car's journal.

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
            .table("receipts")
            .col(string("vehicle_id"))
            .col(big_integer("journal_index"))
            .col(blob("id"))
            .col(blob("bytes"))
            .col(blob_null("command_id"))
            .col(string_null("key_id"))
            .col(string("command"))
            .col(string("decision"))
            .col(string_null("outcome"))
            .col(text("reasons"))
            .col(big_integer("made_at"))
            .col(big_integer("received_at"))
            .primary_key(Index::create().col("vehicle_id").col("journal_index"))
            .foreign_key(
                ForeignKey::create()
                    .from("receipts", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("receipts_by_key")
                    .table("receipts")
                    .col("key_id")
                    .col("journal_index")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("receipts_by_command")
                    .table("receipts")
                    .col("vehicle_id")
                    .col("command_id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

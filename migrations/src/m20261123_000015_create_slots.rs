//! Slots: the window a key that may drive reserves on its vehicle; two live slots never overlap.

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
            .table("slots")
            .col(string("key_id").primary_key())
            .col(string("vehicle_id"))
            .col(big_integer("valid_from"))
            .col(big_integer("valid_until"))
            .foreign_key(
                ForeignKey::create()
                    .from("slots", "key_id")
                    .to("keys", "id"),
            )
            .foreign_key(
                ForeignKey::create()
                    .from("slots", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("slots_by_window")
                    .table("slots")
                    .col("vehicle_id")
                    .col("valid_from")
                    .col("valid_until")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

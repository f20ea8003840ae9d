//! The newest sequence per vehicle and authority (`owner` or `platform`), allocated in the
//! transaction that signs.

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
            .table("statement_sequences")
            .col(string("vehicle_id"))
            .col(string("authority"))
            .col(big_integer("last_seq"))
            .col(big_integer("least_generation").default(0))
            .primary_key(Index::create().col("vehicle_id").col("authority"))
            .foreign_key(
                ForeignKey::create()
                    .from("statement_sequences", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}

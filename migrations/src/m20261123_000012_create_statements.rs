//! Signed statements. `short_id` is the first half of the object id, as other statements name it.

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
            .table("statements")
            .col(string("vehicle_id"))
            .col(string("authority"))
            .col(big_integer("seq"))
            .col(blob("short_id"))
            .col(blob("bytes"))
            .col(big_integer("issued_at"))
            .col(big_integer_null("expires_at"))
            .col(big_integer("created_at"))
            .primary_key(
                Index::create()
                    .col("vehicle_id")
                    .col("authority")
                    .col("seq"),
            )
            .foreign_key(
                ForeignKey::create()
                    .from("statements", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}

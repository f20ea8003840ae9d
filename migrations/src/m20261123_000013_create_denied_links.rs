//! Links that are revoked or suspended, by authority. `listed_seq` is the first statement naming
//! it, `keep_until` when it may leave.

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
            .table("denied_links")
            .col(string("vehicle_id"))
            .col(blob("short_id"))
            .col(string("authority"))
            .col(string("denial"))
            .col(big_integer_null("listed_seq"))
            .col(big_integer("denied_at"))
            .col(big_integer("keep_until"))
            .primary_key(
                Index::create()
                    .col("vehicle_id")
                    .col("short_id")
                    .col("authority"),
            )
            .foreign_key(
                ForeignKey::create()
                    .from("denied_links", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("denied_links_by_vehicle")
                    .table("denied_links")
                    .col("vehicle_id")
                    .col("authority")
                    .col("denial")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

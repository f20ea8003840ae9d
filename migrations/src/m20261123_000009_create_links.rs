//! Signed links. `kind` is `mandate`, `issuer`, `status`, `key` or `delegation`; `id` is the object
//! id, `short_id` its first half, as statements name it.

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
            .table("links")
            .col(blob("id").primary_key())
            .col(blob("short_id"))
            .col(string("vehicle_id"))
            .col(string("kind"))
            .col(blob_null("parent_id"))
            .col(string_null("key_id"))
            .col(blob_null("grant_id"))
            .col(blob("holder_key"))
            .col(blob("bytes"))
            .col(big_integer("valid_from"))
            .col(big_integer("valid_until"))
            .col(string_null("label"))
            .col(big_integer("created_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("links", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("links_by_short_id")
                    .table("links")
                    .col("vehicle_id")
                    .col("short_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("links_by_kind")
                    .table("links")
                    .col("vehicle_id")
                    .col("kind")
                    .col("valid_until")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("links_by_key")
                    .table("links")
                    .col("key_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("links_by_parent")
                    .table("links")
                    .col("parent_id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

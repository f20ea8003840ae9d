//! Mandates: an owner's signed leave for the platform to issue within limits.

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
            .table("mandates")
            .col(string("id").primary_key())
            .col(string("vehicle_id"))
            .col(blob_null("link_id"))
            .col(big_integer("entitlements"))
            .col(big_integer("delegations"))
            .col(big_integer("max_duration_s"))
            .col(big_integer("outage_limit_s"))
            .col(big_integer("valid_from"))
            .col(big_integer("valid_until"))
            .col(big_integer("created_at"))
            .col(big_integer_null("revoked_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("mandates", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("mandates_by_vehicle")
                    .table("mandates")
                    .col("vehicle_id")
                    .col("valid_until")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

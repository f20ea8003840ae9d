//! Signing keys known to the platform. `kind` is `owner`, `platform_root`, `issuer` or `status`;
//! `sealed_seed` is absent where only the public half is known (sovereign owners).

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
            .table("signing_keys")
            .col(string("id").primary_key())
            .col(string("kind"))
            .col(string_null("vehicle_id"))
            .col(blob("public_key"))
            .col(blob_null("sealed_seed"))
            .col(big_integer("created_at"))
            .col(big_integer_null("retired_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("signing_keys", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("signing_keys_by_vehicle")
                    .table("signing_keys")
                    .col("vehicle_id")
                    .col("kind")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("signing_keys_by_kind")
                    .table("signing_keys")
                    .col("kind")
                    .col("retired_at")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

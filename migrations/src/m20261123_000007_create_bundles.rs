//! Trust bundles, every one ever signed for a vehicle; the newest has the highest `seq`.

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
            .table("bundles")
            .col(string("vehicle_id"))
            .col(big_integer("seq"))
            .col(blob("bytes"))
            .col(blob("gateway_key"))
            .col(big_integer("issued_at"))
            .col(big_integer("created_at"))
            .primary_key(Index::create().col("vehicle_id").col("seq"))
            .foreign_key(
                ForeignKey::create()
                    .from("bundles", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}

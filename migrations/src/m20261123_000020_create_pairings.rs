//! Pairings: bytes relayed between a gateway and an owner's device, under the public half of a
//! pairing code.

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
            .table("pairings")
            .col(string("id").primary_key())
            .col(string("fingerprint"))
            .col(blob("offer"))
            .col(blob_null("confirm"))
            .col(blob_null("answer"))
            .col(string_null("account_id"))
            .col(string_null("vehicle_id"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("pairings_by_fingerprint")
                    .table("pairings")
                    .col("fingerprint")
                    .col("expires_at")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

//! What is known of each vehicle's gateway: the sequences it holds, its journal head, its last
//! words.

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
            .table("gateways")
            .col(string("vehicle_id").primary_key())
            .col(blob("gateway_key"))
            .col(big_integer("bundle_seq").default(0))
            .col(big_integer("owner_seq").default(0))
            .col(big_integer("platform_seq").default(0))
            .col(big_integer_null("last_contact_at"))
            .col(big_integer_null("journal_index"))
            .col(blob_null("journal_head"))
            .col(text_null("state"))
            .col(big_integer("updated_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("gateways", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}

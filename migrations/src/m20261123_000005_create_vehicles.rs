//! Vehicles. `key_custody` is `managed` or `sovereign`; a removed vehicle keeps its row.

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
            .table("vehicles")
            .col(string("id").primary_key())
            .col(string("account_id"))
            .col(string("name"))
            .col(string_null("brand"))
            .col(string_null("model"))
            .col(big_integer_null("year"))
            .col(string_null("vin"))
            .col(string("time_zone"))
            .col(string("key_custody"))
            .col(boolean("platform_gateway").default(false))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer_null("removed_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("vehicles", "account_id")
                    .to("accounts", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("vehicles_by_account")
                    .table("vehicles")
                    .col("account_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

//! Commands relayed to a gateway. `command_id` is the phone's and unique per vehicle; `reasons` is
//! a JSON list.

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
            .table("commands")
            .col(string("id").primary_key())
            .col(string("vehicle_id"))
            .col(string_null("key_id"))
            .col(string_null("account_id"))
            .col(blob("command_id"))
            .col(string("command"))
            .col(string("state"))
            .col(text("reasons"))
            .col(blob("presentation"))
            .col(blob_null("receipt"))
            .col(big_integer("created_at"))
            .col(big_integer_null("sent_at"))
            .col(big_integer_null("settled_at"))
            .col(big_integer("expires_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("commands", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .foreign_key(
                ForeignKey::create()
                    .from("commands", "key_id")
                    .to("keys", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("commands_by_command_id")
                    .table("commands")
                    .col("vehicle_id")
                    .col("command_id")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("commands_by_key")
                    .table("commands")
                    .col("key_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("commands_by_state")
                    .table("commands")
                    .col("state")
                    .col("expires_at")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

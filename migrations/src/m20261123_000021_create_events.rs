//! The outbox: events written in the transaction of the change, handed on afterwards. `body` is
//! JSON.

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
            .table("events")
            .col(string("id").primary_key())
            .col(string("kind"))
            .col(string_null("account_id"))
            .col(string_null("vehicle_id"))
            .col(string("subject_id"))
            .col(text("body"))
            .col(big_integer("created_at"))
            .col(big_integer_null("handed_on_at"))
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("events_to_hand_on")
                    .table("events")
                    .col("handed_on_at")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("events_by_account")
                    .table("events")
                    .col("account_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("events_by_vehicle")
                    .table("events")
                    .col("vehicle_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

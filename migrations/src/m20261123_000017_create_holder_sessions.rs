//! Holder sessions: what a redeemed invitation returns; limited to one key. Only the SHA-256 of a
//! token is stored.

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
            .table("holder_sessions")
            .col(string("id").primary_key())
            .col(string("key_id"))
            .col(string("vehicle_id"))
            .col(blob_uniq("token_hash"))
            .col(string_null("device_name"))
            .col(big_integer("created_at"))
            .col(big_integer_null("ended_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("holder_sessions", "key_id")
                    .to("keys", "id"),
            )
            .foreign_key(
                ForeignKey::create()
                    .from("holder_sessions", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("holder_sessions_by_key")
                    .table("holder_sessions")
                    .col("key_id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

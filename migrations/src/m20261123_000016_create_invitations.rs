//! Invitations: the one-time offer of a key. Secrets are stored hashed.

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
            .table("invitations")
            .col(string("id").primary_key())
            .col(string("key_id"))
            .col(string("state"))
            .col(blob("secret_hash"))
            .col(blob_null("activation_hash"))
            .col(big_integer("tries_left"))
            .col(blob_null("recovery_hash"))
            .col(string_null("device_name"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("redeemed_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("invitations", "key_id")
                    .to("keys", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("invitations_by_key")
                    .table("invitations")
                    .col("key_id")
                    .col("state")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

//! Keys: our record that somebody has, or will have, rights on a vehicle. `policy` is JSON; `chain`
//! the signed bytes once the holder is known.

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
            .table("keys")
            .col(string("id").primary_key())
            .col(string("vehicle_id"))
            .col(string("account_id"))
            .col(blob("grant_id"))
            .col(string("state"))
            .col(big_integer("valid_from"))
            .col(big_integer("valid_until"))
            .col(big_integer("entitlements"))
            .col(big_integer("delegations"))
            .col(text("policy"))
            .col(string_null("booking_reference"))
            .col(blob_null("booking_salt"))
            .col(blob_null("booking_hash"))
            .col(blob_null("holder_key"))
            .col(boolean("server_held").default(false))
            .col(string_null("mandate_id"))
            .col(blob_null("leaf_id"))
            .col(blob_null("chain"))
            .col(blob_null("to_sign"))
            .col(big_integer_null("begun_at"))
            .col(big_integer_null("suspended_at"))
            .col(big_integer_null("ended_at"))
            .col(big_integer_null("denied_seq"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("keys", "vehicle_id")
                    .to("vehicles", "id"),
            )
            .foreign_key(
                ForeignKey::create()
                    .from("keys", "account_id")
                    .to("accounts", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        manager
            .create_index(
                Index::create()
                    .name("keys_by_account")
                    .table("keys")
                    .col("account_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("keys_by_vehicle")
                    .table("keys")
                    .col("vehicle_id")
                    .col("state")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("keys_by_grant")
                    .table("keys")
                    .col("vehicle_id")
                    .col("grant_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("keys_by_state")
                    .table("keys")
                    .col("state")
                    .col("valid_until")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}

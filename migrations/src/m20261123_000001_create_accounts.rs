//! Accounts: the people and companies who own vehicles. `email` is stored in lower case.

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
            .table("accounts")
            .col(string("id").primary_key())
            .col(string_uniq("email"))
            .col(string_null("name"))
            .col(string_null("password_hash"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}

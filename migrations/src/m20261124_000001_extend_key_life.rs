//! What the life of a key needs beyond the first tables: until when a key is signed, whether its end
//! is known at the car, whether the car knows the time; and receipts named by their own id, because a
//! gateway that is paired anew begins its journal again.

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
        add(manager, "keys", big_integer_null("signed_until")).await?;
        add(manager, "keys", string_null("denied_by")).await?;
        add(manager, "keys", big_integer_null("denied_at")).await?;
        add(manager, "keys", big_integer_null("acknowledged_at")).await?;
        add(manager, "gateways", boolean_null("clock_trusted")).await?;
        manager
            .drop_table(Table::drop().table("receipts").to_owned())
            .await?;
        create_receipts(manager).await
    }
}

async fn add(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    let change = Table::alter().table(table).add_column(column).to_owned();
    manager.alter_table(change).await
}

async fn create_receipts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("receipts")
        .col(string("id").primary_key())
        .col(string("vehicle_id"))
        .col(blob("object_id"))
        .col(blob("bytes"))
        .col(big_integer("journal_index"))
        .col(blob("command_id"))
        .col(string_null("key_id"))
        .col(string("command"))
        .col(string("decision"))
        .col(string_null("outcome"))
        .col(text("reasons"))
        .col(big_integer("made_at"))
        .col(big_integer("received_at"))
        .foreign_key(
            ForeignKey::create()
                .from("receipts", "vehicle_id")
                .to("vehicles", "id"),
        )
        .to_owned();
    manager.create_table(table).await?;
    let by_object = Index::create()
        .name("receipts_by_object")
        .table("receipts")
        .col("vehicle_id")
        .col("object_id")
        .unique()
        .to_owned();
    manager.create_index(by_object).await?;
    for (name, columns) in [
        ("receipts_by_vehicle", ["vehicle_id", "id"]),
        ("receipts_by_key", ["key_id", "id"]),
        ("receipts_by_command", ["vehicle_id", "command_id"]),
    ] {
        let [first, second] = columns;
        let index = Index::create()
            .name(name)
            .table("receipts")
            .col(first)
            .col(second)
            .to_owned();
        manager.create_index(index).await?;
    }
    Ok(())
}

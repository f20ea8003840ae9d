//! Latchkey's database schema: one change per file, in order, for SQLite and PostgreSQL.
//!
//! Rules: portable SQL only (no `SERIAL`, no advisory locks, no engine functions); times are `BIGINT`
//! seconds UTC; ids are text as the API shows them, or the bytes that were signed. A migration that
//! has landed is never edited; a change is a new file at the end of the list. Each runs in a
//! transaction, so that a start that is killed leaves a schema from which the next one goes on.

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::MigratorTrait;

mod m20261123_000001_create_accounts;
mod m20261123_000002_create_sessions;
mod m20261123_000003_create_api_tokens;
mod m20261123_000004_create_idempotent_replies;
mod m20261123_000005_create_vehicles;
mod m20261123_000006_create_signing_keys;
mod m20261123_000007_create_bundles;
mod m20261123_000008_create_gateways;
mod m20261123_000009_create_links;
mod m20261123_000010_create_mandates;
mod m20261123_000011_create_statement_sequences;
mod m20261123_000012_create_statements;
mod m20261123_000013_create_denied_links;
mod m20261123_000014_create_keys;
mod m20261123_000015_create_slots;
mod m20261123_000016_create_invitations;
mod m20261123_000017_create_holder_sessions;
mod m20261123_000018_create_commands;
mod m20261123_000019_create_receipts;
mod m20261123_000020_create_pairings;
mod m20261123_000021_create_events;
mod m20261123_000022_create_client_apps;
mod m20261124_000001_extend_key_life;

/// The ordered list of schema changes.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_create_accounts::Migration),
            Box::new(m20261123_000002_create_sessions::Migration),
            Box::new(m20261123_000003_create_api_tokens::Migration),
            Box::new(m20261123_000004_create_idempotent_replies::Migration),
            Box::new(m20261123_000005_create_vehicles::Migration),
            Box::new(m20261123_000006_create_signing_keys::Migration),
            Box::new(m20261123_000007_create_bundles::Migration),
            Box::new(m20261123_000008_create_gateways::Migration),
            Box::new(m20261123_000009_create_links::Migration),
            Box::new(m20261123_000010_create_mandates::Migration),
            Box::new(m20261123_000011_create_statement_sequences::Migration),
            Box::new(m20261123_000012_create_statements::Migration),
            Box::new(m20261123_000013_create_denied_links::Migration),
            Box::new(m20261123_000014_create_keys::Migration),
            Box::new(m20261123_000015_create_slots::Migration),
            Box::new(m20261123_000016_create_invitations::Migration),
            Box::new(m20261123_000017_create_holder_sessions::Migration),
            Box::new(m20261123_000018_create_commands::Migration),
            Box::new(m20261123_000019_create_receipts::Migration),
            Box::new(m20261123_000020_create_pairings::Migration),
            Box::new(m20261123_000021_create_events::Migration),
            Box::new(m20261123_000022_create_client_apps::Migration),
            Box::new(m20261124_000001_extend_key_life::Migration),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_whole_or_not_at_all() {
        for migration in Migrator::migrations() {
            assert_eq!(
                migration.use_transaction(),
                Some(true),
                "{}",
                migration.name()
            );
        }
    }

    #[test]
    fn changes_run_in_the_order_of_their_names() {
        let names: Vec<String> = Migrator::migrations()
            .iter()
            .map(|one| one.name().to_owned())
            .collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}

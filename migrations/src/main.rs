//! Command line over the schema: `migrations up`, `status`, … with `DATABASE_URL` set.

use sea_orm_migration::prelude::*;

#[tokio::main]
async fn main() {
    // The only failure is a provider that is already there, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    cli::run_cli(migrations::Migrator).await;
}

//! The command line of `keys-api`.

mod doctor;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::{Config, DatabaseConfig};
use crate::serve::Server;
use crate::state::{App, Surroundings};
use crate::{jobs, storage};

/// The Latchkey platform API.
#[derive(Debug, Parser)]
#[command(name = "keys-api", version, about = "The Latchkey platform API")]
struct Arguments {
    /// Configuration file; every key can also be given as LATCHKEY_<SECTION>_<KEY>, and DATABASE_URL
    /// picks the database.
    #[arg(long, global = true, env = "LATCHKEY_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks configuration, database and keys, changing nothing, and says what is wrong.
    Doctor,
    /// Brings the database schema up to date.
    Migrate,
    /// Prints the OpenAPI document.
    Openapi,
    /// Serves the API until interrupted.
    Serve,
    /// Runs the background jobs until interrupted.
    Worker,
}

/// Parses the command line and runs what it says.
///
/// # Errors
/// Whatever stops the command, with its causes.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    let arguments = Arguments::parse_from(arguments);
    if matches!(arguments.command, Command::Openapi) {
        return print(&serde_json::to_string_pretty(&crate::router::document())?);
    }
    // The only failure is a provider that is already there, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    log_to_stderr();
    let environment: HashMap<String, String> = std::env::vars().collect();
    let config =
        Config::load(arguments.config.as_deref(), &environment).context("configuration refused")?;
    match arguments.command {
        Command::Doctor => doctor::run(&config).await,
        Command::Migrate => migrate(config.database).await,
        Command::Openapi => Ok(()),
        Command::Serve => serve(config).await,
        Command::Worker => worker(config).await,
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let server = Server::start(config).await?;
    print(&format!("listening on {}", server.url()))?;
    interrupted().await?;
    server.stop().await;
    Ok(())
}

async fn worker(config: Config) -> anyhow::Result<()> {
    let app = App::open(config, Surroundings::default()).await?;
    let jobs = tokio::spawn(jobs::run(app.clone(), app.stopping.clone()));
    interrupted().await?;
    app.stopping.cancel();
    jobs.await?;
    Ok(())
}

async fn migrate(database: DatabaseConfig) -> anyhow::Result<()> {
    let db = storage::open(&DatabaseConfig {
        migrate_at_start: true,
        ..database
    })
    .await?;
    db.close().await;
    print("the schema is up to date")
}

/// Ctrl-C, or the signal service managers send.
async fn interrupted() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// `LATCHKEY_LOG` filters, as `RUST_LOG` does elsewhere.
fn log_to_stderr() {
    use std::io::IsTerminal;
    use tracing_subscriber::EnvFilter;
    let usual = || EnvFilter::new("info,sea_orm_migration=warn,sqlx=warn");
    let filter = EnvFilter::try_from_env("LATCHKEY_LOG").unwrap_or_else(|_| usual());
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Fails only where a program that embeds us logs already.
    let _ = logger.with_ansi(std::io::stderr().is_terminal()).try_init();
}

fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

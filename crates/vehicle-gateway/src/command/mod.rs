//! The command line of `vehicle-gateway`.

mod connectors;
mod doctor;
mod pair;
mod run;
mod status;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use vehicle_gateway::Config;
use vehicle_gateway::connector::ConnectorConfig;

/// The checker beside the car: decides about presented keys, with or without a network.
#[derive(Debug, Parser)]
#[command(name = "vehicle-gateway", version, about)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Common {
    /// Configuration file; every key of its `[gateway]` section can also be given as LATCHKEY_GATEWAY_<KEY>.
    #[arg(long, global = true, env = "LATCHKEY_CONFIG")]
    config: Option<PathBuf>,
    /// Data directory; overrides the configuration.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// Origin of the API; overrides the configuration.
    #[arg(long, global = true)]
    api: Option<String>,
    /// Address of the local link; overrides the configuration.
    #[arg(long, global = true)]
    listen: Option<SocketAddr>,
    /// A simulated car, if the configuration names no connector.
    #[arg(long, global = true)]
    simulated: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway until interrupted. While it is not paired it shows a pairing code.
    Run {
        /// Print one JSON line on standard output once ready.
        #[arg(long)]
        json: bool,
    },
    /// Pairs with an owner, also anew, and shows the code for it. The gateway must not be running.
    Pair {
        /// Print the code, and then the result, as JSON lines.
        #[arg(long)]
        json: bool,
    },
    /// Says how the gateway is, whether it runs or not.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists the connectors and what they can do.
    Connectors {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Checks configuration, store, journal, connectors and API, and says what is wrong.
    Doctor,
}

/// Parses the command line and does what it says.
pub(crate) async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    log_to_stderr();
    match dispatch(arguments).await {
        Ok(code) => code,
        Err(error) => {
            // The one place where an error becomes text for a person.
            let _ = writeln!(std::io::stderr(), "vehicle-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.common.load()?;
    match arguments.command {
        Command::Run { json } => run::run(config, json).await,
        Command::Pair { json } => pair::run(config, json).await,
        Command::Status { json } => status::run(&config, json),
        Command::Connectors { json } => connectors::run(&config, json).await,
        Command::Doctor => doctor::run(&config).await,
    }
}

impl Common {
    fn load(self) -> anyhow::Result<Config> {
        let environment: HashMap<String, String> = std::env::vars().collect();
        let mut config =
            Config::load(self.config.as_deref(), &environment).context("configuration refused")?;
        if let Some(data) = self.data {
            config.data = data;
        }
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        if self.api.is_some() {
            config.api = self.api;
        }
        if self.simulated && config.connectors.is_empty() {
            config
                .connectors
                .push(ConnectorConfig::new("simulated", serde_json::Map::new()));
        }
        config.check().context("configuration refused")?;
        Ok(config)
    }
}

/// Prints one line and makes sure it is out.
fn print(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
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

/// Lines of text for a person, JSON for a service manager. `LATCHKEY_LOG` filters, as `RUST_LOG` elsewhere.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("LATCHKEY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Fails only if somebody logs already.
    let _ = if std::io::stderr().is_terminal() {
        logger.with_ansi(true).try_init()
    } else {
        logger.json().flatten_event(true).try_init()
    };
}

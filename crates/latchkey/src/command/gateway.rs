//! `latchkey gateway`, hidden: one gateway with a simulated car as a process of its own, for the demo.
//! In production that is `vehicle-gateway run`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Map, Value, json};
use vehicle_gateway::connector::ConnectorConfig;
use vehicle_gateway::{Config, Gateway};

use super::wait_for;
use crate::{output, up};

/// Run one gateway with a simulated car.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Data directory.
    #[arg(long)]
    data: PathBuf,
    /// Address of the local link.
    #[arg(long)]
    listen: SocketAddr,
    /// Origin of the API; without one the gateway is on its own.
    #[arg(long)]
    api: Option<String>,
    /// Settings of the simulated car, a JSON object.
    #[arg(long, default_value = "{}")]
    car: String,
}

/// Runs the command: one JSON line once ready, then until interrupted.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings: Map<String, Value> =
        serde_json::from_str(&arguments.car).context("--car: expected a JSON object")?;
    output::log_to_stderr("info");
    let config = Config {
        listen: arguments.listen,
        api: arguments.api,
        connectors: vec![ConnectorConfig::new("simulated", settings)],
        ..Config::new(arguments.data)
    };
    wait_for(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let has_api = config.api.is_some();
    let gateway = Gateway::start(config).await?;
    let code = if has_api && gateway.vehicle_id().is_none() {
        gateway.next_pairing_code().await
    } else {
        None
    };
    let ready = json!({ "gateway": gateway.local_url(), "pairing_code": code });
    output::print(&format!("{ready}\n"))?;
    tokio::select! {
        result = up::interrupted() => result?,
        () = gateway.wait() => {}
    }
    gateway.stop().await;
    Ok(ExitCode::SUCCESS)
}

//! `vehicle-gateway connectors`.

use std::process::ExitCode;

use serde_json::{Value, json};
use vehicle_gateway::connector::Registry;
use vehicle_gateway::{Config, status};

use super::print;
use super::status::show;

pub(super) async fn run(config: &Config, json: bool) -> anyhow::Result<ExitCode> {
    let connectors = report(config).await?;
    let kinds: Vec<_> = Registry::standard().kinds().collect();
    let view = json!({ "kinds": kinds, "connectors": connectors });
    if json {
        print(&view.to_string())?;
    } else {
        show(&view, "")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a running gateway says about its connectors; of a stopped one, what starting them gives.
async fn report(config: &Config) -> anyhow::Result<Value> {
    if let Ok(view) = status::read(&config.data, config.journal_budget_bytes)
        && view["running"] == true
    {
        return Ok(view["connectors"].clone());
    }
    let connectors = Registry::standard()
        .start_all(config.connectors.clone(), config.data.clone())
        .await;
    Ok(serde_json::to_value(connectors.report())?)
}

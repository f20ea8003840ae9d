//! `vehicle-gateway run`.

use std::process::ExitCode;

use serde_json::json;
use vehicle_gateway::{Config, Gateway, RunningGateway};

use super::{interrupted, print};

pub(super) async fn run(config: Config, json: bool) -> anyhow::Result<ExitCode> {
    if config.connectors.is_empty() {
        anyhow::bail!(
            "no connector is configured, so there is no car; add `[[gateway.connectors]]`, or try `--simulated`"
        );
    }
    let has_api = config.api.is_some();
    let gateway = Gateway::start(config).await?;
    let code = if has_api && gateway.vehicle_id().is_none() {
        gateway.next_pairing_code().await
    } else {
        None
    };
    announce(&gateway, code.as_deref(), json)?;
    tokio::select! {
        result = interrupted() => result?,
        () = gateway.wait() => {}
        result = show_codes(&gateway, code.as_deref(), json) => result?,
    }
    gateway.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn announce(gateway: &RunningGateway, code: Option<&str>, json: bool) -> anyhow::Result<()> {
    let vehicle = gateway.vehicle_id();
    if json {
        return print(
            &json!({
                "ready": true,
                "gateway": gateway.local_url(),
                "vehicle": vehicle.map(|vehicle| vehicle.to_string()),
                "paired": vehicle.is_some(),
                "pairing_code": code,
            })
            .to_string(),
        );
    }
    print(&format!("local link on {}", gateway.local_url()))?;
    match (vehicle, code) {
        (Some(vehicle), _) => print(&format!("paired; vehicle {vehicle}")),
        (None, Some(code)) => print(&format!("pairing code: {code}")),
        (None, None) => print("not paired, and no API to pair through; set `gateway.api`"),
    }
}

/// Shows each new code until the gateway is paired, says so, and then waits for ever.
async fn show_codes(
    gateway: &RunningGateway,
    mut shown: Option<&str>,
    json: bool,
) -> anyhow::Result<()> {
    let was_paired = gateway.vehicle_id().is_some();
    let mut kept;
    while gateway.vehicle_id().is_none() {
        let mut codes = gateway.pairing_codes();
        let current = codes
            .borrow_and_update()
            .as_ref()
            .map(|code| code.reveal().to_string());
        if let Some(code) = current.filter(|code| shown != Some(code)) {
            print(&if json {
                json!({ "pairing_code": code }).to_string()
            } else {
                format!("pairing code: {code}")
            })?;
            kept = code;
            shown = Some(&kept);
        }
        tokio::select! {
            _ = gateway.paired() => {}
            changed = codes.changed() => if changed.is_err() { gateway.paired().await; },
        }
    }
    if let Some(vehicle) = gateway.vehicle_id().filter(|_| !was_paired) {
        let vehicle = vehicle.to_string();
        print(&if json {
            json!({ "paired": true, "vehicle": vehicle }).to_string()
        } else {
            format!("paired; vehicle {vehicle}")
        })?;
    }
    std::future::pending().await
}

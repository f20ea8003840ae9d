//! `vehicle-gateway pair`.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use vehicle_gateway::{Config, offline};

use super::{interrupted, print};

pub(super) async fn run(config: Config, json: bool) -> anyhow::Result<ExitCode> {
    if config.api.is_none() {
        anyhow::bail!("pairing goes through an API; set `gateway.api` or give `--api`");
    }
    let show = |code: &str| {
        print(&if json {
            json!({ "pairing_code": code }).to_string()
        } else {
            format!("pairing code: {code}")
        })
    };
    let pairing = offline::pair(config, |code| show(code).map_err(std::io::Error::other));
    let paired = tokio::select! {
        result = interrupted() => {
            result?;
            anyhow::bail!("pairing was stopped; run `vehicle-gateway pair` again for a new code");
        }
        paired = pairing => paired.context("not paired")?,
    };
    let vehicle = paired.vehicle.to_string();
    print(&if json {
        json!({ "paired": true, "vehicle": vehicle, "answered": paired.answered }).to_string()
    } else {
        format!("paired; vehicle {vehicle}")
    })?;
    Ok(ExitCode::SUCCESS)
}

//! `vehicle-gateway doctor`: looks at everything, changes nothing.

use std::process::ExitCode;
use std::time::Duration;

use vehicle_gateway::connector::Registry;
use vehicle_gateway::sync::ApiEndpoint;
use vehicle_gateway::{Config, status};

use super::print;

/// How long the API may take to say that it lives.
const API_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let mut checks = vec![(
        true,
        format!("configuration: data in `{}`", config.data.display()),
    )];
    check_store(config, &mut checks);
    check_connectors(config, &mut checks).await;
    check_api(config, &mut checks).await;
    let mut all_well = true;
    for (is_well, what) in checks {
        all_well &= is_well;
        print(&format!("{} {what}", if is_well { "✓" } else { "✗" }))?;
    }
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn check_store(config: &Config, checks: &mut Vec<(bool, String)>) {
    if !status::exists(&config.data) {
        checks.push((
            true,
            "store: none yet; `vehicle-gateway run` makes one".to_owned(),
        ));
        return;
    }
    match status::read(&config.data, config.journal_budget_bytes) {
        Ok(view) => {
            let state = if view["running"] == true {
                "in use by a running gateway"
            } else {
                "whole"
            };
            checks.push((true, format!("store: {state}")));
            checks.push((
                true,
                format!(
                    "journal: {} entries, chain unbroken",
                    view["journal"]["entries"]
                ),
            ));
            match view["vehicle"].as_str() {
                Some(vehicle) => checks.push((true, format!("paired: vehicle {vehicle}"))),
                None => checks.push((
                    false,
                    "paired: no; run `vehicle-gateway run` or `pair` and enter the code".to_owned(),
                )),
            }
            let trusted = view["clock"]["trusted"] == true;
            if view["running"] == true {
                checks.push((
                    trusted,
                    format!(
                        "clock: {}",
                        if trusted {
                            "attested"
                        } else {
                            "not attested since the start; the API or a phone must bring the time"
                        }
                    ),
                ));
            }
        }
        Err(error) => checks.push((false, format!("store: {:#}", anyhow::Error::from(error)))),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&config.data).map(|data| data.permissions().mode() & 0o077);
        let private = mode.is_ok_and(|others| others == 0);
        let word = if private {
            "its owner only"
        } else {
            "others too; `chmod 700` it"
        };
        checks.push((private, format!("data directory: readable by {word}")));
    }
}

async fn check_connectors(config: &Config, checks: &mut Vec<(bool, String)>) {
    if config.connectors.is_empty() {
        checks.push((
            false,
            "connectors: none configured; add `[[gateway.connectors]]`".to_owned(),
        ));
        return;
    }
    if status::read(&config.data, config.journal_budget_bytes)
        .is_ok_and(|view| view["running"] == true)
    {
        return;
    }
    let connectors = Registry::standard()
        .start_all(config.connectors.clone(), config.data.clone())
        .await;
    for report in connectors.report() {
        let state = report.error.map_or_else(
            || "starts".to_owned(),
            |error| format!("does not start: {error}"),
        );
        checks.push((
            report.running,
            format!("connector `{}`: {state}", report.name),
        ));
    }
}

async fn check_api(config: &Config, checks: &mut Vec<(bool, String)>) {
    let Some(origin) = &config.api else {
        checks.push((true, "API: none; phones carry everything".to_owned()));
        return;
    };
    let answer = match ask_api(config, origin).await {
        Ok(status) if status.is_success() => (true, format!("API: {origin} answers")),
        Ok(status) => (false, format!("API: {origin} answers with status {status}")),
        Err(error) => (false, format!("API: {error:#}")),
    };
    checks.push(answer);
}

async fn ask_api(config: &Config, origin: &str) -> anyhow::Result<reqwest::StatusCode> {
    let authority = config
        .api_authority
        .as_ref()
        .map(std::fs::read)
        .transpose()?;
    let endpoint = ApiEndpoint::parse(origin, authority.as_deref())?;
    let client = endpoint.http_client(API_WAIT)?;
    Ok(client
        .get(endpoint.http_url("/health"))
        .send()
        .await?
        .status())
}

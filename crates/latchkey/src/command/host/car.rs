//! Cars: adding, pairing, mandates and statements.

use std::path::Path;
use std::process::ExitCode;

use keys_core::entitlement::Entitlements;
use keys_core::pairing::PairingCode;
use serde_json::json;

use crate::device::host::{Host, MANDATE_DAYS, MandateWish};
use crate::{clock, describe, input, output};

/// Register a car whose owner key is this device's.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey host add-car 'Blue Corsa' --brand Opel --model Corsa --year 2023 --time-zone Europe/Berlin")]
pub(super) struct Add {
    /// What you call it.
    name: String,
    /// Its brand.
    #[arg(long)]
    brand: Option<String>,
    /// Its model.
    #[arg(long)]
    model: Option<String>,
    /// Its year.
    #[arg(long)]
    year: Option<u16>,
    /// IANA time zone it lives in.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
}

/// Pair with the gateway that shows a code, and sign the car's trust bundle.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey host pair ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567
  latchkey host pair ABCD-… --car 'Blue Corsa' --mandate")]
pub(super) struct Pair {
    /// The code the car shows.
    code: PairingCode,
    /// Id or name of the car; not needed if there is only one.
    #[arg(long)]
    car: Option<String>,
    /// Let the platform hold a mandate for this car. Without it the platform can never open the car.
    #[arg(long)]
    mandate: bool,
}

/// Let the platform issue keys within limits, without you at the keyboard.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "This lowers the car's trust tier from sovereign to mandated.

Examples:
  latchkey host mandate --may unlock,lock,enable_driving,remote --max-hours 72 --days 90"
)]
pub(super) struct Mandate {
    /// Id or name of the car; not needed if there is only one.
    #[arg(long)]
    car: Option<String>,
    /// What the platform may hand on.
    #[arg(long, value_parser = input::entitlements)]
    may: Entitlements,
    /// Longest key, hours.
    #[arg(long, default_value_t = 168)]
    max_hours: u64,
    /// A car cut off for longer than this many seconds opens for nobody who has not begun a trip.
    #[arg(long, default_value_t = 86_400)]
    outage_limit_s: u32,
    /// How long the mandate lasts, days; at most 400.
    #[arg(long, default_value_t = MANDATE_DAYS)]
    days: u64,
}

/// Sign the statement that waits for you, if one does: what was revoked or suspended.
#[derive(Debug, clap::Args)]
pub(super) struct Statement {
    /// Id or name of the car; not needed if there is only one.
    #[arg(long)]
    car: Option<String>,
}

pub(super) async fn add(file: &Path, arguments: &Add) -> anyhow::Result<ExitCode> {
    let mut host = Host::open(file)?;
    let mut details = json!({ "name": arguments.name, "time_zone": arguments.time_zone });
    let optional = [
        ("brand", arguments.brand.clone().map(Into::into)),
        ("model", arguments.model.clone().map(Into::into)),
        ("year", arguments.year.map(serde_json::Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            details[name] = value;
        }
    }
    let at = host.add_car(&details).await?;
    output::print(&format!(
        "added {}; now pair it: latchkey host pair CODE\n",
        host.cars()[at].id
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn pair(file: &Path, arguments: &Pair) -> anyhow::Result<ExitCode> {
    let mut host = Host::open(file)?;
    let at = host.find(arguments.car.as_deref())?;
    let bundle = host
        .pair(at, &arguments.code, arguments.mandate, clock::now())
        .await?;
    output::print(&format!(
        "paired {} with gateway {}\nthe platform may {} a mandate for it\n",
        host.cars()[at].name,
        describe::hex(bundle.gateway_key.as_bytes()),
        if bundle.mandate_allowed {
            "hold"
        } else {
            "not hold"
        },
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn mandate(file: &Path, arguments: &Mandate) -> anyhow::Result<ExitCode> {
    let host = Host::open(file)?;
    let at = host.find(arguments.car.as_deref())?;
    let wish = MandateWish {
        entitlements: arguments.may,
        max_window_s: arguments.max_hours.saturating_mul(3_600),
        outage_limit_s: arguments.outage_limit_s,
        days: arguments.days,
    };
    let mandate = host.mandate(at, &wish, clock::now()).await?;
    output::print(&format!(
        "signed a mandate for {} until {}\n",
        host.cars()[at].name,
        mandate["valid_until"].as_str().unwrap_or("its end")
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn statement(file: &Path, arguments: &Statement) -> anyhow::Result<ExitCode> {
    let mut host = Host::open(file)?;
    let at = host.find(arguments.car.as_deref())?;
    let text = match host.sign_statement(at).await? {
        None => "nothing waits for your signature\n".to_owned(),
        Some(statement) => format!(
            "signed statement {}: {} revoked, {} suspended\n",
            statement.seq,
            statement.revoked.len(),
            statement.suspended.len()
        ),
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

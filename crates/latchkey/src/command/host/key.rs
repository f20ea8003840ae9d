//! Keys: issuing, signing, ending.

use std::path::Path;
use std::process::ExitCode;

use keys_core::entitlement::Entitlements;
use keys_core::time::Timestamp;
use serde_json::json;

use crate::device::api;
use crate::device::host::Host;
use crate::{describe, input, output};

/// Reserve a key and make a link to send.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey host issue --from 2026-12-24T10:00:00Z --until 2026-12-24T18:00:00Z --may unlock,lock,remote")]
pub(super) struct Issue {
    /// Id or name of the car; not needed if there is only one.
    #[arg(long)]
    car: Option<String>,
    /// From when; RFC 3339.
    #[arg(long, value_parser = input::time)]
    from: Timestamp,
    /// Until when; RFC 3339.
    #[arg(long, value_parser = input::time)]
    until: Timestamp,
    /// What the renter may do; `remote` is needed for commands through the API.
    #[arg(long, value_parser = input::entitlements)]
    may: Entitlements,
    /// How often the renter may hand it on.
    #[arg(long, default_value_t = 0)]
    shares: u8,
    /// Leave out the activation code, which is made if driving is granted.
    #[arg(long)]
    no_activation_code: bool,
}

/// Name a key.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// `key_…`
    key: String,
}

pub(super) async fn issue(file: &Path, arguments: &Issue) -> anyhow::Result<ExitCode> {
    let host = Host::open(file)?;
    let at = host.find(arguments.car.as_deref())?;
    let api = host.api()?;
    let body = json!({
        "vehicle_id": host.cars()[at].id,
        "valid_from": arguments.from.to_string(),
        "valid_until": arguments.until.to_string(),
        "entitlements": arguments.may.names(),
        "delegations": arguments.shares,
    });
    let key = api.post("/v1/keys", &body).await?;
    let id = api::text(&key, "id")?;
    let body = if arguments.no_activation_code {
        json!({ "activation_code": false })
    } else {
        json!({})
    };
    let invitation = api
        .post(&format!("/v1/keys/{id}/invitations"), &body)
        .await?;
    let shown = json!({
        "key": id,
        "link": invitation["url"],
        "activation_code": invitation["activation_code"],
        "next": format!("once it is redeemed: latchkey host sign {id}"),
    });
    output::print(&describe::render(&shown))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn sign(file: &Path, arguments: &Named) -> anyhow::Result<ExitCode> {
    let host = Host::open(file)?;
    let claims = host.pending_claims(&arguments.key).await?;
    output::print(&format!(
        "signing: holder {} may {} from {} until {}\n",
        describe::hex(&claims.holder),
        claims.policy.entitlements.names().join(", "),
        claims.validity.from,
        claims.validity.until
    ))?;
    let key = host.sign_key(&arguments.key, &claims).await?;
    output::print(&format!(
        "signed; the key is {}\n",
        key["state"].as_str().unwrap_or("at the API")
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn end(file: &Path, arguments: &Named, verb: &str) -> anyhow::Result<ExitCode> {
    let mut host = Host::open(file)?;
    let api = host.api()?;
    let path = format!("/v1/keys/{}/{verb}", arguments.key);
    let key = api.post(&path, &json!({})).await?;
    let vehicle = api::text(&key, "vehicle_id")?.to_owned();
    let signed = match host.find(Some(&vehicle)) {
        Ok(at) => host.sign_statement(at).await?.is_some(),
        Err(_) => false,
    };
    let key = api.get(&format!("/v1/keys/{}", arguments.key)).await?;
    let shown = json!({
        "key": arguments.key,
        "state": key["state"],
        "statement_signed_here": signed,
        "dead_by": key["dead_by"],
        "dead_by_reason": key["dead_by_reason"],
    });
    output::print(&describe::render(&shown))?;
    Ok(ExitCode::SUCCESS)
}

//! `latchkey key verify`

use std::process::ExitCode;

use anyhow::{Context, bail};
use keys_core::anchors::AnchorStore;
use keys_core::bundle::{Bundle, OwnerKeys};
use keys_core::chain::DigitalKey;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::VehicleId;
use keys_core::key::UnverifiedKey;
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;
use keys_core::time::Timestamp;
use keys_core::trust::Roots;
use serde_json::{Value, json};

use crate::{describe, input, output};

const EXAMPLES: &str = "\
Checks every signature from the owner down and that each link lies inside its parent; with --at also
the window. Revocation, hours, places and the holder's proof are for the car to check.

Exit code: 0 the key holds; 1 it does not, and it says why; 2 the question could not be answered.

Examples:
  latchkey key verify key.cbor --bundle bundle.cbor
  latchkey key verify key.cbor --root 8a88e3… --vehicle 0197c0de-0000-7000-8000-000000000001 \\
      --platform-root d04ab2… --anchor mandate.cbor --anchor issuer.cbor --at 2026-12-24T18:00:00Z";

/// Check a key's signatures and limits against the owner's keys.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The key: a file, hex, base64url, or `-` for standard input.
    key: String,
    /// A public owner key, hex or base64url; up to four.
    #[arg(long = "root", value_name = "KEY", value_parser = input::public_key)]
    roots: Vec<VerifyingKey>,
    /// The public platform root key, if the owner works with a platform.
    #[arg(long, value_name = "KEY", value_parser = input::public_key)]
    platform_root: Option<VerifyingKey>,
    /// A link the car has stored (mandate, issuer); with its parents, in any order.
    #[arg(long = "anchor", value_name = "LINK")]
    anchors: Vec<String>,
    /// The vehicle the key shall be for.
    #[arg(long, value_parser = input::vehicle)]
    vehicle: Option<VehicleId>,
    /// The car's trust bundle in place of --root, --platform-root and --vehicle. With --root given
    /// as well it must be signed by one of these; without, it is taken at its word.
    #[arg(long)]
    bundle: Option<String>,
    /// Test the window at this time: RFC 3339 or seconds since 1970.
    #[arg(long, value_parser = input::time)]
    at: Option<Timestamp>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (vehicle, roots) = trust(arguments)?;
    let bytes = input::object(&arguments.key)?;
    let anchors = arguments
        .anchors
        .iter()
        .map(|text| input::object(text).context("--anchor"))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let anchors = AnchorStore::from_links(anchors.iter().map(Vec::as_slice), vehicle, &roots);
    let verified = UnverifiedKey::parse(&bytes)
        .map_err(Refusal::from)
        .and_then(|key| key.verify(vehicle, &roots, &anchors));
    let reasons = match &verified {
        Ok(key) => window_reasons(key, arguments.at),
        Err(refusal) => vec![*refusal],
    };
    let answer = answer(verified.as_ref().ok(), &reasons);
    output::print(&if arguments.json {
        format!("{answer}\n")
    } else {
        as_text(&answer, &reasons)
    })?;
    Ok(if reasons.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(output::NO)
    })
}

fn trust(arguments: &Arguments) -> anyhow::Result<(VehicleId, Roots)> {
    let owner_keys = OwnerKeys::try_from(arguments.roots.as_slice())
        .ok()
        .context("--root can be given up to four times")?;
    if let Some(text) = &arguments.bundle {
        return trust_of_bundle(text, &owner_keys, arguments.vehicle);
    }
    if owner_keys.is_empty() {
        bail!("whom shall the key start from? give --root, or --bundle");
    }
    let vehicle = arguments
        .vehicle
        .context("which vehicle shall the key be for? give --vehicle, or --bundle")?;
    let roots = Roots {
        owner_keys,
        platform_root: arguments.platform_root,
        mandate_allowed: arguments.platform_root.is_some(),
    };
    Ok((vehicle, roots))
}

fn trust_of_bundle(
    text: &str,
    signers: &OwnerKeys,
    vehicle: Option<VehicleId>,
) -> anyhow::Result<(VehicleId, Roots)> {
    let bytes = input::object(text).context("--bundle")?;
    let bundle = Unverified::<Bundle>::decode(&bytes).context("--bundle is not a trust bundle")?;
    let named = &bundle.unverified_body().owner_keys;
    let signers = if signers.is_empty() { named } else { signers };
    bundle
        .find_signer(signers, NO_REST)
        .map_err(|refusal| anyhow::anyhow!("--bundle is not signed by its owner: {refusal}"))?;
    let body = bundle.unverified_body();
    if vehicle.is_some_and(|vehicle| vehicle != body.vehicle) {
        bail!(
            "--bundle is for vehicle {}, not for --vehicle",
            body.vehicle
        );
    }
    Ok((body.vehicle, body.roots()))
}

fn window_reasons(key: &DigitalKey, at: Option<Timestamp>) -> Vec<Refusal> {
    let window = key.effective().validity();
    match at {
        Some(at) if at < window.from => vec![Refusal::NotYetValid],
        Some(at) if at >= window.until => vec![Refusal::Expired],
        _ => Vec::new(),
    }
}

fn answer(key: Option<&DigitalKey>, reasons: &[Refusal]) -> Value {
    let reasons: Vec<&str> = reasons.iter().map(|refusal| refusal.code()).collect();
    json!({
        "verified": key.is_some(),
        "holds": reasons.is_empty(),
        "reasons": reasons,
        "holder_key": key.map(|key| describe::hex(key.holder().as_bytes())),
        "mandated": key.map(DigitalKey::has_mandate),
        "link_ids": key.map(|key| key.links().iter().map(ToString::to_string).collect::<Vec<_>>()),
        "gives": key.map(|key| describe::effective(key.effective())),
    })
}

fn as_text(answer: &Value, reasons: &[Refusal]) -> String {
    let codes: Vec<&str> = reasons.iter().map(|refusal| refusal.code()).collect();
    if answer["verified"] == Value::Bool(false) {
        return format!("✗ the key does not hold: {}\n", codes.join(", "));
    }
    let first = if codes.is_empty() {
        "✓ every signature holds and every link lies inside its parent".to_owned()
    } else {
        format!("✗ the signatures hold, but: {}", codes.join(", "))
    };
    format!("{first}\n{}", describe::render(answer))
}

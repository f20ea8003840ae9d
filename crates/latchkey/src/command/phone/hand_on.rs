//! Handing on part of a key, and taking what somebody handed over.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use keys_core::entitlement::Entitlements;
use keys_core::signature::VerifyingKey;
use keys_core::time::Timestamp;

use super::keys::summary;
use crate::device::held_key::Handover;
use crate::device::phone::{Delegation, Phone};
use crate::{describe, input, output};

/// Sign a narrower key for a co-driver; needs no network.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey phone list --file other-phone.json          shows the holder key to name here
  latchkey phone delegate --to HOLDER_KEY --may unlock,lock --until 2026-12-24T18:00:00Z --out codriver.json")]
pub(super) struct Delegate {
    /// Id of your key or name of the car; not needed if there is only one.
    key: Option<String>,
    /// The co-driver's public holder key, hex or base64url.
    #[arg(long, value_parser = input::public_key)]
    to: VerifyingKey,
    /// What the co-driver may do, such as unlock,lock,enable_driving.
    #[arg(long, value_parser = input::entitlements)]
    may: Entitlements,
    /// From when; RFC 3339. Your own start if nothing is said.
    #[arg(long, value_parser = input::time)]
    from: Option<Timestamp>,
    /// Until when; RFC 3339. Your own end if nothing is said.
    #[arg(long, value_parser = input::time)]
    until: Option<Timestamp>,
    /// How often the co-driver may hand it on.
    #[arg(long, default_value_t = 0)]
    shares: u8,
    /// File to write the key to, for `phone receive`.
    #[arg(long)]
    out: PathBuf,
}

/// Take a key that somebody handed over.
#[derive(Debug, clap::Args)]
pub(super) struct Receive {
    /// The file `phone delegate` wrote.
    key: PathBuf,
}

pub(super) fn delegate(file: &Path, arguments: &Delegate) -> anyhow::Result<ExitCode> {
    let mut phone = Phone::open(file)?;
    let at = phone.find(arguments.key.as_deref())?;
    let handover = phone.delegate(
        at,
        &Delegation {
            holder: arguments.to,
            entitlements: arguments.may,
            from: arguments.from,
            until: arguments.until,
            delegations: arguments.shares,
        },
    )?;
    let text = serde_json::to_string_pretty(&handover)?;
    std::fs::write(&arguments.out, text)
        .with_context(|| format!("cannot write `{}`", arguments.out.display()))?;
    output::print(&format!(
        "wrote {}: only the phone with that holder key can use it\n",
        arguments.out.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn receive(file: &Path, arguments: &Receive) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&arguments.key)
        .with_context(|| format!("cannot read `{}`", arguments.key.display()))?;
    let handover: Handover = serde_json::from_str(&text).with_context(|| {
        format!(
            "`{}` was not made by `phone delegate`",
            arguments.key.display()
        )
    })?;
    let mut phone = Phone::open(file)?;
    let at = phone.receive(&handover)?;
    output::print(&describe::render(&summary(&phone.keys()[at])))?;
    Ok(ExitCode::SUCCESS)
}

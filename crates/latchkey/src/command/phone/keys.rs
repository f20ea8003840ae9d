//! Getting keys, and looking at those a phone holds.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::describe;
use crate::device::held_key::HeldKey;
use crate::device::phone::{InvitationLink, Phone};
use crate::output;

/// Redeem an invitation: the key is bound to this phone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey phone redeem 'http://127.0.0.1:8080/k/inv_…#secret'
  latchkey phone redeem 'https://keys.example.com/k/inv_…#secret' --activation-code 482915 --name 'My phone'")]
pub(super) struct Redeem {
    /// The whole link, with the part after `#`; in quotes.
    link: InvitationLink,
    /// The code the host gave you another way, if the link asks for one.
    #[arg(long)]
    activation_code: Option<String>,
    /// What the host will see as the name of this phone.
    #[arg(long, default_value = "latchkey command line")]
    name: String,
}

/// List the keys this phone holds.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Fetch a key as it is now, and what the phone shall carry to the car.
#[derive(Debug, clap::Args)]
pub(super) struct Refresh {
    /// Id of the key or name of the car; not needed if there is only one.
    key: Option<String>,
}

pub(super) fn init(file: &Path) -> anyhow::Result<ExitCode> {
    let phone = Phone::create(file)?;
    output::print(&format!(
        "made {} (keep it: it is your key)\nholder key {}\n",
        file.display(),
        describe::hex(phone.holder_key().as_bytes())
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn redeem(file: &Path, arguments: &Redeem) -> anyhow::Result<ExitCode> {
    let mut phone = if file.exists() {
        Phone::open(file)?
    } else {
        Phone::create(file)?
    };
    let code = arguments.activation_code.as_deref();
    let (at, recovery_code) = phone.redeem(&arguments.link, code, &arguments.name).await?;
    let held = &phone.keys()[at];
    output::print(&format!(
        "{}recovery code: {recovery_code}\n  Write it down, away from the phone: with the link it suspends the key if the phone is lost.\n  It is not shown again.\n",
        describe::render(&summary(held))
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list(file: &Path, arguments: &List) -> anyhow::Result<ExitCode> {
    let phone = Phone::open(file)?;
    let list = json!({
        "holder_key": describe::hex(phone.holder_key().as_bytes()),
        "keys": phone.keys().iter().map(summary).collect::<Vec<_>>(),
    });
    output::print(&if arguments.json {
        format!("{list}\n")
    } else {
        describe::render(&list)
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn refresh(file: &Path, arguments: &Refresh) -> anyhow::Result<ExitCode> {
    let mut phone = Phone::open(file)?;
    let at = phone.find(arguments.key.as_deref())?;
    phone.refresh(at).await?;
    output::print(&describe::render(&summary(&phone.keys()[at])))?;
    Ok(ExitCode::SUCCESS)
}

/// A held key in short; why it is not usable, if it is not.
pub(super) fn summary(held: &HeldKey) -> Value {
    match held.verified() {
        Ok(key) => json!({
            "id": held.id,
            "car": held.car,
            "holds": true,
            "gateway_key": held.bundle().ok().map(|bundle| describe::hex(bundle.gateway_key.as_bytes())),
            "leaf_id": key.leaf().to_string(),
            "gives": describe::effective(key.effective()),
        }),
        Err(error) => json!({
            "id": held.id,
            "car": held.car,
            "holds": false,
            "problem": format!("{error:#}"),
        }),
    }
}

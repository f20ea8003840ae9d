//! Commands to the car, and carrying to it what it lacks.

use std::path::Path;
use std::process::ExitCode;

use keys_core::carried::CarriedKind;
use keys_core::command::VehicleCommand;
use keys_core::refusal::Refusal;
use serde_json::json;

use crate::device::car::Car;
use crate::device::phone::{CommandAnswer, Phone};
use crate::{clock, describe, output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 the car did it; 1 it was refused or declined, or nobody knows yet; 2 not asked.

Examples:
  latchkey phone unlock
  latchkey phone lock 'Blue Corsa' --via http://127.0.0.1:8081 --receipt lock.receipt"
)]
pub(super) struct Arguments {
    /// Id of the key or name of the car; not needed if there is only one.
    key: Option<String>,
    /// `api`, or the address of the gateway at the car: then no server is needed.
    #[arg(long, default_value = "api")]
    via: String,
    /// Keep the gateway's signed receipt in this file.
    #[arg(long, value_name = "FILE")]
    receipt: Option<std::path::PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Carry the newest statements and keys to the car, and the time if it lost it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey phone carry --via http://127.0.0.1:8081")]
pub(super) struct Carry {
    /// Id of the key or name of the car; not needed if there is only one.
    key: Option<String>,
    /// Address of the gateway at the car.
    #[arg(long)]
    via: String,
}

pub(super) async fn run(
    file: &Path,
    command: VehicleCommand,
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let phone = Phone::open(file)?;
    let at = phone.find(arguments.key.as_deref())?;
    let now = clock::now();
    let answer = if arguments.via == "api" {
        phone.command_online(at, command, now).await?
    } else {
        let car = Car::new(&arguments.via)?;
        phone.command_at(at, &car, command, now).await?
    };
    if let (Some(path), Some(bytes)) = (&arguments.receipt, &answer.receipt_bytes) {
        std::fs::write(path, describe::hex(bytes) + "\n")?;
    }
    output::print(&if arguments.json {
        format!("{}\n", as_json(command, &answer))
    } else {
        as_text(command, &answer)
    })?;
    Ok(if answer.is_done() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(output::NO)
    })
}

fn as_json(command: VehicleCommand, answer: &CommandAnswer) -> serde_json::Value {
    json!({
        "command": command.as_str(),
        "state": answer.state,
        "reasons": answer.reasons.iter().map(|refusal| refusal.code()).collect::<Vec<_>>(),
        "repeated": answer.repeated,
        "receipt": answer.receipt_bytes.as_deref().map(describe::hex),
    })
}

fn as_text(command: VehicleCommand, answer: &CommandAnswer) -> String {
    let reasons: Vec<&str> = answer
        .reasons
        .iter()
        .map(|refusal| refusal.code())
        .collect();
    let mark = if answer.is_done() { "✓" } else { "✗" };
    let why = if reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", reasons.join(", "))
    };
    let signed = match &answer.receipt {
        Some(receipt) => format!(
            " (receipt {}, journal entry {})",
            receipt.id(),
            receipt.body().journal.0
        ),
        None => " (no receipt)".to_owned(),
    };
    format!("{mark} {command} {}{why}{signed}\n", answer.state)
}

pub(super) async fn carry(file: &Path, arguments: &Carry) -> anyhow::Result<ExitCode> {
    let mut phone = Phone::open(file)?;
    let at = phone.find(arguments.key.as_deref())?;
    let car = Car::new(&arguments.via)?;
    let refreshed = phone.refresh(at).await;
    if let Err(error) = &refreshed {
        output::say(&format!("carrying what this phone has: {error:#}"));
    }
    let mut lines = String::new();
    for (kind, refusal) in phone.carry(at, &car).await? {
        lines.push_str(&line(kind_name(kind), refusal));
    }
    if refreshed.is_ok() {
        lines.push_str(&line("time", phone.carry_time(at, &car).await?));
    }
    output::print(&lines)?;
    Ok(ExitCode::SUCCESS)
}

fn kind_name(kind: CarriedKind) -> &'static str {
    match kind {
        CarriedKind::Bundle => "bundle",
        CarriedKind::Anchor => "anchor",
        CarriedKind::Statement => "statement",
        CarriedKind::Time => "time",
        CarriedKind::JournalAck => "journal acknowledgement",
    }
}

fn line(what: &str, refusal: Option<Refusal>) -> String {
    match refusal {
        None => format!("{what}: taken\n"),
        Some(refusal) => format!("{what}: not taken, {refusal}\n"),
    }
}

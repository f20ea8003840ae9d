//! `latchkey log …`

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use keys_core::bundle::Bundle;
use keys_core::envelope::Unverified;
use keys_core::signature::VerifyingKey;
use serde_json::json;

use crate::journal::{Audit, Export};
use crate::{clock, input, output};

/// Longest file that is read.
const FILE_BYTES: u64 = 512 * 1024 * 1024;

const EXAMPLES: &str = "\
A file holds the entries in their order, and signed heads and receipts in any: one JSON object a line,
  {\"entry\": hex}, {\"head\": hex} or {\"receipt\": hex}
or the bare hex or base64url of one object a line. No server is asked.

Exit code: 0 everything holds; 1 something does not, and it says which entry; 2 unreadable.

Examples:
  latchkey log verify journal.jsonl --gateway-key 2b1f…
  latchkey log verify journal.jsonl receipts.jsonl --bundle bundle.cbor
  latchkey log export --data ./car | latchkey log verify - --bundle bundle.cbor --json";

/// A gateway's journal: write it out, check it with its signed heads and receipts.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Export(ExportArguments),
    Verify(Box<Verify>),
}

/// Write out the journal of a gateway that does not run, with its head signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey log export --data ./latchkey-data/gateways/corsa > journal.jsonl")]
struct ExportArguments {
    /// Data directory of the gateway.
    #[arg(long)]
    data: PathBuf,
}

/// Follow the journal from its first entry and hold every head and receipt against it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Verify {
    /// Files to read, `-` for standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Public key of the gateway, 32 bytes in hex or base64url; `latchkey phone list` and `latchkey host
    /// show` know it.
    #[arg(long, value_parser = input::public_key, required_unless_present = "bundle")]
    gateway_key: Option<VerifyingKey>,
    /// The car's trust bundle, which names the gateway key: a file, hex or base64url. It is taken at
    /// its word; give it only from a source you trust.
    #[arg(long, conflicts_with = "gateway_key")]
    bundle: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Export(arguments) => {
            let export = Export::from_store(&arguments.data, clock::now())?;
            output::print(&export.to_json_lines())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify(arguments) => verify(&arguments),
    }
}

fn verify(arguments: &Verify) -> anyhow::Result<ExitCode> {
    let gateway_key = gateway_key(arguments)?;
    let mut export = Export::default();
    for file in &arguments.files {
        let text = read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        export.add(&text).map_err(|unreadable| {
            anyhow::anyhow!(
                "`{}` line {}: neither a journal entry nor a head nor a receipt",
                file.display(),
                unreadable.line
            )
        })?;
    }
    if export == Export::default() {
        bail!("there is no journal entry, head or receipt in what was given");
    }
    let audit = Audit::of(&export, &gateway_key);
    let report = if arguments.json {
        format!("{}\n", as_json(&audit))
    } else {
        as_text(&audit)
    };
    output::print(&report)?;
    Ok(if audit.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(output::NO)
    })
}

fn gateway_key(arguments: &Verify) -> anyhow::Result<VerifyingKey> {
    if let Some(key) = arguments.gateway_key {
        return Ok(key);
    }
    let text = arguments
        .bundle
        .as_deref()
        .context("one of --gateway-key and --bundle is needed")?;
    let bytes = input::object(text).context("--bundle")?;
    let bundle = Unverified::<Bundle>::decode(&bytes).context("--bundle is not a trust bundle")?;
    Ok(bundle.unverified_body().gateway_key)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let reader: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file)?)
    };
    reader.take(FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES {
        bail!("more than 512 MiB");
    }
    Ok(text)
}

fn as_json(audit: &Audit) -> serde_json::Value {
    json!({
        "holds": audit.findings.is_empty(),
        "vehicle": audit.vehicle().map(|id| id.to_string()),
        "entries": audit.entries.len(),
        "heads": audit.heads,
        "receipts": audit.receipts,
        "open_intents": audit.open_intents,
        "findings": audit.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn as_text(audit: &Audit) -> String {
    let mut lines = vec![format!(
        "{} entries unbroken, {} signed heads and {} receipts match",
        audit.entries.len(),
        audit.heads,
        audit.receipts
    )];
    if let Some(vehicle) = audit.vehicle() {
        lines.push(format!("vehicle {vehicle}"));
    }
    for index in &audit.open_intents {
        lines.push(format!(
            "entry {index} is an intent whose outcome is not known"
        ));
    }
    for finding in &audit.findings {
        lines.push(format!("✗ {finding}"));
    }
    if audit.findings.is_empty() {
        lines.push("✓ the journal holds".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

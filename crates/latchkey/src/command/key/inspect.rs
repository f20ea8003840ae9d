//! `latchkey key inspect`

use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use crate::{describe, input, output};

const EXAMPLES: &str = "\
Understands keys, links, statements, bundles, challenges, proofs, presentations, receipts, journal
entries and heads, time attestations and carried objects.

Examples:
  latchkey key inspect key.cbor
  latchkey key inspect hQGiA…
  curl -s http://127.0.0.1:8081/v1/challenge | latchkey key inspect - --json";

/// Show what an object says, without checking any signature.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A file, hex, base64url, or `-` for standard input.
    object: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let bytes = input::object(&arguments.object)?;
    let mut described = describe::describe(&bytes)
        .context("this is no object of the ck1 format; the bytes are read strictly")?;
    if let Some(fields) = described.as_object_mut() {
        fields.insert("bytes".to_owned(), Value::from(bytes.len()));
        fields.insert("verified".to_owned(), Value::from(false));
    }
    let text = if arguments.json {
        format!("{described}\n")
    } else {
        format!(
            "NOT VERIFIED: this is what the bytes claim; nobody checked a signature.\n{}",
            describe::render(&described)
        )
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

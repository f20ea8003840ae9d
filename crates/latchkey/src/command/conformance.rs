//! `latchkey conformance`

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::conformance;

const EXAMPLES: &str = "\
Each line is a JSON object:
  {\"case\", \"vehicle\", \"roots\": [hex], \"platform_root\": hex|null, \"anchors\": [hex], \"now\",
   \"clock\": [lo, hi]|null, \"in_contact\", \"begun\", \"uses\": {grant hex: n}, \"channel\": \"local\"|\"remote\",
   \"proximity\": 0..3, \"statements\": [hex], \"known\": {\"owner_seq\", \"platform_seq\", \"generation\"},
   \"gateway_key\": hex, \"key\": hex, \"challenge\": hex|null, \"proof\": hex|null, \"command\",
   \"position\": [lat, lon]|null, \"state\": {\"stationary\", \"ignition_off\"}|null}
and is answered, in order and whatever it holds, by one line:
  {\"case\", \"decision\": \"allow\"|\"lock-only\"|\"refuse\", \"reasons\": [code]}

What may be null may be absent; a record that lacks another field is `malformed`.
A position in integers is in 1e-7 degree, otherwise in degrees.

Examples:
  latchkey conformance < corpus.jsonl > answers.jsonl
  latchkey conformance valid.jsonl hostile.jsonl | jq -r .decision | sort | uniq -c";

/// Decide about recorded presentations, one JSON line each, as a gateway would.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Files of JSON lines, read one after the other; `-` or none = standard input.
    files: Vec<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut output = BufWriter::new(io::stdout().lock());
    if arguments.files.is_empty() {
        conformance::run(io::stdin().lock(), &mut output)?;
    }
    for file in &arguments.files {
        run_file(file, &mut output)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_file(file: &Path, output: &mut impl Write) -> anyhow::Result<()> {
    if file == Path::new("-") {
        return Ok(conformance::run(io::stdin().lock(), output)?);
    }
    let input = File::open(file).with_context(|| format!("cannot open `{}`", file.display()))?;
    Ok(conformance::run(BufReader::new(input), output)?)
}

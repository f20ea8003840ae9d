//! `latchkey doctor`

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{curve, describe, output};

const EXAMPLES: &str = "\
Exit code: 0 ready to start; 1 something needs attention.

Examples:
  latchkey doctor
  latchkey doctor --data /var/lib/latchkey --listen 127.0.0.1:9000 --json";

/// Say what this program would run with, and whether anything is in its way.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Data directory of `latchkey up`.
    #[arg(long, default_value = "./latchkey-data")]
    data: PathBuf,
    /// Address of the API.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the first car's gateway.
    #[arg(long, default_value = "127.0.0.1:8081")]
    gateway_listen: SocketAddr,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (listen, gateway) = (port(arguments.listen), port(arguments.gateway_listen));
    let (data, data_is_usable) = data_directory(&arguments.data);
    let report = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "curve_backend": curve::backend(),
        "curve_backends_built_in": curve::built_in(),
        "target": format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
        "tls_provider": "ring",
        "data_directory": data,
        "api_address": listen,
        "gateway_address": gateway,
    });
    output::print(&if arguments.json {
        format!("{report}\n")
    } else {
        describe::render(&report)
    })?;
    let free = |address: &Value| address["free"] == Value::Bool(true);
    Ok(if data_is_usable && free(&listen) && free(&gateway) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(output::NO)
    })
}

fn port(address: SocketAddr) -> Value {
    let found = TcpListener::bind(address);
    json!({
        "address": address.to_string(),
        "free": found.is_ok(),
        "problem": found.err().map(|error| error.to_string()),
    })
}

fn data_directory(path: &Path) -> (Value, bool) {
    let (state, usable) = match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => ("is not a directory; choose another with --data", false),
        Ok(_) if path.join("sandbox.json").exists() => {
            ("seeded; the next start finds its data", true)
        }
        Ok(_) => ("exists", true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            ("not there yet; the first start makes it", true)
        }
        Err(_) => ("cannot be read; check its owner and mode", false),
    };
    (
        json!({ "path": path.display().to_string(), "state": state }),
        usable,
    )
}

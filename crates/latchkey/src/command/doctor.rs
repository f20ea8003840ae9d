//! `latchkey doctor`

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{describe, output};

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
        "curve_backend": curve_backend(),
        "curve_backends_built_in": built_in(),
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

/// The back-end of the curve crate that is chosen on this machine, by the crate's own rule: the
/// best one that is built in and that the processor has.
fn curve_backend() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        let has_avx512 = std::arch::is_x86_feature_detected!("avx512ifma")
            && std::arch::is_x86_feature_detected!("avx512vl");
        if cfg!(curve25519_dalek_backend = "avx512") && has_avx512 {
            return "avx512";
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return "avx2";
        }
    }
    "serial"
}

fn built_in() -> Vec<&'static str> {
    let mut built_in = vec!["serial"];
    if cfg!(target_arch = "x86_64") {
        built_in.insert(0, "avx2");
    }
    if cfg!(curve25519_dalek_backend = "avx512") {
        built_in.insert(0, "avx512");
    }
    built_in
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

//! `latchkey up`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::wait_for;
use crate::{output, up};

const EXAMPLES: &str = "\
With --json the first line on standard output is, once everything answers, one JSON object:
  {\"ready\":true,\"api\":URL,\"gateway\":URL,\"host\":{\"email\",\"password\"},\"sandbox_app\":{\"client_id\",…}}

Logs go to the error stream; LATCHKEY_LOG=info (or debug) shows more of them.

Examples:
  latchkey up
  latchkey up --json --listen 127.0.0.1:0 --gateway-listen 127.0.0.1:0 --data /tmp/try
  latchkey up --tls self && curl --cacert latchkey-data/tls/certificate.pem https://127.0.0.1:8080/health";

/// Start everything in one process: API, gateways, simulated cars. This is what `latchkey` alone does.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Address of the API; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the first car's gateway; the other cars take the ports after it.
    #[arg(long, default_value = "127.0.0.1:8081")]
    gateway_listen: SocketAddr,
    /// Directory of everything that is remembered.
    #[arg(long, default_value = "./latchkey-data")]
    data: PathBuf,
    /// Print one JSON line once ready.
    #[arg(long)]
    json: bool,
    /// Seed a demo host and cars also where the database is in use or the address not loopback.
    #[arg(long)]
    sandbox: bool,
    /// Certificate chain of the API, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the API's certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// `self` makes a certificate for this machine and keeps it in the data directory.
    #[arg(long, value_name = "self", value_parser = ["self"], conflicts_with = "tls_cert")]
    tls: Option<String>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            gateway_listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            data: PathBuf::from("./latchkey-data"),
            json: false,
            sandbox: false,
            tls_cert: None,
            tls_key: None,
            tls: None,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let tls = match (arguments.tls, arguments.tls_cert, arguments.tls_key) {
        (Some(_), ..) => up::Tls::SelfSigned,
        (None, Some(certificate), Some(key)) => up::Tls::Files { certificate, key },
        _ => up::Tls::Off,
    };
    output::log_to_stderr("warn");
    let options = up::Options {
        listen: arguments.listen,
        gateway_listen: arguments.gateway_listen,
        data: arguments.data,
        sandbox: arguments.sandbox,
        tls,
    };
    wait_for(serve(options, arguments.json))
}

async fn serve(options: up::Options, json: bool) -> anyhow::Result<ExitCode> {
    let running = tokio::select! {
        started = up::start(&options) => started?,
        result = up::interrupted() => {
            result?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let text = if json {
        format!("{}\n", running.ready_line())
    } else {
        running.greeting(&options)
    };
    let printed = output::print(&text);
    if printed.is_ok() {
        up::interrupted().await?;
    }
    if !json {
        output::say("stopping; once more Ctrl-C to stop at once");
    }
    tokio::select! {
        () = running.stop() => {}
        result = up::interrupted() => result?,
    }
    printed?;
    Ok(ExitCode::SUCCESS)
}

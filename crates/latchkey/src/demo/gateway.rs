//! A gateway as a process of its own: the same program, started again.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::device::car::Car;

/// How long a gateway may take until it is ready.
const START: Duration = Duration::from_secs(20);
const EXECUTIONS: &str = "executions.jsonl";

/// A running gateway process. Dropped, it is killed.
pub(super) struct GatewayProcess {
    child: Child,
    data: PathBuf,
    listen: SocketAddr,
    car: Car,
    pairing_code: Option<String>,
    _stdout: BufReader<ChildStdout>,
}

impl GatewayProcess {
    /// Starts a gateway with a simulated car; with an API it dials that, without one it is on its own.
    pub(super) async fn start(
        data: &Path,
        listen: SocketAddr,
        api: Option<&str>,
        brand: &str,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(data)?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(data.join("gateway.log"))?;
        let settings = json!({ "profile": { "brand": brand }, "executions_file": EXECUTIONS });
        let mut command = Command::new(this_program()?);
        command
            .arg("gateway")
            .arg("--data")
            .arg(data)
            .args(["--listen", &listen.to_string()])
            .args(["--car", &settings.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        if let Some(api) = api {
            command.args(["--api", api]);
        }
        let mut child = command.spawn().context("the gateway's process")?;
        let stdout = child.stdout.take().context("the gateway's output")?;
        let mut stdout = BufReader::new(stdout);
        let ready = ready_line(&mut stdout, data).await?;
        let url = ready["gateway"].as_str().context("the gateway's address")?;
        let address = url.trim_start_matches("http://").parse()?;
        Ok(Self {
            child,
            data: data.to_owned(),
            listen: address,
            car: Car::new(url)?,
            pairing_code: ready["pairing_code"].as_str().map(str::to_owned),
            _stdout: stdout,
        })
    }

    /// The local link, as a phone at the car reaches it.
    pub(super) fn car(&self) -> &Car {
        &self.car
    }

    /// Where the local link listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.listen
    }

    /// Its data directory.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Its process id, while it runs.
    pub(super) fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// The code shown at the car.
    pub(super) fn pairing_code(&self) -> anyhow::Result<&str> {
        self.pairing_code
            .as_deref()
            .context("the gateway shows no pairing code")
    }

    /// Kills the process without warning, and waits until it is gone.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// How often the car acted, by its own count.
    pub(super) fn executions(&self) -> anyhow::Result<usize> {
        let text = std::fs::read_to_string(self.data.join(EXECUTIONS))?;
        Ok(text.lines().count())
    }
}

/// The program that runs; on Linux also after a new build took its place on the disk.
fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
}

async fn ready_line(stdout: &mut BufReader<ChildStdout>, data: &Path) -> anyhow::Result<Value> {
    let mut line = String::new();
    let read = tokio::time::timeout(START, stdout.read_line(&mut line)).await;
    if !matches!(read, Ok(Ok(length)) if length > 0) {
        let log = std::fs::read_to_string(data.join("gateway.log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        bail!("the gateway did not start: {}", last.join(" / "));
    }
    Ok(serde_json::from_str(&line)?)
}

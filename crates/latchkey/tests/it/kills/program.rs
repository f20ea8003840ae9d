//! A program of the system as a process that can be killed and started again where it was.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long a start may take.
const START: Duration = Duration::from_secs(30);
/// How often an address that somebody else has for a moment is tried.
const TRIES: u32 = 100;

/// One program.
pub(super) struct Program {
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    running: Option<(Child, Lines<BufReader<ChildStdout>>)>,
}

impl Program {
    /// A program that does not run yet.
    pub(super) fn new(
        arguments: &[&str],
        environment: Vec<(&'static str, String)>,
        log: &Path,
    ) -> Self {
        Self {
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            environment,
            log: log.to_owned(),
            running: None,
        }
    }

    /// Starts it; its first line, which says that it is ready.
    pub(super) async fn start(&mut self) -> String {
        for _ in 0..TRIES {
            let mut child = self.spawn();
            let stdout = child.stdout.take().expect("a pipe");
            let mut lines = BufReader::new(stdout).lines();
            let first = timeout(START, lines.next_line()).await;
            if let Ok(Ok(Some(line))) = first {
                self.running = Some((child, lines));
                return line;
            }
            let _gone = child.kill().await;
            let said = self.log_text();
            let last = said.lines().last().unwrap_or_default();
            assert!(
                last.contains("in use"),
                "{:?} does not start: {last}",
                self.arguments
            );
        }
        panic!("{:?} finds its address taken", self.arguments);
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(&self.log);
        Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("LATCHKEY_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.expect("the log"))
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts")
    }

    /// Replaces an argument, for the address that the first start found.
    pub(super) fn set(&mut self, old: &str, new: &str) {
        for argument in &mut self.arguments {
            if argument == old {
                new.clone_into(argument);
            }
        }
        for (_, value) in &mut self.environment {
            if value == old {
                new.clone_into(value);
            }
        }
    }

    /// kill -9, and waits until it is gone.
    pub(super) async fn kill(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            child.kill().await.expect("it is ours to kill");
        }
    }

    /// Everything it logged, over all its lives.
    pub(super) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

//! Steps of the story: each is announced by what it proves, timed, and either holds or does not.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::output;

/// Longest time one step may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The steps walked so far.
pub(super) struct Steps {
    started: Instant,
    held: u32,
    failed: u32,
}

/// A step that did not hold; it was printed already.
#[derive(Debug, thiserror::Error)]
#[error("a step did not hold")]
pub(super) struct Failed;

/// What a step found: something for the steps after it, and something to print.
pub(super) struct Found<T>(pub(super) T, pub(super) String);

/// A step that only has something to say.
pub(super) fn said(text: impl Into<String>) -> anyhow::Result<Found<()>> {
    Ok(Found((), text.into()))
}

impl Steps {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            held: 0,
            failed: 0,
        }
    }

    /// Opens a new part of the story.
    pub(super) fn part(&self, title: &str) {
        self.print(&format!("\n{title}\n"));
    }

    /// Walks one step.
    pub(super) async fn step<T>(
        &mut self,
        what: impl Display,
        work: impl Future<Output = anyhow::Result<Found<T>>>,
    ) -> Result<T, Failed> {
        let begun = Instant::now();
        let ended = match tokio::time::timeout(PATIENCE, work).await {
            Ok(ended) => ended,
            Err(_) => Err(anyhow::anyhow!("nothing after {} s", PATIENCE.as_secs())),
        };
        let number = self.held + self.failed + 1;
        let took = begun.elapsed().as_millis();
        match ended {
            Ok(Found(value, detail)) => {
                self.held += 1;
                let detail = if detail.is_empty() {
                    String::new()
                } else {
                    format!(" – {detail}")
                };
                self.print(&format!("  ✓ {number:>2} {what}{detail}  ({took} ms)\n"));
                Ok(value)
            }
            Err(error) => {
                self.failed += 1;
                self.print(&format!(
                    "  ✗ {number:>2} {what}  ({took} ms)\n       {error:#}\n"
                ));
                Err(Failed)
            }
        }
    }

    /// Says how it went; whether every check held.
    pub(super) fn conclude(&self, finished: bool) -> bool {
        let seconds = self.started.elapsed().as_secs_f32();
        let held = self.failed == 0 && finished;
        let verdict = if held {
            format!("\n✓ all {} checks held in {seconds:.1} s\n", self.held)
        } else {
            format!(
                "\n✗ {} checks held, {} did not, and the story ended there ({seconds:.1} s)\n",
                self.held, self.failed
            )
        };
        self.print(&verdict);
        held
    }

    fn print(&self, text: &str) {
        // Nobody is left to be told if the output is closed; the exit code still tells.
        let _closed = output::print(text);
    }
}

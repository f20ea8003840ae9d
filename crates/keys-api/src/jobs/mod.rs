//! Background jobs. Each is idempotent and may run on several nodes at once.

mod advance_keys;
mod delete_old_rows;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::state::App;

/// How often the jobs run.
const EVERY: Duration = Duration::from_secs(60);

/// Runs the jobs until `stop`. A failed round is logged and tried again in the next.
pub async fn run(app: App, stop: CancellationToken) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => run_once(&app).await,
        }
    }
}

/// One round of every job. A failed job leaves the others running.
pub async fn run_once(app: &App) {
    tell(
        "delete old rows",
        app.db.retry(|| delete_old_rows::run(app)).await,
    );
    tell(
        "end what is over",
        app.db.retry(|| advance_keys::end(app)).await,
    );
    tell("renew links", advance_keys::renew(app).await);
    tell("sign waiting keys", advance_keys::sign(app).await);
    tell("refresh statements", advance_keys::refresh(app).await);
}

fn tell<E: std::error::Error>(job: &'static str, done: Result<u64, E>) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::debug!(job, count, "job done"),
        Err(error) => {
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::error!(job, %error, source, "job failed");
        }
    }
}

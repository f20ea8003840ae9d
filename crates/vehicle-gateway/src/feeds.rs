//! What goes on by itself: heads and states for the API, the passing of time, the status file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keys_core::envelope::{NO_REST, seal};
use keys_core::journal::{EntryKind, JournalHead};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::core::{Core, lock};
use crate::store::StoreError;
use crate::trust::Taken;

/// How often the car's state is read for the API.
const STATE_EVERY: Duration = Duration::from_secs(10);
/// How often it is told although nothing changed.
const STATE_AGAIN: Duration = Duration::from_secs(60);
/// How often time is let pass for what waits.
const TICK: Duration = Duration::from_secs(60);
/// How often the floor of the clock is written down, in ticks.
const FLOOR_TICKS: u32 = 10;
/// How often the status file is looked at although nothing was told.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// Pause between two looks at the status.
const STATUS_PAUSE: Duration = Duration::from_millis(250);

/// Tells the newest journal head until `stop`.
pub(crate) async fn heads(
    core: Arc<Core>,
    head: watch::Sender<Option<Vec<u8>>>,
    stop: CancellationToken,
) {
    loop {
        match sealed_head(&core) {
            Ok(sealed) => {
                head.send_replace(sealed);
            }
            Err(error) => {
                tracing::error!(error = %crate::error_chain(&error), "the journal head cannot be told");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.news.journal.notified() => {}
        }
    }
}

fn sealed_head(core: &Core) -> Result<Option<Vec<u8>>, StoreError> {
    let journal = core.store.journal()?;
    let (Some(vehicle), true) = (core.vehicle(), journal.entries > 0) else {
        return Ok(None);
    };
    let last = journal.last();
    let head = JournalHead {
        index: last.index,
        head: last.head,
        vehicle,
        time: core.interval().lo,
    };
    Ok(Some(seal(&head, &core.key, NO_REST)?.bytes))
}

/// Tells the car's state for display until `stop`: when it changed, and now and then.
pub(crate) async fn states(
    core: Arc<Core>,
    state: watch::Sender<Option<String>>,
    stop: CancellationToken,
) {
    let Some(connector) = core.connectors.primary() else {
        return;
    };
    let capabilities = connector.capabilities();
    let mut told: Option<(Value, Instant)> = None;
    loop {
        let read = timeout(STATE_EVERY, connector.state()).await;
        let now = Instant::now();
        let mut view = match &read {
            Ok(Ok(car)) => serde_json::to_value(car.view(now)).unwrap_or_default(),
            Ok(Err(_)) | Err(_) => json!({}),
        };
        let reachable = matches!(read, Ok(Ok(_)));
        let plain = without_ages(&view);
        let is_news = told
            .as_ref()
            .is_none_or(|(before, at)| *before != plain || now - *at >= STATE_AGAIN);
        if is_news {
            if let Some(fields) = view.as_object_mut() {
                fields.insert("reachable".to_owned(), json!(reachable));
                fields.insert("brand".to_owned(), json!(capabilities.brand));
                fields.insert("model".to_owned(), json!(capabilities.model));
                fields.insert("commands".to_owned(), json!(capabilities.commands));
            }
            state.send_replace(Some(view.to_string()));
            told = Some((plain, now));
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.news.car.notified() => {}
            () = sleep(STATE_EVERY) => {}
        }
    }
}

/// The values alone: ages change all the time.
fn without_ages(view: &Value) -> Value {
    let fields = view.as_object().into_iter().flatten();
    fields
        .map(|(name, aged)| (name.clone(), aged["value"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Lets time pass until `stop`: for a bundle that waits, for refusals told in one entry, for the floor.
pub(crate) async fn ticks(core: Arc<Core>, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut last_ms = core.now_ms();
    let mut count = 0u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now_ms = core.now_ms();
        let elapsed_s = now_ms.saturating_sub(last_ms) / 1_000;
        last_ms = now_ms;
        count = count.wrapping_add(1);
        if let Err(error) = core
            .tick(elapsed_s, count.is_multiple_of(FLOOR_TICKS))
            .await
        {
            tracing::error!(error = %crate::error_chain(&error), "the passing of time could not be stored");
        }
    }
}

impl Core {
    /// Lets `elapsed_s` seconds pass for everything that waits.
    pub(crate) async fn tick(&self, elapsed_s: u64, writes_floor: bool) -> Result<(), StoreError> {
        {
            let _gate = self.gate.lock().await;
            let waited = self
                .belief()
                .and_then(|belief| belief.trust.let_wait(elapsed_s, self.interval()));
            if let Some(Taken::Changed(next, change)) = waited {
                self.believe(*next, *change).await?;
            }
        }
        self.journal_aggregates().await?;
        if !self.interval().is_trusted() {
            let lost_for_s = self.admissions().lost_for_s;
            self.stored(move |store| store.clock_lost_for(lost_for_s))
                .await?;
        }
        if writes_floor {
            let floor = self.interval().lo;
            self.stored(move |store| store.raise_floor(floor)).await?;
        }
        Ok(())
    }

    /// Writes one entry for each key whose refusals got none of their own.
    pub(crate) async fn journal_aggregates(&self) -> Result<(), StoreError> {
        let aggregates = lock(&self.refusals).take();
        if aggregates.is_empty() {
            return Ok(());
        }
        for aggregate in aggregates {
            let mut entry = self.entry(EntryKind::Refusal);
            entry.links = aggregate.links;
            entry.count = Some(aggregate.count);
            entry.note = Some("aggregated".to_owned());
            self.stored(move |store| store.note(entry)).await?;
        }
        self.news.journal.notify_one();
        Ok(())
    }
}

/// Keeps the status file current until `stop`, then removes it.
pub(crate) async fn status_file(
    path: PathBuf,
    view: impl Fn() -> Value + Send + Sync + 'static,
    core: Arc<Core>,
    stop: CancellationToken,
) {
    let mut written = Value::Null;
    loop {
        let now = view();
        if now != written {
            match crate::status::write_file(&path, &now) {
                Ok(()) => written = now,
                Err(error) => tracing::warn!(%error, "the status file cannot be written"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = core.news.status.notified() => {}
            () = sleep(STATUS_EVERY) => {}
        }
        // Much may happen at once; a person who looks sees it soon enough.
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(STATUS_PAUSE) => {}
        }
    }
    let _ = std::fs::remove_file(path);
}

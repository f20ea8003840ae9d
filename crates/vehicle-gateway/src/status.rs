//! What `vehicle-gateway status` shows, of a running gateway and of a stopped one.
//!
//! A running gateway holds the lock on its store, so it keeps a small file beside it, written whole or
//! not at all and readable by its owner only. Nothing in it is secret but a pairing code while the car
//! is not paired, which whoever reads this file could make himself.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use keys_core::pairing::fingerprint_of;
use keys_core::signature::{Signer, VerifyingKey};
use keys_core::status::Authority;
use keys_core::time::ClockInterval;
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::store::{FILE, OpenError, Store, StoreError};
use crate::trust::Trust;

/// Name of the file in the data directory.
pub const STATUS_FILE: &str = "status.json";

impl Core {
    /// The status of this running gateway, as far as the core knows it.
    pub(crate) fn status(&self) -> Value {
        let clock = self.interval();
        let belief = self.belief();
        let mut view = stored_view(
            &self.store,
            self.gateway_key(),
            belief.as_ref().map(|belief| &*belief.trust),
        )
        .unwrap_or_else(|error| fields(json!({ "error": error.to_string() })));
        let unsigned: Map<String, Value> = self
            .unsigned
            .iter()
            .map(|(code, count)| (code.to_owned(), json!(count)))
            .collect();
        view.extend(fields(json!({
            "running": true,
            // Whole minutes: a floor that moves every second is no news.
            "clock": clock_view(ClockInterval { lo: minute(clock.lo), ..clock }),
            "in_contact": self.in_contact(),
            "replaced": belief.is_some_and(|belief| self.is_replaced(&belief.trust)),
            "unsigned_refusals": unsigned,
            "connectors": self.connectors.report(),
        })));
        Value::Object(view)
    }
}

fn minute(time: keys_core::time::Timestamp) -> keys_core::time::Timestamp {
    keys_core::time::Timestamp(time.0 / 60 * 60)
}

fn clock_view(clock: ClockInterval) -> Value {
    if clock.is_trusted() {
        json!({ "trusted": true, "not_before": clock.lo.to_string(), "error_s": clock.hi.since(clock.lo).min(60) / 10 * 10 })
    } else {
        json!({ "trusted": false, "not_before": clock.lo.to_string() })
    }
}

/// What the store alone tells.
fn stored_view(
    store: &Store,
    key: &VerifyingKey,
    trust: Option<&Trust>,
) -> Result<Map<String, Value>, StoreError> {
    let journal = store.journal()?;
    let mut view = fields(json!({
        "paired": trust.is_some(),
        "vehicle": trust.map(|trust| trust.vehicle.to_string()),
        "gateway_key": HEXLOWER.encode(key.as_bytes()),
        "fingerprint": fingerprint_of(key).to_string(),
        "journal": { "entries": journal.entries, "head": HEXLOWER.encode(&journal.head), "bytes": journal.bytes },
        "receipts_waiting": store.receipts_waiting()?,
        "unsettled": store.unsettled()?.len(),
    }));
    if let Some(trust) = trust {
        let seqs = trust.seqs();
        view.extend(fields(json!({
            "bundle": {
                "seq": seqs.bundle,
                "owner_keys": trust.bundle.owner_keys.len(),
                "waiting_seq": trust.waiting.as_ref().map(|waiting| waiting.bundle.seq),
            },
            "statements": {
                "owner_seq": seqs.owner,
                "platform_seq": seqs.platform,
                "newest": trust.board.newest(Authority::Platform).map(|held| held.issued_at.to_string()),
                "revoked": trust.board.revoked().count(),
                "least_generation": trust.board.least_generation(),
            },
            "anchors": trust.anchors.len(),
        })));
    }
    Ok(view)
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The gateway runs, and its status file cannot be read.
    #[error("a gateway runs on this data directory, and its status file cannot be read")]
    File(#[source] io::Error),
}

/// The status of the gateway in `directory`, whether it runs or not.
///
/// # Errors
/// [`StatusError`] if there is no gateway, or it cannot be read.
pub fn read(directory: &Path, journal_budget_bytes: u64) -> Result<Value, StatusError> {
    match Store::open_existing(directory, journal_budget_bytes) {
        Ok(store) => {
            let key = store.gateway_key()?;
            let trust = Trust::load(store.trust()?)?;
            let mut view = stored_view(&store, key.verifying_key(), trust.as_ref())?;
            view.insert("running".to_owned(), json!(false));
            view.insert(
                "clock".to_owned(),
                clock_view(ClockInterval::at_least(store.floor()?)),
            );
            Ok(Value::Object(view))
        }
        Err(OpenError::InUse(_)) => {
            let bytes = std::fs::read(directory.join(STATUS_FILE)).map_err(StatusError::File)?;
            serde_json::from_slice(&bytes).map_err(|error| StatusError::File(error.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes the file whole or not at all.
pub(crate) fn write_file(path: &Path, view: &Value) -> io::Result<()> {
    let fresh = path.with_extension("json.new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&fresh)?
        .write_all(view.to_string().as_bytes())?;
    std::fs::rename(fresh, path)
}

/// Whether a gateway was ever started in `directory`.
#[must_use]
pub fn exists(directory: &Path) -> bool {
    directory.join(FILE).exists()
}

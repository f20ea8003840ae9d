//! The journal from the disk of a gateway that does not run.

use std::path::Path;

use anyhow::Context;
use keys_core::envelope::{NO_REST, seal};
use keys_core::journal::JournalHead;
use keys_core::time::Timestamp;
use vehicle_gateway::store::Store;
use vehicle_gateway::trust::Trust;

use super::Export;

/// Most entries that are read at once.
const PIECE: usize = 1_000;
/// The journal's budget does not matter for reading it.
const BUDGET: u64 = 256 * 1024 * 1024;

impl Export {
    /// All entries of the gateway in `data`, and a head signed with its key; `now` is the head's time.
    /// A gateway that was never paired has nobody to sign a head for.
    pub(crate) fn from_store(data: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let store = Store::open_existing(data, BUDGET)
            .with_context(|| format!("`{}` cannot be exported", data.display()))?;
        let (mut export, mut from) = (Self::default(), 0);
        loop {
            let piece = store.entries(from, PIECE)?;
            if piece.is_empty() {
                break;
            }
            from += piece.len() as u64;
            export.entries.extend(piece);
        }
        let journal = store.journal()?;
        if let (Some(trust), Some(index)) =
            (Trust::load(store.trust()?)?, journal.entries.checked_sub(1))
        {
            let head = JournalHead {
                index,
                head: journal.head,
                vehicle: trust.vehicle,
                time: now,
            };
            let sealed = seal(&head, &store.gateway_key()?, NO_REST)?;
            export.heads.push(sealed.bytes);
        }
        Ok(export)
    }

    /// One JSON object a line, as [`Export::add`] reads it.
    pub(crate) fn to_json_lines(&self) -> String {
        let lines = |name: &str, list: &[Vec<u8>]| -> String {
            list.iter()
                .map(|bytes| format!("{{\"{name}\":\"{}\"}}\n", crate::describe::hex(bytes)))
                .collect()
        };
        lines("entry", &self.entries)
            + &lines("head", &self.heads)
            + &lines("receipt", &self.receipts)
    }
}

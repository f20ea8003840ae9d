//! What an auditor was handed: entries in their order, signed heads, receipts.

use keys_core::envelope::Unverified;
use keys_core::journal::{Entry, JournalHead};
use keys_core::receipt::Receipt;
use serde_json::Value;

use crate::input::decode_text;

/// Entries, heads and receipts, as bytes that nobody has checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Export {
    /// Journal entries, oldest first.
    pub(crate) entries: Vec<Vec<u8>>,
    /// Signed heads.
    pub(crate) heads: Vec<Vec<u8>>,
    /// Receipts.
    pub(crate) receipts: Vec<Vec<u8>>,
}

/// Text that holds no journal object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The line, from 1.
    pub(crate) line: usize,
}

impl Export {
    /// Adds what a file holds: one JSON document, or lines that are each a JSON object or the text
    /// (hex or base64url) of one object. In JSON, strings named `entry`, `head` and `receipt` count,
    /// at any depth.
    ///
    /// # Errors
    /// [`Unreadable`] at the first line that is none of these.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), Unreadable> {
        if let Ok(document) = serde_json::from_str::<Value>(text) {
            return self.add_json(&document).ok_or(Unreadable { line: 1 });
        }
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                self.add_line(line).ok_or(Unreadable { line: number + 1 })?;
            }
        }
        Ok(())
    }

    fn add_line(&mut self, line: &str) -> Option<()> {
        match serde_json::from_str::<Value>(line) {
            Ok(Value::String(text)) => self.add_object(decode_text(&text)?),
            Ok(value) if value.is_object() => self.add_json(&value)?,
            _ => self.add_object(decode_text(line)?),
        }
        Some(())
    }

    fn add_json(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.add_json(item)),
            Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
                match (name.as_str(), value.as_str()) {
                    ("entry", Some(text)) => self.entries.push(decode_text(text)?),
                    ("head", Some(text)) => self.heads.push(decode_text(text)?),
                    ("receipt", Some(text)) => self.receipts.push(decode_text(text)?),
                    _ => self.add_json(value)?,
                }
                Some(())
            }),
            _ => Some(()),
        }
    }

    /// Bytes that are no head and no receipt are an entry, perhaps a broken one.
    fn add_object(&mut self, bytes: Vec<u8>) {
        if Entry::decode(&bytes).is_err() {
            if Unverified::<JournalHead>::decode(&bytes).is_ok() {
                return self.heads.push(bytes);
            }
            if Unverified::<Receipt>::decode(&bytes).is_ok() {
                return self.receipts.push(bytes);
            }
        }
        self.entries.push(bytes);
    }
}

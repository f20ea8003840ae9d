//! JSON in one fixed layout, so that the files are the same bytes everywhere.

use std::fmt::Write as _;

/// A JSON value whose objects keep their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum J {
    Null,
    Bool(bool),
    Num(i64),
    Str(String),
    Arr(Vec<J>),
    Obj(Vec<(String, J)>),
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn obj<'a>(entries: impl IntoIterator<Item = (&'a str, J)>) -> J {
    J::Obj(
        entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

impl J {
    pub(crate) fn str(text: impl Into<String>) -> Self {
        Self::Str(text.into())
    }

    pub(crate) fn hex(bytes: &[u8]) -> Self {
        Self::Str(hex(bytes))
    }

    pub(crate) fn num(value: u64) -> Self {
        Self::Num(i64::try_from(value).expect("vectors hold no larger numbers"))
    }

    pub(crate) fn list(items: impl IntoIterator<Item = J>) -> Self {
        Self::Arr(items.into_iter().collect())
    }

    /// On one line.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Num(value) => value.to_string(),
            Self::Str(text) => quote(text),
            Self::Arr(items) => {
                let items: Vec<String> = items.iter().map(Self::line).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Obj(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(name, value)| format!("{}: {}", quote(name), value.line()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    /// A file: objects and lists of objects over several lines down to the cases, the rest on one line.
    pub(crate) fn file(&self) -> String {
        let mut text = String::new();
        self.spread(0, &mut text);
        text.push('\n');
        text
    }

    fn spread(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth + 1);
        match self {
            Self::Obj(entries) if depth < 4 && self.line().len() > 80 => {
                out.push_str("{\n");
                for (index, (name, value)) in entries.iter().enumerate() {
                    let _infallible = write!(out, "{indent}{}: ", quote(name));
                    value.spread(depth + 1, out);
                    out.push_str(if index + 1 < entries.len() {
                        ",\n"
                    } else {
                        "\n"
                    });
                }
                let _infallible = write!(out, "{}}}", "  ".repeat(depth));
            }
            Self::Arr(items) if depth < 4 && items.iter().any(|item| item.line().len() > 60) => {
                out.push_str("[\n");
                for (index, item) in items.iter().enumerate() {
                    out.push_str(&indent);
                    item.spread(depth + 1, out);
                    out.push_str(if index + 1 < items.len() { ",\n" } else { "\n" });
                }
                let _infallible = write!(out, "{}]", "  ".repeat(depth));
            }
            _ => out.push_str(&self.line()),
        }
    }
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Every refusal code, in their order.
pub(crate) const ALL_CODES: [&str; 31] = [
    "malformed",
    "too-large",
    "wrong-vehicle",
    "unknown-signer",
    "bad-signature",
    "widened",
    "unsupported",
    "expired",
    "not-yet-valid",
    "outside-hours",
    "outside-area",
    "location-unknown",
    "state-stale",
    "car-moving",
    "ignition-on",
    "not-entitled",
    "presence-needed",
    "too-far",
    "uses-spent",
    "revoked",
    "suspended",
    "old-generation",
    "statement-too-old",
    "clock-untrusted",
    "mandate-exceeded",
    "replayed",
    "challenge-expired",
    "wrong-challenge",
    "command-expired",
    "busy",
    "rate-limited",
];

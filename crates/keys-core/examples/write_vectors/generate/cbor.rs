//! A CBOR value that is written in the shortest form, and by hand where it must be wrong.

use super::json::J;

/// One CBOR item.
#[derive(Debug, Clone)]
pub(crate) enum V {
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<V>),
    Map(Vec<(i64, V)>),
    /// Bytes that stand for an item as they are.
    Raw(Vec<u8>),
}

pub(crate) fn n(value: u64) -> V {
    V::Int(i64::try_from(value).expect("vectors hold no larger numbers"))
}

pub(crate) fn b(bytes: &[u8]) -> V {
    V::Bytes(bytes.to_vec())
}

pub(crate) fn t(text: &str) -> V {
    V::Text(text.to_owned())
}

pub(crate) fn a(items: impl IntoIterator<Item = V>) -> V {
    V::Array(items.into_iter().collect())
}

pub(crate) fn m(entries: impl IntoIterator<Item = (i64, V)>) -> V {
    V::Map(entries.into_iter().collect())
}

pub(crate) fn raw(bytes: &[u8]) -> V {
    V::Raw(bytes.to_vec())
}

/// A number whose head has 8 bytes after the first, whatever it needs.
pub(crate) fn long(value: u64) -> V {
    let mut bytes = vec![0x1b];
    bytes.extend(value.to_be_bytes());
    V::Raw(bytes)
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let bytes = argument.to_be_bytes();
    let (info, used) = match argument {
        0..=23 => (bytes[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    out.push(major << 5 | info);
    out.extend_from_slice(&bytes[8 - used..]);
}

fn int(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        head(1, value.unsigned_abs() - 1, out);
    } else {
        head(0, value.unsigned_abs(), out);
    }
}

impl V {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => int(*value, out),
            Self::Bytes(bytes) => {
                head(2, bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Self::Text(text) => {
                head(3, text.len() as u64, out);
                out.extend_from_slice(text.as_bytes());
            }
            Self::Array(items) => {
                head(4, items.len() as u64, out);
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(entries) => {
                head(5, entries.len() as u64, out);
                for (key, value) in entries {
                    int(*key, out);
                    value.write(out);
                }
            }
            Self::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// The map with an entry put in its place, or replaced.
    pub(crate) fn with(&self, key: i64, value: V) -> Self {
        let Self::Map(entries) = self.without(key) else {
            unreachable!("`without` gives a map")
        };
        let mut entries = entries;
        // Keys ascend by their encoded bytes: 0, 1, …, then -1, -2, …
        let rank = |key: i64| (key < 0, key.unsigned_abs());
        let place = entries.partition_point(|(other, _)| rank(*other) < rank(key));
        entries.insert(place, (key, value));
        Self::Map(entries)
    }

    /// The map without an entry.
    pub(crate) fn without(&self, key: i64) -> Self {
        let Self::Map(entries) = self else {
            panic!("only maps have entries")
        };
        Self::Map(
            entries
                .iter()
                .filter(|(other, _)| *other != key)
                .cloned()
                .collect(),
        )
    }

    /// The value of an entry.
    pub(crate) fn get(&self, key: i64) -> &V {
        let Self::Map(entries) = self else {
            panic!("only maps have entries")
        };
        entries
            .iter()
            .find(|(other, _)| *other == key)
            .map_or_else(|| panic!("no entry {key}"), |(_, value)| value)
    }

    /// The map with an entry changed.
    pub(crate) fn change(&self, key: i64, change: impl FnOnce(&V) -> V) -> Self {
        self.with(key, change(self.get(key)))
    }

    /// As vectors print decoded items: numbers, text, `h'…'` for bytes, lists, objects.
    pub(crate) fn to_json(&self) -> J {
        match self {
            Self::Int(value) => J::Num(*value),
            Self::Bytes(bytes) => J::str(format!("h'{}'", super::json::hex(bytes))),
            Self::Text(text) => J::str(text),
            Self::Array(items) => J::Arr(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => J::Obj(
                entries
                    .iter()
                    .map(|(key, value)| (key.to_string(), value.to_json()))
                    .collect(),
            ),
            Self::Raw(_) => panic!("a raw item has no decoded form"),
        }
    }
}

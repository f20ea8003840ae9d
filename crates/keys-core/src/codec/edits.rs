//! For tests: every small way in which an encoded object can be wrong.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

use super::{Reader, Writer};
use crate::envelope::Body;

type Entries = Vec<(i64, Item)>;

/// A CBOR item, kept loosely enough to be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Int(i64),
    /// A small number in two bytes instead of one.
    Long(u8),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Item>),
    Map(Entries),
}

impl Item {
    fn read(reader: &mut Reader<'_>) -> Self {
        if let Ok(bytes) = reader.clone().bytes() {
            reader.bytes().unwrap();
            return Self::Bytes(bytes.to_vec());
        }
        if let Ok(text) = reader.clone().text(1_024) {
            reader.text(1_024).unwrap();
            return Self::Text(text.to_owned());
        }
        if let Ok(value) = reader.clone().int() {
            reader.int().unwrap();
            return Self::Int(value);
        }
        if let Ok(count) = reader.clone().array() {
            reader.array().unwrap();
            return Self::Array((0..count).map(|_| Self::read(reader)).collect());
        }
        let mut map = reader.map().unwrap();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key(reader).unwrap() {
            entries.push((key, Self::read(reader)));
        }
        Self::Map(entries)
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Int(value) => {
                writer.int(*value);
            }
            Self::Long(value) => {
                writer.raw(&[0x18, *value]);
            }
            Self::Bytes(bytes) => {
                writer.bytes(bytes);
            }
            Self::Text(text) => {
                writer.text(text);
            }
            Self::Array(items) => {
                writer.array(items.len());
                items.iter().for_each(|item| item.write(writer));
            }
            Self::Map(entries) => {
                writer.map(entries.len());
                for (key, item) in entries {
                    writer.int(*key);
                    item.write(writer);
                }
            }
        }
    }

    /// Every edit of this item and of those inside, each with a label such as `remove /4/1`.
    fn edits(&self, path: &str) -> Vec<(String, Self)> {
        let mut edits = Vec::new();
        let mut edit = |what: &str, item: Self| edits.push((format!("{what} {path}"), item));
        match self {
            Self::Int(value) => {
                edit("type", Self::Text("1".to_owned()));
                if let Ok(small @ 0..=23) = u8::try_from(*value) {
                    edit("long", Self::Long(small));
                }
            }
            Self::Long(_) => {}
            Self::Bytes(bytes) => {
                edit("type", Self::Array(Vec::new()));
                edit("longer", Self::Bytes([&bytes[..], &[0]].concat()));
                if let Some((_, shorter)) = bytes.split_last() {
                    edit("shorter", Self::Bytes(shorter.to_vec()));
                }
            }
            Self::Text(text) => edit("type", Self::Bytes(text.clone().into_bytes())),
            Self::Array(items) => {
                edit("type", Self::Int(0));
                edit("push", Self::Array([&items[..], &[Self::Int(0)]].concat()));
                if let Some((_, fewer)) = items.split_last() {
                    edit("pop", Self::Array(fewer.to_vec()));
                }
                for (index, item) in items.iter().enumerate() {
                    for (label, changed) in item.edits(&format!("{path}/{index}")) {
                        let mut items = items.clone();
                        items[index] = changed;
                        edits.push((label, Self::Array(items)));
                    }
                }
            }
            Self::Map(entries) => edits.extend(Self::map_edits(entries, path)),
        }
        edits
    }

    fn map_edits(entries: &[(i64, Self)], path: &str) -> Vec<(String, Self)> {
        let mut edits = Vec::new();
        let mut edit = |label: String, change: &dyn Fn(&mut Entries)| {
            let mut entries = entries.to_vec();
            change(&mut entries);
            edits.push((label, Self::Map(entries)));
        };
        let negatives = entries.iter().position(|(key, _)| *key < 0);
        let last_positive = negatives.unwrap_or(entries.len());
        if !entries.is_empty() {
            edit(format!("empty {path}"), &|entries| entries.clear());
        }
        edit(format!("unknown {path}"), &|entries| {
            entries.insert(last_positive, (1_000, Self::Int(0)));
        });
        edit(format!("unknown negative {path}"), &|entries| {
            entries.push((-100_000, Self::Int(0)));
        });
        for (index, (key, item)) in entries.iter().enumerate() {
            edit(format!("remove {path}/{key}"), &|entries| {
                entries.remove(index);
            });
            edit(format!("double {path}/{key}"), &|entries| {
                entries.insert(index, entries[index].clone());
            });
            if index > 0 {
                edit(format!("swap {path}/{key}"), &|entries| {
                    entries.swap(index - 1, index);
                });
            }
            for (label, changed) in item.edits(&format!("{path}/{key}")) {
                edit(label, &|entries| entries[index].1 = changed.clone());
            }
        }
        edits
    }
}

/// Asserts that `decode` takes `encoded`, and of all its edits exactly those of these labels.
pub(crate) fn assert_strict(encoded: &[u8], decode: impl Fn(&[u8]) -> bool, harmless: &[&str]) {
    assert!(decode(encoded), "the object itself");
    let mut reader = Reader::new(encoded);
    let item = Item::read(&mut reader);
    assert!(reader.finish().is_ok());
    let mut met = Vec::new();
    for (label, edit) in item.edits("") {
        let mut writer = Writer::new();
        edit.write(&mut writer);
        let taken = decode(&writer.into_bytes());
        assert_eq!(taken, harmless.contains(&&label[..]), "{label}");
        met.push(label);
    }
    for label in harmless {
        assert!(met.iter().any(|met| met == label), "no such edit: {label}");
    }
    for end in 0..encoded.len() {
        assert!(!decode(&encoded[..end]), "cut at {end}");
    }
    assert!(!decode(&[encoded, &[0]].concat()), "trailing byte");
}

/// The payload of a body.
pub(crate) fn payload<T: Body>(body: &T) -> Vec<u8> {
    let mut writer = Writer::new();
    body.write(&mut writer);
    writer.into_bytes()
}

/// Reads a whole payload.
pub(crate) fn read_payload<T: Body>(payload: &[u8]) -> Result<T, super::DecodeError> {
    let mut reader = Reader::new(payload);
    let body = T::read(&mut reader)?;
    reader.finish()?;
    Ok(body)
}

/// Asserts that a body comes back as written, and that of its edits exactly the harmless ones are taken.
pub(crate) fn assert_body<T: Body + PartialEq + Debug>(body: &T, harmless: &[&str]) {
    let encoded = payload(body);
    assert_eq!(read_payload::<T>(&encoded).as_ref(), Ok(body));
    assert_strict(&encoded, |bytes| read_payload::<T>(bytes).is_ok(), harmless);
}

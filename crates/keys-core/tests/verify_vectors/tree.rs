//! Bytes as the tree of their CBOR items, in the form vectors print them. It judges nothing.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

/// The tree of one item; the bytes are known to be well-formed.
pub(super) fn tree(bytes: &[u8]) -> Value {
    let mut at = 0;
    let value = item(bytes, &mut at);
    assert_eq!(at, bytes.len(), "one item and no more");
    value
}

/// The payload of a signed object.
pub(super) fn payload(object: &[u8]) -> Vec<u8> {
    let parts = tree(object);
    let text = parts[2].as_str().expect("the payload is a byte string");
    let hex = text.trim_start_matches("h'").trim_end_matches('\'');
    HEXLOWER
        .decode(hex.as_bytes())
        .expect("bytes are printed in hex")
}

fn head(bytes: &[u8], at: &mut usize) -> (u8, u64) {
    let first = bytes[*at];
    *at += 1;
    let count = match first & 0x1f {
        small @ 0..=23 => return (first >> 5, u64::from(small)),
        24 => 1,
        25 => 2,
        26 => 4,
        _ => 8,
    };
    let argument = bytes[*at..*at + count]
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    *at += count;
    (first >> 5, argument)
}

fn item(bytes: &[u8], at: &mut usize) -> Value {
    let (major, argument) = head(bytes, at);
    let signed = i64::try_from(argument).expect("vectors hold no larger numbers");
    let length = usize::try_from(argument).expect("vectors hold nothing longer");
    let take = |at: &mut usize| {
        let taken = &bytes[*at..*at + length];
        *at += length;
        taken
    };
    match major {
        0 => json!(signed),
        1 => json!(-1 - signed),
        2 => json!(format!("h'{}'", HEXLOWER.encode(take(at)))),
        3 => json!(core::str::from_utf8(take(at)).expect("text is UTF-8")),
        4 => (0..length).map(|_| item(bytes, at)).collect(),
        _ => {
            let mut map = Map::new();
            for _ in 0..length {
                let key = item(bytes, at).to_string();
                map.insert(key, item(bytes, at));
            }
            Value::Object(map)
        }
    }
}

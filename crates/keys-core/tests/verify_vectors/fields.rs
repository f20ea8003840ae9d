//! Fields of a case.

use data_encoding::HEXLOWER;
use keys_core::signature::VerifyingKey;
use serde_json::Value;

/// A field that must be there; it may be null.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value
        .get(name)
        .unwrap_or_else(|| panic!("no field `{name}` in {value}"))
}

/// A field that is neither absent nor null.
pub(crate) fn stated<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// A text field.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    field(value, name)
        .as_str()
        .unwrap_or_else(|| panic!("`{name}` is no text"))
}

/// A number field.
pub(crate) fn uint(value: &Value, name: &str) -> u64 {
    field(value, name)
        .as_u64()
        .unwrap_or_else(|| panic!("`{name}` is no number"))
}

/// A yes/no field.
pub(crate) fn flag(value: &Value, name: &str) -> bool {
    field(value, name)
        .as_bool()
        .unwrap_or_else(|| panic!("`{name}` is neither true nor false"))
}

/// A list field.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    field(value, name)
        .as_array()
        .unwrap_or_else(|| panic!("`{name}` is no list"))
}

/// Bytes in hex.
pub(crate) fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex is text");
    HEXLOWER
        .decode(text.as_bytes())
        .unwrap_or_else(|_| panic!("not hex: {text}"))
}

/// A field of bytes in hex.
pub(crate) fn bytes(value: &Value, name: &str) -> Vec<u8> {
    unhex(field(value, name))
}

/// A public key in hex.
pub(crate) fn key(value: &Value) -> VerifyingKey {
    let bytes: [u8; 32] = unhex(value).try_into().expect("a key has 32 bytes");
    VerifyingKey::decode(&bytes).expect("a trusted key is usable")
}

/// Every text inside a value.
pub(crate) fn strings(value: &Value, take: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, take)),
        Value::Object(entries) => entries.values().for_each(|item| strings(item, take)),
        _ => {}
    }
}

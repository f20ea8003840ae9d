//! Readers for single values, to be named in [`crate::read_fields!`].

use std::fmt::Display;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use keys_core::signature::VerifyingKey;
use keys_core::time::Timestamp;
use serde_json::Value;

use super::fields::{At, FromFields};
use crate::secret::Secret;

/// Text of `least` to `most` characters without control characters, trimmed.
pub fn text(least: usize, most: usize) -> impl Fn(At<'_>) -> Option<String> {
    move |at| {
        let Value::String(text) = at.value() else {
            return at.refuse("expected a text");
        };
        let text = text.trim();
        if !(least..=most).contains(&text.chars().count()) {
            return at.refuse(format!("expected {least} to {most} characters"));
        }
        if text.chars().any(char::is_control) {
            return at.refuse("expected no control characters");
        }
        Some(text.to_owned())
    }
}

/// A secret of `least` to `most` bytes, taken as it is.
pub fn secret(least: usize, most: usize) -> impl Fn(At<'_>) -> Option<Secret> {
    move |at| match at.value() {
        Value::String(text) if (least..=most).contains(&text.len()) => {
            Some(Secret::new(text.clone()))
        }
        Value::String(_) => at.refuse(format!("expected {least} to {most} bytes")),
        _ => at.refuse("expected a text"),
    }
}

/// Text of at most 256 characters that parses as `T`.
pub fn parsed<T>(at: At<'_>) -> Option<T>
where
    T: FromStr<Err: Display>,
{
    match at.value() {
        Value::String(text) if text.len() <= 256 => match text.parse() {
            Ok(value) => Some(value),
            Err(error) => at.refuse(T::Err::to_string(&error)),
        },
        Value::String(_) => at.refuse("expected at most 256 bytes"),
        _ => at.refuse("expected a text"),
    }
}

/// A whole number from `least` to `most`.
pub fn uint(least: u64, most: u64) -> impl Fn(At<'_>) -> Option<u64> {
    move |at| {
        let number = match at.value() {
            Value::String(_) => at.query_text().and_then(|text| text.parse().ok()),
            other => other.as_u64(),
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => at.refuse(format!("expected a whole number from {least} to {most}")),
        }
    }
}

/// `true` or `false`.
pub fn boolean(at: At<'_>) -> Option<bool> {
    match at.value() {
        Value::Bool(value) => Some(*value),
        _ => match at.query_text() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => at.refuse("expected true or false"),
        },
    }
}

/// Bytes as unpadded base64url, `least` to `most` of them.
pub fn bytes(least: usize, most: usize) -> impl Fn(At<'_>) -> Option<Vec<u8>> {
    move |at| {
        let Value::String(text) = at.value() else {
            return at.refuse("expected base64url text");
        };
        match BASE64URL_NOPAD.decode(text.as_bytes()) {
            Ok(bytes) if (least..=most).contains(&bytes.len()) => Some(bytes),
            Ok(bytes) => at.refuse(format!(
                "has {} bytes, expected {least} to {most}",
                bytes.len()
            )),
            Err(_) => at.refuse("expected base64url without padding"),
        }
    }
}

/// Exactly `N` bytes as unpadded base64url.
pub fn array<const N: usize>(at: At<'_>) -> Option<[u8; N]> {
    bytes(N, N)(at).and_then(|bytes| bytes.try_into().ok())
}

/// An Ed25519 public key as unpadded base64url.
pub fn verifying_key(at: At<'_>) -> Option<VerifyingKey> {
    match VerifyingKey::decode(&array(at)?) {
        Ok(key) => Some(key),
        Err(_) => at.refuse("expected an Ed25519 public key"),
    }
}

/// An RFC 3339 time, to the second.
pub fn time(at: At<'_>) -> Option<Timestamp> {
    let Value::String(text) = at.value() else {
        return at.refuse("expected an RFC 3339 time");
    };
    match super::time::parse(text) {
        Some(time) => Some(time),
        None => {
            at.refuse("expected an RFC 3339 time in whole seconds, such as 2026-11-23T08:00:00Z")
        }
    }
}

/// A list of `least` to `most` values, each read by `each`.
pub fn list<T>(
    least: usize,
    most: usize,
    each: impl Fn(At<'_>) -> Option<T>,
) -> impl Fn(At<'_>) -> Option<Vec<T>> {
    move |at| {
        let Value::Array(values) = at.value() else {
            return at.refuse("expected a list");
        };
        if !(least..=most).contains(&values.len()) {
            return at.refuse(format!("expected {least} to {most} entries"));
        }
        // All are read before the list fails, so that every wrong one is named.
        let elements = values.iter().enumerate();
        let read: Vec<Option<T>> = elements
            .map(|(index, value)| at.element(index, value, &each))
            .collect();
        read.into_iter().collect()
    }
}

/// A nested object.
pub fn object<T: FromFields>(at: At<'_>) -> Option<T> {
    at.object()
}

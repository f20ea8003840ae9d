//! Signed objects and keys as people hand them over: hex, base64url, a file, or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use keys_core::entitlement::Entitlements;
use keys_core::id::VehicleId;
use keys_core::signature::VerifyingKey;
use keys_core::time::Timestamp;

/// Longest object that is read, as text.
const OBJECT_BYTES: u64 = 64 * 1024;

/// Reads an object from `-` (standard input), a file, or the text itself.
pub(crate) fn object(text: &str) -> anyhow::Result<Vec<u8>> {
    if text == "-" {
        return from_reader(io::stdin().lock()).context("standard input");
    }
    if Path::new(text).is_file() {
        let file = File::open(text).with_context(|| format!("cannot open `{text}`"))?;
        return from_reader(file).with_context(|| format!("`{text}`"));
    }
    decode_text(text.trim()).with_context(|| {
        format!("`{text}` is neither a file nor hex nor base64url; use `-` for standard input")
    })
}

fn from_reader(reader: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(OBJECT_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > OBJECT_BYTES {
        bail!("more than {OBJECT_BYTES} bytes, expected one object");
    }
    let text = std::str::from_utf8(&content).ok().map(str::trim);
    Ok(text.and_then(decode_text).unwrap_or(content))
}

/// Hex in either case, else base64url with or without padding.
pub(crate) fn decode_text(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .or_else(|_| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()))
        .ok()
}

/// Reads a public key: 32 bytes in hex or base64url.
pub(crate) fn public_key(text: &str) -> Result<VerifyingKey, String> {
    let bytes: [u8; 32] = decode_text(text)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("expected 32 bytes in hex or base64url")?;
    VerifyingKey::decode(&bytes).map_err(|error| error.to_string())
}

/// Reads a vehicle id: a UUID, `veh_` and a UUID, or the 22 characters of `aud`.
pub(crate) fn vehicle(text: &str) -> Result<VehicleId, String> {
    let bare = text.strip_prefix("veh_").unwrap_or(text);
    VehicleId::from_aud(bare)
        .ok()
        .or_else(|| bare.parse().ok())
        .ok_or_else(|| "expected a UUID, veh_UUID, or the 22 characters of aud".to_owned())
}

/// Reads entitlements: names with commas between.
pub(crate) fn entitlements(text: &str) -> Result<Entitlements, String> {
    text.split(',')
        .map(str::trim)
        .try_fold(Entitlements::NONE, |set, name| {
            match Entitlements::from_name(name) {
                Some(one) if one != Entitlements::SIGN_STATUS => Ok(set | one),
                _ => Err(format!(
                    "`{name}`: expected unlock, lock, enable_driving, open_trunk, charge_port, remote or locate, with commas between"
                )),
            }
        })
}

/// Reads a time: RFC 3339, or seconds since 1970.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Timestamp(seconds));
    }
    chrono::DateTime::parse_from_rfc3339(text)
        .ok()
        .and_then(|time| u64::try_from(time.timestamp()).ok())
        .map(Timestamp)
        .ok_or_else(|| {
            "expected a time such as 2026-12-24T18:00:00Z, or seconds since 1970".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_hex_or_base64url() {
        assert_eq!(decode_text("8501"), Some(vec![0x85, 0x01]));
        assert_eq!(decode_text("hQE"), Some(vec![0x85, 0x01]));
        assert_eq!(decode_text("hQE="), Some(vec![0x85, 0x01]));
        assert_eq!(decode_text("not a key"), None);
        assert_eq!(decode_text(""), None);
    }

    #[test]
    fn a_vehicle_is_named_in_three_ways() {
        let uuid = "0197c0de-0000-7000-8000-000000000001";
        let id = vehicle(uuid).expect("a UUID");
        assert_eq!(vehicle(&format!("veh_{uuid}")), Ok(id));
        assert_eq!(vehicle(&id.to_aud()), Ok(id));
        assert!(vehicle("KNDJ23AU4N7000001").is_err());
    }

    #[test]
    fn a_time_is_read_as_rfc_3339_or_seconds() {
        assert_eq!(time("2026-07-01T12:00:00Z"), Ok(Timestamp(1_782_907_200)));
        assert_eq!(
            time("2026-07-01T14:00:00+02:00"),
            Ok(Timestamp(1_782_907_200))
        );
        assert_eq!(time("1782907200"), Ok(Timestamp(1_782_907_200)));
        assert!(time("tomorrow").is_err());
    }
}

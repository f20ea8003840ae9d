//! Bytes as answers show them: base64url without padding.

use data_encoding::BASE64URL_NOPAD;

/// `bytes` as unpadded base64url.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

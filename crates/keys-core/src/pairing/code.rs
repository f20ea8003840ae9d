//! What the car shows for pairing: fingerprint of the gateway key and a secret, and their text form.
//!
//! Source: ck1 section 7.

use core::fmt;
use core::str::FromStr;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::signature::VerifyingKey;

/// Length of each half of a pairing code in bytes (ck1 section 7).
pub const CODE_HALF_BYTES: usize = 10;

const CODE_SYMBOLS: usize = 32;
const FINGERPRINT_SYMBOLS: usize = CODE_SYMBOLS / 2;
const SYMBOLS_PER_GROUP: usize = 4;

/// Why a text is no pairing code or fingerprint. Never carries what was typed: half of a code is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairingCodeError {
    /// The byte at this offset, counted from 0, is no symbol of base32, space or hyphen.
    #[error("character at position {0} is not one of A-Z, 2-7, space or hyphen")]
    Symbol(usize),
    /// The number of symbols, spaces and hyphens left out, is wrong.
    #[error("text has {found} symbols, expected {expected}")]
    Length {
        /// Symbols found.
        found: usize,
        /// Symbols in a whole text of this kind.
        expected: usize,
    },
}

/// The public half of a pairing code: the first ten bytes of SHA-256 over the gateway's 32 key bytes.
///
/// Text form: 16 symbols of base32 (RFC 4648), upper case, no padding.
///
/// Source: ck1 section 7.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyFingerprint([u8; CODE_HALF_BYTES]);

impl KeyFingerprint {
    /// The ten bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; CODE_HALF_BYTES] {
        &self.0
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE32_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFingerprint({self})")
    }
}

impl FromStr for KeyFingerprint {
    type Err = PairingCodeError;

    /// Reads 16 symbols; lower case, spaces and hyphens are accepted.
    fn from_str(text: &str) -> Result<Self, PairingCodeError> {
        let symbols = read_symbols::<FINGERPRINT_SYMBOLS>(text)?;
        let mut bytes = [0; CODE_HALF_BYTES];
        decode_symbols(&*symbols, &mut bytes);
        Ok(Self(bytes))
    }
}

/// The fingerprint of a gateway key.
///
/// Source: ck1 section 7.
#[must_use]
pub fn fingerprint_of(gateway_key: &VerifyingKey) -> KeyFingerprint {
    let digest: [u8; 32] = Sha256::digest(gateway_key.as_bytes()).into();
    let mut half = [0; CODE_HALF_BYTES];
    half.copy_from_slice(&digest[..CODE_HALF_BYTES]);
    KeyFingerprint(half)
}

/// The secret half of a pairing code: ten random bytes, known at the car and to whoever read the code there.
///
/// Does not print, is wiped on drop and compared in constant time.
///
/// Source: ck1 section 7.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PairingSecret(pub(super) [u8; CODE_HALF_BYTES]);

impl PairingSecret {
    /// Takes ten bytes that the caller drew from the operating system's randomness.
    #[must_use]
    pub const fn new(random: [u8; CODE_HALF_BYTES]) -> Self {
        Self(random)
    }
}

impl PartialEq for PairingSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PairingSecret {}

impl fmt::Debug for PairingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingSecret(redacted)")
    }
}

/// What the car shows: fingerprint of the gateway key, then the secret; 32 symbols of base32.
///
/// Printing needs [`PairingCode::reveal`], so that no log line shows a code by accident.
///
/// Source: ck1 section 7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingCode {
    fingerprint: KeyFingerprint,
    secret: PairingSecret,
}

impl PairingCode {
    /// Makes the code of a gateway.
    #[must_use]
    pub fn new(gateway_key: &VerifyingKey, secret: PairingSecret) -> Self {
        Self {
            fingerprint: fingerprint_of(gateway_key),
            secret,
        }
    }

    /// The public half, by which both sides find each other at the API.
    #[must_use]
    pub const fn fingerprint(&self) -> &KeyFingerprint {
        &self.fingerprint
    }

    /// The secret half.
    #[must_use]
    pub const fn secret(&self) -> &PairingSecret {
        &self.secret
    }

    /// The code as text for a screen at the car: upper case, groups of four with hyphens between.
    #[must_use]
    pub const fn reveal(&self) -> RevealedCode<'_> {
        RevealedCode(self)
    }
}

impl FromStr for PairingCode {
    type Err = PairingCodeError;

    /// Reads 32 symbols; lower case, spaces and hyphens are accepted.
    fn from_str(text: &str) -> Result<Self, PairingCodeError> {
        let symbols = read_symbols::<CODE_SYMBOLS>(text)?;
        let (mut fingerprint, mut secret) =
            ([0; CODE_HALF_BYTES], PairingSecret([0; CODE_HALF_BYTES]));
        let (public, private) = symbols.split_at(FINGERPRINT_SYMBOLS);
        decode_symbols(public, &mut fingerprint);
        decode_symbols(private, &mut secret.0);
        Ok(Self {
            fingerprint: KeyFingerprint(fingerprint),
            secret,
        })
    }
}

/// A pairing code that may be printed; made by [`PairingCode::reveal`].
pub struct RevealedCode<'a>(&'a PairingCode);

impl fmt::Display for RevealedCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut symbols = Zeroizing::new([0; CODE_SYMBOLS]);
        let (public, private) = symbols.split_at_mut(FINGERPRINT_SYMBOLS);
        BASE32_NOPAD.encode_mut(&self.0.fingerprint.0, public);
        BASE32_NOPAD.encode_mut(&self.0.secret.0, private);
        for (position, symbol) in symbols.iter().enumerate() {
            if position > 0 && position % SYMBOLS_PER_GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

/// Leaves out spaces and hyphens, raises lower case, and checks that exactly `N` symbols of base32 remain.
fn read_symbols<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, PairingCodeError> {
    let mut symbols = Zeroizing::new([0; N]);
    let mut found = 0;
    for (position, byte) in text.bytes().enumerate() {
        let symbol = byte.to_ascii_uppercase();
        match symbol {
            b' ' | b'-' => continue,
            b'A'..=b'Z' | b'2'..=b'7' => {}
            _ => return Err(PairingCodeError::Symbol(position)),
        }
        if let Some(slot) = symbols.get_mut(found) {
            *slot = symbol;
        }
        found += 1;
    }
    if found == N {
        Ok(symbols)
    } else {
        Err(PairingCodeError::Length { found, expected: N })
    }
}

/// Decodes 16 symbols, each known to be of base32, into ten bytes.
fn decode_symbols(symbols: &[u8], bytes: &mut [u8; CODE_HALF_BYTES]) {
    BASE32_NOPAD
        .decode_mut(symbols, bytes)
        .expect("16 symbols of base32 are exactly 80 bits, and every symbol was checked");
}

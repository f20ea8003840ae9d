//! Ed25519: one acceptance rule everywhere, and typed signing. Nothing else touches the curve.

use core::fmt;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::Signer as _;
use sha2::{Digest, Sha256, Sha512};

use crate::envelope::SigningInput;
use crate::id::KeyHint;

/// The eight points of small order in their canonical encodings.
const SMALL_ORDER: [[u8; 32]; 8] = {
    const Y8A: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    const Y8B: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut order2 = [0xff; 32];
    order2[0] = 0xec;
    order2[31] = 0x7f;
    let zero = [0; 32];
    let (mut zero_odd, mut y8a_odd, mut y8b_odd) = (zero, Y8A, Y8B);
    zero_odd[31] |= 0x80;
    y8a_odd[31] |= 0x80;
    y8b_odd[31] |= 0x80;
    [identity, order2, zero, zero_odd, Y8A, y8a_odd, Y8B, y8b_odd]
};

/// Why 32 bytes are no usable public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key")]
pub struct KeyError;

/// A public key, decoded once and known to be canonical and of large order.
#[derive(Clone, Copy)]
pub struct VerifyingKey {
    bytes: [u8; 32],
    /// −A, the form verification needs.
    negated: EdwardsPoint,
}

impl VerifyingKey {
    /// Decodes a public key.
    ///
    /// # Errors
    /// [`KeyError`] if y ≥ p, the point is not on the curve or of small order.
    ///
    /// Source: ck1 section 1, "Ed25519 acceptance".
    pub fn decode(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        if !has_canonical_y(bytes) || is_small_order_ignoring_sign(bytes) {
            return Err(KeyError);
        }
        let point = CompressedEdwardsY(*bytes).decompress().ok_or(KeyError)?;
        Ok(Self {
            bytes: *bytes,
            negated: -point,
        })
    }

    /// The 32 encoded bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key hint of this key.
    #[must_use]
    pub fn hint(&self) -> KeyHint {
        hint_of(&self.bytes)
    }

    /// Checks `signature` over the message that `feed` hands to a sink, piece by piece.
    ///
    /// S < L, R not of small order, and R' = encode([S]B − [k]A) equal byte for byte.
    pub(crate) fn accepts(
        &self,
        signature: &[u8; 64],
        feed: impl FnOnce(&mut dyn FnMut(&[u8])),
    ) -> bool {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&signature[..32]);
        s.copy_from_slice(&signature[32..]);
        if SMALL_ORDER.contains(&r) {
            return false;
        }
        let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)) else {
            return false;
        };
        let mut hash = Sha512::new();
        hash.update(r);
        hash.update(self.bytes);
        feed(&mut |piece| hash.update(piece));
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &self.negated, &s)
            .compress()
            .0
            == r
    }
}

/// Accepted encodings are canonical: equal bytes, equal points.
impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "VerifyingKey({})",
            data_encoding::HEXLOWER.encode(&self.bytes)
        )
    }
}

/// The hint of 32 public key bytes: first 8 bytes of the COSE Key Thumbprint (RFC 9679).
#[must_use]
pub fn hint_of(public: &[u8; 32]) -> KeyHint {
    // {1: 1, -1: 6, -2: h'…'}, deterministic.
    let mut hash = Sha256::new();
    hash.update([0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20]);
    hash.update(public);
    let digest: [u8; 32] = hash.finalize().into();
    let mut hint = [0; 8];
    hint.copy_from_slice(&digest[..8]);
    KeyHint(hint)
}

/// Whether y, the low 255 bits, is below p = 2^255 − 19.
fn has_canonical_y(bytes: &[u8; 32]) -> bool {
    bytes[0] < 0xed || bytes[31] & 0x7f != 0x7f || bytes[1..31].iter().any(|byte| *byte != 0xff)
}

/// Whether y is that of a small-order point; also catches the non-canonical signs of y = ±1.
fn is_small_order_ignoring_sign(bytes: &[u8; 32]) -> bool {
    let mut even = *bytes;
    even[31] &= 0x7f;
    SMALL_ORDER.contains(&even)
}

/// A signer failed, for instance because its store is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signer could not sign")]
pub struct SignError;

/// Whoever holds a private key: a file, a phone, a hardware store.
///
/// Only objects of this crate can be signed: a [`SigningInput`] cannot be made elsewhere.
pub trait Signer {
    /// The public half.
    fn verifying_key(&self) -> &VerifyingKey;

    /// Signs one typed object; 64 bytes, Ed25519 as in RFC 8032.
    ///
    /// # Errors
    /// [`SignError`] if the private key cannot be used now.
    fn sign(&self, input: &SigningInput<'_>) -> Result<[u8; 64], SignError>;
}

/// A private key in memory; wiped on drop.
#[derive(Clone)]
pub struct SigningKey {
    inner: ed25519_dalek::SigningKey,
    public: VerifyingKey,
}

impl SigningKey {
    /// From a 32-byte seed, which the caller draws from a good random source.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let inner = ed25519_dalek::SigningKey::from_bytes(seed);
        let bytes = inner.verifying_key().to_bytes();
        let public = VerifyingKey::decode(&bytes)
            .expect("a public key made from a clamped scalar is canonical and of large order");
        Self { inner, public }
    }

    /// The seed, to be stored encrypted or in a file only its owner can read.
    #[must_use]
    pub fn to_seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.inner.to_bytes())
    }
}

impl Signer for SigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    fn sign(&self, input: &SigningInput<'_>) -> Result<[u8; 64], SignError> {
        Ok(self.inner.sign(&input.to_bytes()).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(private half of {:?})", self.public)
    }
}

#[cfg(test)]
mod edges;
#[cfg(test)]
mod tests;

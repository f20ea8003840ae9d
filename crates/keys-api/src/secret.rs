//! Bearer tokens and other secrets: made here, shown once, stored as SHA-256 only.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::random::{self, Random};

/// A secret text. It does not print, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret that arrived from outside.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// `prefix` and `N` random bytes as base64url.
    #[must_use]
    pub fn random<const N: usize>(prefix: &str, source: &dyn Random) -> Self {
        let bytes = Zeroizing::new(random::bytes::<N>(source));
        Self::new(format!(
            "{prefix}{}",
            BASE64URL_NOPAD.encode(bytes.as_slice())
        ))
    }

    /// The text, for the one answer that shows it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text: what tables store.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// Whether this secret has the stored `hash`; compared in constant time.
    #[must_use]
    pub fn matches(&self, hash: &[u8]) -> bool {
        use subtle::ConstantTimeEq;
        self.hash().ct_eq(hash).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 over a label and length-prefixed parts, so that no two lists of parts collide.
#[must_use]
pub fn sha256_of(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What a bearer token lets its bearer be. No token opens a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `lkt_`: an owner's API token.
    ApiToken,
    /// `lkh_`: a holder session, limited to one key.
    Holder,
    /// `lks_`: an owner's session.
    Session,
}

impl TokenKind {
    /// The text every token of this kind begins with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::ApiToken => "lkt_",
            Self::Holder => "lkh_",
            Self::Session => "lks_",
        }
    }

    /// A fresh token of 256 random bits.
    #[must_use]
    pub fn make(self, source: &dyn Random) -> Secret {
        Secret::random::<32>(self.prefix(), source)
    }

    /// The kind a presented token claims to be.
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        [Self::ApiToken, Self::Holder, Self::Session]
            .into_iter()
            .find(|kind| token.starts_with(kind.prefix()))
    }
}

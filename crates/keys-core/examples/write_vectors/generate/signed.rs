//! Keys of everybody who takes part, and signed objects made byte by byte.

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};

use super::cbor::{V, a, b, m, n, t};

pub(crate) const LINK: &[u8; 8] = b"ck1:link";
pub(crate) const PROOF: &[u8; 8] = b"ck1:pop\0";
pub(crate) const CHALLENGE: &[u8; 8] = b"ck1:chal";
pub(crate) const STATEMENT: &[u8; 8] = b"ck1:rev\0";
pub(crate) const BUNDLE: &[u8; 8] = b"ck1:bndl";
pub(crate) const TIME: &[u8; 8] = b"ck1:time";
pub(crate) const RECEIPT: &[u8; 8] = b"ck1:rcpt";
pub(crate) const JOURNAL: &[u8; 8] = b"ck1:jrnl";
pub(crate) const SYNC: &[u8; 8] = b"ck1:sync";

/// What a first link is signed under.
pub(crate) const NO_PARENT: [u8; 32] = [0; 32];

/// A key pair whose seed is 32 equal bytes.
#[derive(Clone)]
pub(crate) struct Who(SigningKey);

impl Who {
    pub(crate) fn labeled(label: u8) -> Self {
        Self(SigningKey::from_bytes(&[label; 32]))
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub(crate) fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    pub(crate) fn kid(&self) -> [u8; 8] {
        kid_of(&self.public())
    }
}

pub(crate) fn kid_of(public: &[u8; 32]) -> [u8; 8] {
    let key = m([(1, n(1)), (-1, n(6)), (-2, b(public))]);
    let digest = sha256(&key.encode());
    digest[..8].try_into().expect("eight of 32 bytes")
}

pub(crate) fn owner() -> Who {
    Who::labeled(0x01)
}
pub(crate) fn second_owner() -> Who {
    Who::labeled(0x02)
}
pub(crate) fn platform() -> Who {
    Who::labeled(0x11)
}
pub(crate) fn issuer() -> Who {
    Who::labeled(0x12)
}
pub(crate) fn status() -> Who {
    Who::labeled(0x13)
}
pub(crate) fn second_status() -> Who {
    Who::labeled(0x14)
}
pub(crate) fn gateway() -> Who {
    Who::labeled(0x21)
}
pub(crate) fn stranger() -> Who {
    Who::labeled(0x7f)
}
/// The holder of a key, numbered from 1.
pub(crate) fn holder(number: u8) -> Who {
    Who::labeled(0x80 | number)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A signed object and its id.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) id: [u8; 32],
}

impl Signed {
    pub(crate) fn short(&self) -> [u8; 16] {
        self.id[..16].try_into().expect("sixteen of 32 bytes")
    }
}

/// The header of an object that names its signer.
pub(crate) fn named(signer: &Who) -> Vec<u8> {
    m([(1, V::Int(-19)), (4, b(&signer.kid()))]).encode()
}

/// The header of an object that does not.
pub(crate) fn unnamed() -> Vec<u8> {
    m([(1, V::Int(-19))]).encode()
}

/// The bytes that are signed.
pub(crate) fn structure(
    protected: &[u8],
    context: &[u8; 8],
    rest: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let aad = [&context[..], rest].concat();
    a([t("Signature1"), b(protected), b(&aad), b(payload)]).encode()
}

/// An object with this header and payload, whatever they hold.
pub(crate) fn sign_bytes(
    protected: &[u8],
    context: &[u8; 8],
    rest: &[u8],
    payload: &[u8],
    signer: &Who,
) -> Signed {
    let message = structure(protected, context, rest, payload);
    let signature = signer.sign(&message);
    Signed {
        bytes: assemble(protected, payload, &signature),
        id: sha256(&message),
    }
}

pub(crate) fn assemble(protected: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    a([b(protected), m([]), b(payload), b(signature)]).encode()
}

/// An object that names its signer.
pub(crate) fn sign(context: &[u8; 8], rest: &[u8], body: &V, signer: &Who) -> Signed {
    sign_bytes(&named(signer), context, rest, &body.encode(), signer)
}

/// An object that does not.
pub(crate) fn sign_unnamed(context: &[u8; 8], rest: &[u8], body: &V, signer: &Who) -> Signed {
    sign_bytes(&unnamed(), context, rest, &body.encode(), signer)
}

//! The signed object: an untagged COSE_Sign1 over a typed body.
//!
//! Shape: `[protected bstr, {}, payload bstr, signature bstr(64)]`, protected = `{1: -19, ? 4: kid}`.
//! Signed bytes: `["Signature1", protected, external_aad, payload]` with
//! `external_aad = context (8 bytes) || rest`. Source: ck1 section 1; RFC 9052 section 4.4.

use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use crate::codec::{DecodeError, Reader, Writer, head};
use crate::id::{KeyHint, ObjectId};
use crate::limits;
use crate::refusal::Refusal;
use crate::signature::{SignError, Signer, VerifyingKey};

/// Ed25519 as a fully specified algorithm (RFC 9864).
const ALG_ED25519: i64 = -19;
const SIGNATURE1: &str = "Signature1";

/// The 8 bytes that keep one kind of object from being taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context(pub(crate) &'static [u8; 8]);

/// Whether an object names its signer by a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintRule {
    /// It must.
    Required,
    /// It must not.
    Forbidden,
    /// It depends on where the object stands; the caller checks.
    ByPosition,
}

/// All that can be signed. Elsewhere nobody can add to it, or a key could be made to sign anything.
mod kind {
    pub trait Kind {}
    impl Kind for crate::attestation::TimeAttestation {}
    impl Kind for crate::bundle::Bundle {}
    impl Kind for crate::challenge::Challenge {}
    impl Kind for crate::handshake::SyncHello {}
    impl Kind for crate::journal::JournalHead {}
    impl Kind for crate::link::Claims {}
    impl Kind for crate::proof::Proof {}
    impl Kind for crate::receipt::Receipt {}
    impl Kind for crate::statement::Statement {}
}

/// A payload that is only ever used signed. Only types of this crate can be one.
pub trait Body: Sized + kind::Kind {
    /// Domain separation.
    const CONTEXT: Context;
    /// Largest signed object, bytes.
    const MAX_BYTES: usize;
    /// Whether `kid` stands in the protected header.
    const HINT: HintRule;

    /// Writes the payload.
    fn write(&self, writer: &mut Writer);

    /// Reads the payload.
    ///
    /// # Errors
    /// [`DecodeError`] if it does not follow the format.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// The envelope of a signed object, parsed and not yet believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    raw: &'a [u8],
    protected: &'a [u8],
    hint: Option<KeyHint>,
    payload: &'a [u8],
    signature: &'a [u8; 64],
}

impl<'a> Envelope<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.position();
        if reader.array()? != 4 {
            return Err(DecodeError::Malformed("a signed object has four items"));
        }
        let protected = reader.bytes()?;
        let hint = read_protected(protected)?;
        let mut unprotected = reader.map()?;
        if unprotected.next_key(reader)?.is_some() {
            return Err(DecodeError::Malformed(
                "the unprotected header must be empty",
            ));
        }
        let payload = reader.bytes()?;
        let signature = reader.bytes_exact::<64>()?;
        Ok(Self {
            raw: reader.since(start),
            protected,
            hint,
            payload,
            signature,
        })
    }

    /// The bytes of the whole object.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.raw
    }

    /// The key hint, if the header has one.
    #[must_use]
    pub fn hint(&self) -> Option<KeyHint> {
        self.hint
    }

    /// The id of the object this envelope holds, if it is of kind `T` and stands under `rest`.
    pub(crate) fn id<T: Body>(&self, rest: Rest<'_>) -> ObjectId {
        self.structure(T::CONTEXT, rest).id()
    }

    /// The payload, if size and header are those of an object of kind `T`.
    pub(crate) fn payload_of<T: Body>(&self) -> Result<Reader<'a>, DecodeError> {
        if self.raw.len() > T::MAX_BYTES {
            return Err(DecodeError::TooLarge("signed object"));
        }
        match (T::HINT, self.hint) {
            (HintRule::Required, None) => Err(DecodeError::Malformed("the key hint is missing")),
            (HintRule::Forbidden, Some(_)) => {
                Err(DecodeError::Malformed("a key hint is not allowed here"))
            }
            _ => Ok(Reader::new(self.payload)),
        }
    }

    fn structure<'s>(&self, context: Context, rest: Rest<'s>) -> SigningInput<'s>
    where
        'a: 's,
    {
        SigningInput {
            protected: self.protected,
            context,
            rest,
            payload: self.payload,
        }
    }
}

fn read_protected(bytes: &[u8]) -> Result<Option<KeyHint>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let mut map = reader.map()?;
    if map.next_key(&mut reader)? != Some(1) {
        return Err(DecodeError::Malformed(
            "the protected header starts with the algorithm",
        ));
    }
    if reader.int()? != ALG_ED25519 {
        return Err(DecodeError::Unsupported(
            "the algorithm must be -19, Ed25519",
        ));
    }
    let hint = match map.next_key(&mut reader)? {
        None => None,
        Some(4) => Some(KeyHint(*reader.bytes_exact()?)),
        Some(_) => return Err(DecodeError::Malformed("unknown protected header")),
    };
    if map.next_key(&mut reader)?.is_some() {
        return Err(DecodeError::Malformed("unknown protected header"));
    }
    reader.finish()?;
    Ok(hint)
}

/// What is signed: the `Sig_structure` of one typed object. Made in this crate only.
#[derive(Debug, Clone, Copy)]
pub struct SigningInput<'a> {
    protected: &'a [u8],
    context: Context,
    rest: [&'a [u8]; 3],
    payload: &'a [u8],
}

impl SigningInput<'_> {
    /// Hands the bytes to `sink` piece by piece, without building them.
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        fn bytes_head(length: usize, sink: &mut dyn FnMut(&[u8])) {
            let (bytes, used) = head(2, length as u64);
            sink(&bytes[..used]);
        }
        sink(&[0x84, 0x6a]);
        sink(SIGNATURE1.as_bytes());
        bytes_head(self.protected.len(), sink);
        sink(self.protected);
        bytes_head(
            8 + self.rest.iter().map(|piece| piece.len()).sum::<usize>(),
            sink,
        );
        sink(self.context.0);
        self.rest.iter().for_each(|piece| sink(piece));
        bytes_head(self.payload.len(), sink);
        sink(self.payload);
    }

    /// The bytes a signer signs.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.feed(&mut |piece| out.extend_from_slice(piece));
        out
    }

    /// SHA-256 of the bytes: the object's id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        let mut hash = Sha256::new();
        self.feed(&mut |piece| hash.update(piece));
        ObjectId(hash.finalize().into())
    }
}

/// What an object was signed under, beyond its context: up to three pieces, in order.
pub type Rest<'a> = [&'a [u8]; 3];

/// Nothing beyond the context.
pub const NO_REST: Rest<'static> = [&[], &[], &[]];

/// A decoded object whose signature was not checked. Only [`Unverified::verify`] makes it believable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified<'a, T> {
    body: T,
    envelope: Envelope<'a>,
}

impl<'a, T: Body> Unverified<'a, T> {
    /// Decodes a whole object.
    ///
    /// # Errors
    /// [`DecodeError`] if it is too long or does not follow the format.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > T::MAX_BYTES {
            return Err(DecodeError::TooLarge("signed object"));
        }
        let mut reader = Reader::new(bytes);
        let object = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(object)
    }

    /// Reads an object that stands inside another item.
    ///
    /// # Errors
    /// [`DecodeError`] if it is too long or does not follow the format.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Self::open(Envelope::read(reader)?)
    }

    /// Reads what an envelope holds.
    pub(crate) fn open(envelope: Envelope<'a>) -> Result<Self, DecodeError> {
        let mut payload = envelope.payload_of::<T>()?;
        let body = T::read(&mut payload)?;
        payload.finish()?;
        Ok(Self { body, envelope })
    }

    /// The body, **not yet believed**: for choosing where to look for the signer, or for display as such.
    #[must_use]
    pub fn unverified_body(&self) -> &T {
        &self.body
    }

    /// The envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope<'a> {
        &self.envelope
    }

    /// The object's id under `rest`.
    #[must_use]
    pub fn id(&self, rest: Rest<'_>) -> ObjectId {
        self.envelope.id::<T>(rest)
    }

    /// Whether `key` signed the object under `rest`.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey, rest: Rest<'_>) -> bool {
        let structure = self.envelope.structure(T::CONTEXT, rest);
        key.accepts(self.envelope.signature, |sink| structure.feed(sink))
    }

    /// Checks the signature against one key; a hint in the header must agree.
    ///
    /// # Errors
    /// [`Refusal::UnknownSigner`] if the hint names another key, [`Refusal::BadSignature`] if the key
    /// did not sign this.
    pub fn verify(self, key: &VerifyingKey, rest: Rest<'_>) -> Result<Verified<T>, Refusal> {
        self.verify_any(core::iter::once(key), rest)
    }

    /// Checks the signature against the trusted keys that the header's hint names, at most four.
    ///
    /// # Errors
    /// [`Refusal::UnknownSigner`] if none has the hint, [`Refusal::BadSignature`] if none signed this.
    pub fn verify_any<'k>(
        self,
        keys: impl IntoIterator<Item = &'k VerifyingKey>,
        rest: Rest<'_>,
    ) -> Result<Verified<T>, Refusal> {
        let signer = self.find_signer(keys, rest)?;
        let id = self.id(rest);
        Ok(Verified {
            body: self.body,
            id,
            signer,
        })
    }

    /// As [`Unverified::verify_any`], keeping the object.
    ///
    /// # Errors
    /// As there.
    pub fn find_signer<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifyingKey>,
        rest: Rest<'_>,
    ) -> Result<VerifyingKey, Refusal> {
        let mut refusal = Refusal::UnknownSigner;
        let named = keys
            .into_iter()
            .filter(|key| self.envelope.hint.is_none_or(|hint| hint == key.hint()));
        for key in named.take(limits::HINT_TRIES) {
            if self.is_signed_by(key, rest) {
                return Ok(*key);
            }
            refusal = Refusal::BadSignature;
        }
        Err(refusal)
    }
}

/// A body whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    body: T,
    id: ObjectId,
    signer: VerifyingKey,
}

impl<T> Verified<T> {
    /// For a check in this crate that has just held.
    pub(crate) fn new(body: T, id: ObjectId, signer: VerifyingKey) -> Self {
        Self { body, id, signer }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &T {
        &self.body
    }

    /// The body, giving up who signed it.
    #[must_use]
    pub fn into_body(self) -> T {
        self.body
    }

    /// The object's id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        self.id
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &VerifyingKey {
        &self.signer
    }
}

/// A freshly signed object.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Its id.
    pub id: ObjectId,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({}, {} bytes)", self.id, self.bytes.len())
    }
}

/// Signs `body` under `rest`. The hint is written if the kind of object requires it.
///
/// # Errors
/// [`SignError`] if the signer cannot sign now.
pub fn seal<T: Body>(body: &T, signer: &dyn Signer, rest: Rest<'_>) -> Result<Sealed, SignError> {
    seal_with_hint(body, signer, rest, T::HINT == HintRule::Required)
}

/// As [`seal`], for objects whose hint depends on where they stand.
pub(crate) fn seal_with_hint<T: Body>(
    body: &T,
    signer: &dyn Signer,
    rest: Rest<'_>,
    with_hint: bool,
) -> Result<Sealed, SignError> {
    let unsigned = Unsigned::new(body, signer.verifying_key(), with_hint);
    let signature = signer.sign(&unsigned.input::<T>(rest))?;
    Ok(unsigned.attach::<T>(rest, &signature))
}

/// A header and payload before their signature exists.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unsigned {
    protected: Vec<u8>,
    payload: Vec<u8>,
}

impl Unsigned {
    fn new<T: Body>(body: &T, signer: &VerifyingKey, with_hint: bool) -> Self {
        let mut protected = Writer::new();
        protected
            .map(1 + usize::from(with_hint))
            .uint(1)
            .int(ALG_ED25519);
        if with_hint {
            protected.uint(4).bytes(&signer.hint().0);
        }
        let mut payload = Writer::new();
        body.write(&mut payload);
        Self {
            protected: protected.into_bytes(),
            payload: payload.into_bytes(),
        }
    }

    fn input<'a, T: Body>(&'a self, rest: Rest<'a>) -> SigningInput<'a> {
        SigningInput {
            protected: &self.protected,
            context: T::CONTEXT,
            rest,
            payload: &self.payload,
        }
    }

    fn attach<T: Body>(&self, rest: Rest<'_>, signature: &[u8; 64]) -> Sealed {
        let mut writer = Writer::new();
        writer
            .array(4)
            .bytes(&self.protected)
            .map(0)
            .bytes(&self.payload)
            .bytes(signature);
        Sealed {
            bytes: writer.into_bytes(),
            id: self.input::<T>(rest).id(),
        }
    }
}

/// SHA-256 of bytes, as challenges, presentations and origins are named by.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests;

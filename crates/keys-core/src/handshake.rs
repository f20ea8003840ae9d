//! The gateway's proof of who it is when it dials the API.

use arrayvec::ArrayVec;

use crate::challenge::Seqs;
use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::{Body, Context, HintRule, Sealed, seal, sha256};
use crate::id::VehicleId;
use crate::limits;
use crate::signature::{SignError, Signer};

/// Signed by the gateway key under `ck1:sync`, client nonce, server nonce and SHA-256(API origin).
///
/// Shape: `{1: [1*4 version], 3: aud, 7: [owner seq, platform seq, bundle seq]}`; ck1 sections 1 and 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncHello {
    /// 1: protocol versions the gateway speaks.
    pub versions: ArrayVec<u64, 4>,
    /// 3: the vehicle.
    pub vehicle: VehicleId,
    /// 7: what the gateway holds, so that the API sends what is newer.
    pub seqs: Seqs,
}

impl Body for SyncHello {
    const CONTEXT: Context = Context(b"ck1:sync");
    const MAX_BYTES: usize = 256;
    const HINT: HintRule = HintRule::Required;

    fn write(&self, writer: &mut Writer) {
        writer.map(3).uint(1).array(self.versions.len());
        self.versions.iter().for_each(|version| {
            writer.uint(*version);
        });
        writer.uint(3).text(&self.vehicle.to_aud()).uint(7);
        self.seqs.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const SHAPE: DecodeError =
            DecodeError::Malformed("a sync hello is {1: versions, 3: aud, 7: seqs}");
        let mut map = reader.map()?;
        if map.next_key(reader)? != Some(1) {
            return Err(SHAPE);
        }
        let mut versions = ArrayVec::new();
        for _ in 0..reader.array_of(1, 4)? {
            versions.push(reader.uint()?);
        }
        if map.next_key(reader)? != Some(3) {
            return Err(SHAPE);
        }
        let vehicle = VehicleId::from_aud(reader.text(limits::AUD_BYTES)?)?;
        if map.next_key(reader)? != Some(7) {
            return Err(SHAPE);
        }
        let seqs = Seqs::read(reader)?;
        if map.next_key(reader)?.is_some() {
            Err(SHAPE)
        } else {
            Ok(Self {
                versions,
                vehicle,
                seqs,
            })
        }
    }
}

/// The hash of an API origin that the handshake is bound to, so that it cannot be relayed to another.
#[must_use]
pub fn origin_hash(origin: &str) -> [u8; 32] {
    sha256(origin.as_bytes())
}

/// Signs the handshake.
///
/// # Errors
/// [`SignError`] if the signer cannot sign now.
pub fn sign_hello(
    hello: &SyncHello,
    signer: &dyn Signer,
    client_nonce: &[u8; 16],
    server_nonce: &[u8; 16],
    origin: &str,
) -> Result<Sealed, SignError> {
    seal(
        hello,
        signer,
        [client_nonce, server_nonce, &origin_hash(origin)],
    )
}

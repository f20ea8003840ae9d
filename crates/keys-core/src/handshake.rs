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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::assert_body;
    use crate::envelope::Unverified;
    use crate::refusal::Refusal;
    use crate::testing::{gateway, vehicle};

    fn hello() -> SyncHello {
        SyncHello {
            versions: [1, 2].into_iter().collect(),
            vehicle: vehicle(),
            seqs: Seqs {
                owner: 3,
                platform: 4,
                bundle: 5,
            },
        }
    }

    #[test]
    fn a_hello_comes_back_as_written_and_nothing_else_is_read() {
        assert_body(&hello(), &["pop /1", "push /1"]);
    }

    #[test]
    fn a_hello_counts_for_its_own_nonces_and_origin_only() {
        let sealed = sign_hello(
            &hello(),
            &gateway(),
            &[1; 16],
            &[2; 16],
            "https://a.example",
        );
        let sealed = sealed.unwrap();
        let verify = |client: [u8; 16], server: [u8; 16], origin: &str| {
            let origin = origin_hash(origin);
            let hello = Unverified::<SyncHello>::decode(&sealed.bytes).unwrap();
            hello
                .verify(gateway().verifying_key(), [&client, &server, &origin])
                .err()
        };
        assert_eq!(verify([1; 16], [2; 16], "https://a.example"), None);
        let refused = Some(Refusal::BadSignature);
        assert_eq!(verify([3; 16], [2; 16], "https://a.example"), refused);
        assert_eq!(verify([1; 16], [3; 16], "https://a.example"), refused);
        assert_eq!(verify([2; 16], [1; 16], "https://a.example"), refused);
        assert_eq!(verify([1; 16], [2; 16], "https://b.example"), refused);
    }
}

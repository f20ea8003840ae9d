//! A status key's word for the time, bound to one challenge.

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::{Body, Context, HintRule, Sealed, seal, sha256};
use crate::link::read_time;
use crate::signature::{SignError, Signer};
use crate::time::Timestamp;

/// A time attestation, signed by a status key under `ck1:time` and SHA-256(challenge bytes).
/// Shape: `{1: time}`, seconds UTC; ck1 section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeAttestation {
    /// 1: the time when it was signed.
    pub time: Timestamp,
}

impl Body for TimeAttestation {
    const CONTEXT: Context = Context(b"ck1:time");
    const MAX_BYTES: usize = 256;
    const HINT: HintRule = HintRule::Required;

    fn write(&self, writer: &mut Writer) {
        writer.map(1).uint(1).uint(self.time.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const SHAPE: DecodeError = DecodeError::Malformed("a time attestation is {1: time}");
        let mut map = reader.map()?;
        if map.next_key(reader)? != Some(1) {
            return Err(SHAPE);
        }
        let time = read_time(reader)?;
        if map.next_key(reader)?.is_some() {
            Err(SHAPE)
        } else {
            Ok(Self { time })
        }
    }
}

/// Attests the time for one challenge.
///
/// # Errors
/// [`SignError`] if the signer cannot sign now.
pub fn attest(time: Timestamp, signer: &dyn Signer, challenge: &[u8]) -> Result<Sealed, SignError> {
    seal(
        &TimeAttestation { time },
        signer,
        [&sha256(challenge), &[], &[]],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::assert_body;
    use crate::envelope::Unverified;
    use crate::refusal::Refusal;
    use crate::testing::{NOW, attestation, challenge, status};

    #[test]
    fn an_attestation_comes_back_as_written_and_nothing_else_is_read() {
        assert_body(&TimeAttestation { time: NOW }, &[]);
    }

    #[test]
    fn an_attestation_counts_for_its_own_challenge_only() {
        let (asked, other) = (challenge(1).bytes, challenge(2).bytes);
        let sealed = attestation(NOW, &asked);
        let verify = |challenge: &[u8]| {
            let hash = sha256(challenge);
            let attestation = Unverified::<TimeAttestation>::decode(&sealed.bytes).unwrap();
            attestation
                .verify(status().verifying_key(), [&hash, &[], &[]])
                .map(|verified| verified.body().time)
        };
        assert_eq!(verify(&asked), Ok(NOW));
        assert_eq!(verify(&other), Err(Refusal::BadSignature));
    }
}

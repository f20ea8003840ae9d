//! The holder signed this command for this challenge and this key.

use keys_core::chain::DigitalKey;
use keys_core::envelope::sha256;
use keys_core::presentation::Presentation;
use keys_core::proof::Proof;
use keys_core::refusal::Refusal;

/// Verifies the proof over the challenge's bytes as they came back.
pub(super) fn verify(presentation: &Presentation<'_>, key: &DigitalKey) -> Result<Proof, Refusal> {
    let challenge = sha256(presentation.challenge.envelope().bytes());
    key.verify_proof(&presentation.proof, &challenge)
        .map(keys_core::envelope::Verified::into_body)
}

//! The least any check must pay: its signatures and its new public keys, by ed25519-dalek alone.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::bench::rounds::Work;
use crate::bench::{VARIETY, name};

/// Bytes under a signature of a usual link.
const MESSAGE_BYTES: usize = 200;

struct Signed {
    key: VerifyingKey,
    key_bytes: [u8; 32],
    message: [u8; MESSAGE_BYTES],
    signature: Signature,
}

fn signed(number: usize) -> Signed {
    let byte = number.to_le_bytes()[0];
    let mut seed = [0xb0; 32];
    seed[0] = byte;
    let signer = SigningKey::from_bytes(&seed);
    let message = [byte; MESSAGE_BYTES];
    Signed {
        key: signer.verifying_key(),
        key_bytes: signer.verifying_key().to_bytes(),
        signature: signer.sign(&message),
        message,
    }
}

fn holds(signed: &Signed) -> bool {
    use ed25519_dalek::Verifier;
    signed
        .key
        .verify(&signed.message, &signed.signature)
        .is_ok()
}

/// One signature under a key that is decoded already.
pub(super) fn verify() -> Work<'static> {
    let all: Vec<Signed> = (0..VARIETY).map(signed).collect();
    Work::new(name::VERIFY, move |index| holds(&all[index]))
}

/// `hops` links and a proof: one signature more than new public keys.
pub(super) fn signatures_and_keys(name: &'static str, hops: usize) -> Work<'static> {
    let all: Vec<Signed> = (0..VARIETY).map(signed).collect();
    Work::new(name, move |index| {
        let of = |step: usize| &all[(index + step) % VARIETY];
        let verified = (0..=hops).all(|step| holds(of(step)));
        let decoded = (0..hops).all(|step| VerifyingKey::from_bytes(&of(step).key_bytes).is_ok());
        verified && decoded
    })
}

use super::*;
use crate::codec::edits::assert_strict;
use crate::command::VehicleCommand;
use crate::refusal::Refusal;
use crate::testing::{KeyBuilder, challenge, holder, proof};

fn parts() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let key = KeyBuilder::owned(&holder(1));
    let challenge = challenge(1).bytes;
    let proof = proof(
        VehicleCommand::Unlock,
        1,
        &holder(1),
        &challenge,
        &key.leaf(),
    )
    .bytes;
    (challenge, key.encode(), proof)
}

fn refusal(bytes: &[u8]) -> Option<Refusal> {
    Presentation::parse(bytes).err().map(DecodeError::refusal)
}

#[test]
fn a_presentation_comes_back_as_written() {
    let (challenge, key, proof) = parts();
    let encoded = encode_presentation(&challenge, &key, &proof);
    let parsed = Presentation::parse(&encoded).unwrap();
    assert_eq!(parsed.challenge.envelope().bytes(), challenge);
    assert_eq!(parsed.key_bytes, key);
    assert_eq!(parsed.proof.envelope().bytes(), proof);
    assert!(matches!(parsed.key, PresentedKey::Whole(_)));
}

#[test]
fn a_key_seen_before_is_named_by_its_leaf() {
    let (challenge, _, proof) = parts();
    let leaf = ObjectId([5; 32]);
    let encoded = encode_presentation(&challenge, &cached_key_item(&leaf), &proof);
    let parsed = Presentation::parse(&encoded).unwrap();
    assert_eq!(parsed.key, PresentedKey::Cached(leaf));
    assert_strict(&encoded, |bytes| refusal(bytes).is_none(), &[]);
}

#[test]
fn nothing_but_a_presentation_is_read() {
    let (challenge, key, proof) = parts();
    let encoded = encode_presentation(&challenge, &key, &proof);
    assert_strict(&encoded, |bytes| refusal(bytes).is_none(), &[]);
    let mut other_version = encoded;
    other_version[1] = 2;
    assert_eq!(refusal(&other_version), Some(Refusal::Unsupported));
    let swapped = encode_presentation(&proof, &key, &challenge);
    assert_eq!(refusal(&swapped), Some(Refusal::Malformed));
}

#[test]
fn a_presentation_has_at_most_4096_bytes() {
    let longest = alloc::vec![0x84; limits::PRESENTATION_BYTES + 1];
    assert_eq!(refusal(&longest), Some(Refusal::TooLarge));
    assert_eq!(refusal(&longest[1..]), Some(Refusal::Malformed));
}

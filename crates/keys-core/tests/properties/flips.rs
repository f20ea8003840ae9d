//! Presentations of one to four hops: any change to their bytes is refused.

use super::*;

/// Everything about a presentation that signatures protect.
pub(super) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    let presentation = Presentation::parse(bytes).map_err(|error| error.refusal())?;
    let hash = challenge_hash(presentation.challenge.envelope().bytes());
    let challenge = presentation
        .challenge
        .verify(testing::gateway().verifying_key(), NO_REST)?;
    if challenge.body().vehicle != vehicle() {
        return Err(Refusal::WrongVehicle);
    }
    let PresentedKey::Whole(key) = presentation.key else {
        return Err(Refusal::UnknownSigner);
    };
    let key = key.verify(vehicle(), &roots(), &AnchorStore::default())?;
    key.verify_proof(&presentation.proof, &hash).map(|_| ())
}

/// An owner's key with `hops` links.
pub(super) fn key(hops: u8) -> KeyBuilder {
    let link = |number: u8| {
        let mut claims = testing::claims(&holder(number), window(), Entitlements::UNLOCK);
        claims.policy.delegations = 4 - number;
        claims
    };
    let mut first = link(1);
    first.grant_id = Some(GrantId([1; 8]));
    let first = KeyBuilder::first(&testing::owner(), &first, &holder(1));
    (2..=hops).fold(first, |key, number| key.then(link(number), &holder(number)))
}

/// A presentation that is taken, of a key with `hops` links.
fn presentation(hops: u8) -> &'static [u8] {
    static ALL: std::sync::OnceLock<[Vec<u8>; 4]> = std::sync::OnceLock::new();
    let all = ALL.get_or_init(|| {
        [1, 2, 3, 4].map(|hops| {
            let key = key(hops);
            let challenge = testing::challenge(1).bytes;
            let leaf = key.leaf();
            let holder = holder(hops);
            let proof = testing::proof(VehicleCommand::Unlock, 1, &holder, &challenge, &leaf).bytes;
            let bytes = encode_presentation(&challenge, &key.encode(), &proof);
            assert_eq!(check(&bytes), Ok(()));
            bytes
        })
    });
    &all[usize::from(hops) - 1]
}

fn every_single_bit_flip_is_refused(hops: u8) {
    let mut bytes = presentation(hops).to_vec();
    for bit in 0..bytes.len() * 8 {
        let (at, mask) = (bit / 8, 1 << (bit % 8));
        bytes[at] ^= mask;
        assert!(check(&bytes).is_err(), "byte {at}, bit {}", bit % 8);
        bytes[at] ^= mask;
    }
    assert_eq!(check(&bytes), Ok(()));
}

#[test]
fn every_single_bit_flip_of_a_one_hop_presentation_is_refused() {
    every_single_bit_flip_is_refused(1);
}

#[test]
fn every_single_bit_flip_of_a_two_hop_presentation_is_refused() {
    every_single_bit_flip_is_refused(2);
}

#[test]
fn every_single_bit_flip_of_a_three_hop_presentation_is_refused() {
    every_single_bit_flip_is_refused(3);
}

#[test]
fn every_single_bit_flip_of_a_four_hop_presentation_is_refused() {
    every_single_bit_flip_is_refused(4);
}

#[test]
fn every_cut_and_every_byte_left_out_is_refused() {
    for hops in 1..=4 {
        let bytes = presentation(hops);
        for at in 0..bytes.len() {
            assert!(check(&bytes[..at]).is_err(), "cut at {at}");
            assert!(check(&bytes[at + 1..]).is_err(), "begun after {at}");
            let mut shorter = bytes.to_vec();
            shorter.remove(at);
            assert!(check(&shorter).is_err(), "without byte {at}");
        }
    }
}

/// One change to bytes.
#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Swap(Index, Index),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match self {
            Self::Set(at, value) => bytes[at.index(length)] = *value,
            Self::Insert(at, value) => bytes.insert(at.index(length + 1), *value),
            Self::Remove(at) => {
                bytes.remove(at.index(length));
            }
            Self::Swap(one, other) => bytes.swap(one.index(length), other.index(length)),
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Edit::Set(at, value)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Edit::Insert(at, value)),
        any::<Index>().prop_map(Edit::Remove),
        any::<(Index, Index)>().prop_map(|(one, other)| Edit::Swap(one, other)),
    ]
}

proptest! {
    #![proptest_config(law())]

    #[test]
    fn any_change_to_a_presentation_is_refused(hops in 1u8..5, edits in vec(edit(), 1..4)) {
        let mut changed = presentation(hops).to_vec();
        edits.iter().for_each(|edit| edit.apply(&mut changed));
        // Now and then an edit changes nothing, or the next one takes it back.
        prop_assert_eq!(check(&changed).is_ok(), changed == presentation(hops));
    }
}

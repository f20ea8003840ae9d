use super::*;
use crate::attestation::TimeAttestation;
use crate::challenge::Challenge;
use crate::codec::edits::payload;
use crate::id::ShortId;
use crate::journal::JournalHead;
use crate::link::{Claims, sign_link};
use crate::proof::Proof;
use crate::signature::SigningKey;
use crate::statement::Statement;
use crate::testing::{
    KeyBuilder, NOW, challenge, gateway, holder, owner, proof, second_owner, statement, vehicle,
};

/// An object with these four items; `head` is the array head.
fn object(head: u8, protected: &[u8], unprotected: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .raw(&[head])
        .bytes(protected)
        .raw(unprotected)
        .raw(rest);
    writer.into_bytes()
}

/// Payload and signature items of a good object, signed by nobody.
fn body_items() -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .bytes(&payload(&TimeAttestation { time: NOW }))
        .bytes(&[0; 64]);
    writer.into_bytes()
}

fn decode(bytes: &[u8]) -> Result<(), Refusal> {
    Unverified::<TimeAttestation>::decode(bytes)
        .map(|_| ())
        .map_err(DecodeError::refusal)
}

fn with_header(protected: &[u8]) -> Result<(), Refusal> {
    decode(&object(0x84, protected, &[0xa0], &body_items()))
}

#[test]
fn the_protected_header_is_exactly_the_algorithm_and_a_hint() {
    let hint = [4, 0x48, 1, 2, 3, 4, 5, 6, 7, 8];
    let header = |head: u8, entries: &[&[u8]]| [&[head][..], &entries.concat()].concat();
    assert_eq!(with_header(&header(0xa2, &[&[1, 0x32], &hint])), Ok(()));
    let malformed = [
        header(0xa0, &[]),
        header(0xa1, &[&hint]),
        header(0xa2, &[&hint, &[1, 0x32]]),
        header(0xa3, &[&[1, 0x32], &[2, 0], &hint]),
        header(0xa3, &[&[1, 0x32], &hint, &[5, 0]]),
        header(0xa2, &[&[1, 0x32], &[4, 0x47, 1, 2, 3, 4, 5, 6, 7]]),
        header(0xa2, &[&[1, 0x32], &[4, 0x49, 1, 2, 3, 4, 5, 6, 7, 8, 9]]),
        header(0xa2, &[&[1, 0x38, 0x12], &hint]),
        header(0xa2, &[&[1, 0x61, b'x'], &hint]),
        [&header(0xa2, &[&[1, 0x32], &hint])[..], &[0]].concat(),
        [].to_vec(),
        [0xbf, 1, 0x32, 0xff].to_vec(),
    ];
    for protected in malformed {
        assert_eq!(
            with_header(&protected),
            Err(Refusal::Malformed),
            "{protected:02x?}"
        );
    }
}

#[test]
fn every_other_algorithm_is_unsupported() {
    // ES256 -7, EdDSA -8, ESP256 -9, -18, -20, Ed448 -53, and positive numbers.
    for algorithm in [
        &[0x26][..],
        &[0x27],
        &[0x28],
        &[0x31],
        &[0x33],
        &[0x38, 0x34],
        &[0x13],
    ] {
        let hint = [4, 0x48, 1, 2, 3, 4, 5, 6, 7, 8];
        let protected = [&[0xa2, 1], algorithm, &hint].concat();
        assert_eq!(with_header(&protected), Err(Refusal::Unsupported));
    }
}

#[test]
fn an_object_has_four_items_an_empty_header_and_64_bytes_of_signature() {
    let protected = [0xa2, 1, 0x32, 4, 0x48, 1, 2, 3, 4, 5, 6, 7, 8];
    let items = body_items();
    assert_eq!(decode(&object(0x84, &protected, &[0xa0], &items)), Ok(()));
    let malformed = [
        object(0x83, &protected, &[0xa0], &items),
        object(0x85, &protected, &[0xa0], &items),
        object(0x84, &protected, &[0x80], &items),
        object(0x84, &protected, &[0xa1, 4, 0x41, 1], &items),
        object(0x84, &protected, &[0xa0], &items[..items.len() - 1]),
        object(0x84, &protected, &[0xa0], &[&items[..], &[0]].concat()),
        [&[0xd2][..], &object(0x84, &protected, &[0xa0], &items)].concat(),
        [
            &[0x9f][..],
            &object(0x84, &protected, &[0xa0], &items)[1..],
            &[0xff],
        ]
        .concat(),
    ];
    for bytes in malformed {
        assert_eq!(decode(&bytes), Err(Refusal::Malformed), "{bytes:02x?}");
    }
    for length in [0u8, 63, 65] {
        let mut writer = Writer::new();
        writer
            .bytes(&payload(&TimeAttestation { time: NOW }))
            .bytes(&[0; 65][..usize::from(length)]);
        let bytes = object(0x84, &protected, &[0xa0], &writer.into_bytes());
        assert_eq!(decode(&bytes), Err(Refusal::Malformed));
    }
    let mut writer = Writer::new();
    writer.bytes(&[0xa1, 1, 0, 0]).bytes(&[0; 64]);
    let trailing = object(0x84, &protected, &[0xa0], &writer.into_bytes());
    assert_eq!(
        decode(&trailing),
        Err(Refusal::Malformed),
        "trailing payload byte"
    );
}

#[test]
fn objects_are_too_large_one_byte_above_their_limit() {
    let longest = alloc::vec![0; TimeAttestation::MAX_BYTES + 1];
    let shorter = &longest[..TimeAttestation::MAX_BYTES];
    assert_eq!(decode(&longest), Err(Refusal::TooLarge));
    assert_eq!(decode(shorter), Err(Refusal::Malformed));
}

#[test]
fn hints_stand_where_they_must_and_nowhere_else() {
    fn decodes<T: Body>(body: &T, with_hint: bool) -> bool {
        let sealed = seal_with_hint(body, &gateway(), NO_REST, with_hint).unwrap();
        Unverified::<T>::decode(&sealed.bytes).is_ok()
    }
    fn body<T: Body + Clone>(bytes: &[u8]) -> T {
        Unverified::<T>::decode(bytes)
            .unwrap()
            .unverified_body()
            .clone()
    }
    let attestation = TimeAttestation { time: NOW };
    let head = JournalHead {
        index: 0,
        head: [0; 32],
        vehicle: vehicle(),
        time: NOW,
    };
    let asked = challenge(1).bytes;
    let leaf = ObjectId([0; 32]);
    let sealed = proof(
        crate::command::VehicleCommand::Lock,
        1,
        &holder(1),
        &asked,
        &leaf,
    );
    let proof: Proof = body(&sealed.bytes);
    let statement: Statement = body(&statement(1, NOW, None, &[], &[]).bytes);
    for with_hint in [true, false] {
        assert_eq!(decodes(&attestation, with_hint), with_hint);
        assert_eq!(decodes(&head, with_hint), with_hint);
        assert_eq!(decodes(&crate::testing::bundle(1), with_hint), with_hint);
        assert_eq!(decodes(&statement, with_hint), with_hint);
        assert_eq!(decodes(&body::<Challenge>(&asked), with_hint), with_hint);
        assert_eq!(decodes(&proof, with_hint), !with_hint);
    }
}

#[test]
fn the_signed_bytes_are_the_sig_structure_of_rfc_9052() {
    let body = TimeAttestation { time: NOW };
    let unsigned = Unsigned::new(&body, owner().verifying_key(), true);
    let rest: Rest<'_> = [&[7; 32], &[8; 4], &[]];
    let mut expected = Writer::new();
    expected
        .array(4)
        .text("Signature1")
        .bytes(&unsigned.protected);
    expected.bytes(&[&b"ck1:time"[..], &[7; 32], &[8; 4]].concat());
    expected.bytes(&payload(&body));
    let expected = expected.into_bytes();
    let input = unsigned.input::<TimeAttestation>(rest);
    assert_eq!(input.to_bytes(), expected);
    assert_eq!(input.id().0, sha256(&expected));
}

#[test]
fn contexts_are_those_of_the_format() {
    assert_eq!(Claims::CONTEXT.0, b"ck1:link");
    assert_eq!(Proof::CONTEXT.0, b"ck1:pop\0");
    assert_eq!(Challenge::CONTEXT.0, b"ck1:chal");
    assert_eq!(Statement::CONTEXT.0, b"ck1:rev\0");
    assert_eq!(crate::bundle::Bundle::CONTEXT.0, b"ck1:bndl");
    assert_eq!(TimeAttestation::CONTEXT.0, b"ck1:time");
    assert_eq!(crate::receipt::Receipt::CONTEXT.0, b"ck1:rcpt");
    assert_eq!(JournalHead::CONTEXT.0, b"ck1:jrnl");
    assert_eq!(crate::handshake::SyncHello::CONTEXT.0, b"ck1:sync");
}

#[test]
fn an_object_of_one_context_is_not_taken_for_another() {
    // The same payload bytes, signed by the same key, as another kind of object.
    let body = TimeAttestation { time: NOW };
    let unsigned = Unsigned::new(&body, owner().verifying_key(), true);
    let foreign = SigningInput {
        context: JournalHead::CONTEXT,
        ..unsigned.input::<TimeAttestation>(NO_REST)
    };
    let signature = owner().sign(&foreign).unwrap();
    let sealed = unsigned.attach::<TimeAttestation>(NO_REST, &signature);
    let decoded = Unverified::<TimeAttestation>::decode(&sealed.bytes).unwrap();
    let refused = decoded.verify(owner().verifying_key(), NO_REST);
    assert_eq!(refused.unwrap_err(), Refusal::BadSignature);
}

#[test]
fn only_the_keys_that_the_hint_names_are_tried() {
    let sealed = statement(1, NOW, None, &[ShortId([1; 16])], &[]);
    let decoded = Unverified::<Statement>::decode(&sealed.bytes).unwrap();
    let (right, wrong) = (*owner().verifying_key(), *second_owner().verifying_key());
    let find = |keys: &[VerifyingKey]| decoded.find_signer(keys, NO_REST);
    assert_eq!(find(&[wrong, right]), Ok(right));
    assert_eq!(find(&[wrong]), Err(Refusal::UnknownSigner));
    assert_eq!(find(&[]), Err(Refusal::UnknownSigner));
    let verified = decoded.clone().verify(&right, NO_REST).unwrap();
    assert_eq!(verified.signer(), &right);
    assert_eq!(verified.id(), sealed.id);
    // A hint that names a known key which did not sign.
    let mut forged = sealed.bytes.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let decoded = Unverified::<Statement>::decode(&forged).unwrap();
    let refused = decoded.find_signer([&right], NO_REST);
    assert_eq!(refused, Err(Refusal::BadSignature));
}

#[test]
fn of_many_keys_under_one_hint_four_are_tried() {
    let link = KeyBuilder::owned(&holder(1)).then(
        crate::testing::claims(&holder(2), crate::testing::window(), Default::default()),
        &holder(2),
    );
    // A later link has no hint: every key is a candidate.
    let bytes = &link.links()[1].bytes;
    let parent = link.links()[0].id;
    let decoded = Unverified::<Claims>::decode(bytes).unwrap();
    let right = *holder(1).verifying_key();
    let wrong = *owner().verifying_key();
    let rest: Rest<'_> = [&parent.0, &[], &[]];
    let find = |keys: &[VerifyingKey]| decoded.find_signer(keys, rest);
    assert_eq!(find(&[wrong, wrong, wrong, right]), Ok(right));
    let refused = find(&[wrong, wrong, wrong, wrong, right]);
    assert_eq!(refused, Err(Refusal::BadSignature));
}

#[test]
fn a_signer_that_cannot_sign_says_so() {
    struct Locked(SigningKey);
    impl Signer for Locked {
        fn verifying_key(&self) -> &VerifyingKey {
            self.0.verifying_key()
        }
        fn sign(&self, _: &SigningInput<'_>) -> Result<[u8; 64], SignError> {
            Err(SignError)
        }
    }
    let claims = crate::testing::mandate_claims();
    let refused = sign_link(&claims, &Locked(owner()), None);
    assert_eq!(refused, Err(SignError));
}

#[test]
fn a_sealed_object_prints_its_id_and_its_length() {
    let sealed = crate::testing::status_link();
    let printed = alloc::format!("{sealed:?}");
    let length = sealed.bytes.len();
    assert_eq!(
        printed,
        alloc::format!("Sealed({}, {length} bytes)", sealed.id)
    );
}

use super::*;
use crate::codec::edits::assert_strict;
use crate::entitlement::Entitlements;
use crate::link::sign_link;
use crate::refusal::Refusal;
use crate::testing::{KeyBuilder, claims, holder, owner, window};

fn three_links() -> KeyBuilder {
    let mut second = claims(&holder(2), window(), Entitlements::UNLOCK);
    second.policy.delegations = 1;
    let third = claims(&holder(3), window(), Entitlements::UNLOCK);
    KeyBuilder::owned(&holder(1))
        .then(second, &holder(2))
        .then(third, &holder(3))
}

fn parse(bytes: &[u8]) -> Result<usize, Refusal> {
    UnverifiedKey::parse(bytes)
        .map(|key| key.links().count())
        .map_err(DecodeError::refusal)
}

#[test]
fn a_key_comes_back_as_written_from_any_anchor() {
    let key = three_links();
    for anchored in 0..=3 {
        let encoded = key.encode_from(anchored);
        let parsed = UnverifiedKey::parse(&encoded).unwrap();
        let anchor = anchored.checked_sub(1).map(|index| key.links()[index].id);
        assert_eq!(parsed.anchor(), anchor);
        let links: Vec<_> = parsed.envelopes().iter().map(|link| link.bytes()).collect();
        let expected: Vec<_> = key.links()[anchored..]
            .iter()
            .map(|link| &link.bytes[..])
            .collect();
        assert_eq!(links, expected);
    }
}

#[test]
fn nothing_but_a_key_is_read() {
    let encoded = three_links().encode();
    // A shorter key is a key; what is inside the byte strings is covered by the link's own tests,
    // except that the payloads and headers are edited here at their edges.
    assert_strict(&encoded, |bytes| parse(bytes).is_ok(), &["pop "]);
    let anchor = KeyBuilder::owned(&holder(1)).encode_from(1);
    assert_strict(&anchor, |bytes| parse(bytes).is_ok(), &[]);
}

#[test]
fn a_key_has_one_to_five_items() {
    assert_eq!(parse(&[0x80]), Err(Refusal::Malformed));
    let anchor = [&[0x58, 0x20][..], &[7; 32]].concat();
    let link = three_links().links()[1].bytes.clone();
    let of = |links: usize| {
        let head = [0x80 | u8::try_from(links + 1).unwrap()];
        parse(&[&head[..], &anchor, &link.repeat(links)].concat())
    };
    assert_eq!(of(0), Ok(0));
    assert_eq!(of(3), Ok(3));
    assert_eq!(of(4), Ok(4));
    assert_eq!(of(5), Err(Refusal::TooLarge));
}

#[test]
fn a_key_has_at_most_2560_bytes() {
    let longest = alloc::vec![0x80; limits::KEY_BYTES + 1];
    assert_eq!(parse(&longest), Err(Refusal::TooLarge));
    assert_eq!(
        parse(&longest[1..]),
        Err(Refusal::Malformed),
        "trailing bytes"
    );
}

#[test]
fn an_anchor_stands_first_only_and_has_32_bytes() {
    let key = three_links();
    let (link, anchor) = (
        &key.links()[1].bytes,
        [&[0x58, 0x20][..], &[7; 32]].concat(),
    );
    assert_eq!(parse(&[&[0x82][..], &anchor, link].concat()), Ok(1));
    let behind = [&[0x82][..], &key.links()[0].bytes, &anchor].concat();
    assert_eq!(parse(&behind), Err(Refusal::Malformed));
    assert_eq!(
        parse(&[&[0x81, 0x58, 0x1f][..], &[7; 31]].concat()),
        Err(Refusal::Malformed)
    );
    assert_eq!(
        parse(&[&[0x81, 0x58, 0x21][..], &[7; 33]].concat()),
        Err(Refusal::Malformed)
    );
}

#[test]
fn what_belongs_to_the_first_link_stands_there_and_nowhere_else() {
    let first = claims(&holder(1), window(), Entitlements::UNLOCK);
    let mut later = first.clone();
    later.vehicle = None;
    let parent = ObjectId([9; 32]);
    let signed = |claims: &Claims, parent: Option<&ObjectId>| {
        sign_link(claims, &owner(), parent).unwrap().bytes
    };
    let good_first = signed(&first, None);
    let alone = |link: &[u8]| parse(&encode_key(First::Link(link), &[]));
    let second = |link: &[u8]| parse(&encode_key(First::Link(&good_first), &[link]));
    assert_eq!(alone(&good_first), Ok(1));
    assert_eq!(
        alone(&signed(&first, Some(&parent))),
        Err(Refusal::Malformed),
        "no kid"
    );
    assert_eq!(
        alone(&signed(&later, None)),
        Err(Refusal::Malformed),
        "no aud"
    );
    assert_eq!(second(&signed(&later, Some(&parent))), Ok(2));
    assert_eq!(
        second(&signed(&later, None)),
        Err(Refusal::Malformed),
        "a kid"
    );
    assert_eq!(
        second(&signed(&first, Some(&parent))),
        Err(Refusal::Malformed),
        "an aud"
    );
    later.policy.generation = Some(0);
    assert_eq!(
        second(&signed(&later, Some(&parent))),
        Err(Refusal::Malformed),
        "a generation"
    );
}

#[test]
fn a_link_is_appended_to_a_key_of_either_form() {
    let key = three_links();
    let third = &key.links()[2].bytes;
    let two: Vec<&[u8]> = key.links()[..2]
        .iter()
        .map(|link| &link.bytes[..])
        .collect();
    let whole = encode_key(First::Link(two[0]), &two[1..]);
    assert_eq!(append_link(&whole, third), Ok(key.encode()));
    let anchored = encode_key(First::Anchor(key.links()[0].id), &two[1..]);
    assert_eq!(append_link(&anchored, third), Ok(key.encode_from(1)));
    let five = (0..2).fold(key.encode(), |key, _| append_link(&key, third).unwrap());
    let refused = append_link(&five, third).unwrap_err();
    assert_eq!(refused.refusal(), Refusal::TooLarge);
    assert!(append_link(&whole, &[0]).is_err());
    assert!(append_link(&[0], third).is_err());
}

#[test]
fn ids_and_vehicle_are_told_before_anything_is_verified() {
    let key = three_links();
    let all: Vec<ObjectId> = key.links().iter().map(|link| link.id).collect();
    for anchored in 0..=3 {
        let encoded = key.encode_from(anchored);
        let parsed = UnverifiedKey::parse(&encoded).unwrap();
        let from = anchored.saturating_sub(1);
        assert_eq!(parsed.unverified_ids()[..], all[from..], "{anchored}");
        let named = (anchored == 0).then(crate::testing::vehicle);
        assert_eq!(parsed.unverified_vehicle(), named);
    }
}

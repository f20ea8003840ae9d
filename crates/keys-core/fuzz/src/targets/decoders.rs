//! One law for every decoder: it takes any bytes without a panic, and what it takes has one encoding.

use core::fmt::Debug;

use keys_core::area::{Area, Point, read_area, write_area};
use keys_core::attestation::TimeAttestation;
use keys_core::bundle::Bundle;
use keys_core::carried::{Carried, encode_answer, parse_answer};
use keys_core::challenge::Challenge;
use keys_core::codec::{Reader, Writer};
use keys_core::command::VehicleCommand;
use keys_core::envelope::{Body, Unverified};
use keys_core::handshake::SyncHello;
use keys_core::hours::WeeklyHours;
use keys_core::id::{GrantId, ObjectId, VehicleId};
use keys_core::journal::{ChainCheck, Entry, GENESIS, JournalHead};
use keys_core::key::{First, UnverifiedKey, encode_key};
use keys_core::link::Claims;
use keys_core::pairing::{KeyFingerprint, PairAnswer, PairConfirm, PairOffer, PairingCode};
use keys_core::policy::Policy;
use keys_core::presentation::{Presentation, PresentedKey, cached_key_item, encode_presentation};
use keys_core::proof::Proof;
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusal;
use keys_core::signature::VerifyingKey;
use keys_core::statement::Statement;
use keys_core::status::StatusBoard;
use keys_core::sync::SyncMessage;
use keys_core::time::{ClockInterval, Timestamp};

use super::Target;

/// Everything that turns bytes from outside into values; `board` is the one form only a gateway itself stores.
#[rustfmt::skip]
pub(crate) const DECODERS: &[Target] = &[
    Target { name: "area", run: area },
    Target { name: "attestation", run: signed::<TimeAttestation> },
    Target { name: "board", run: board },
    Target { name: "bundle", run: signed::<Bundle> },
    Target { name: "carried", run: carried },
    Target { name: "carried_answer", run: carried_answer },
    Target { name: "challenge", run: signed::<Challenge> },
    Target { name: "fingerprint", run: fingerprint },
    Target { name: "frame", run: frame },
    Target { name: "hours", run: hours },
    Target { name: "journal_entry", run: journal_entry },
    Target { name: "journal_head", run: signed::<JournalHead> },
    Target { name: "key", run: key },
    Target { name: "link", run: signed::<Claims> },
    Target { name: "pair_answer", run: pair_answer },
    Target { name: "pair_confirm", run: pair_confirm },
    Target { name: "pair_offer", run: pair_offer },
    Target { name: "pairing_code", run: pairing_code },
    Target { name: "policy", run: policy },
    Target { name: "presentation", run: presentation },
    Target { name: "proof", run: signed::<Proof> },
    Target { name: "receipt", run: signed::<Receipt> },
    Target { name: "statement", run: statement },
    Target { name: "sync_hello", run: signed::<SyncHello> },
    Target { name: "vehicle", run: vehicle },
    Target { name: "verifying_key", run: verifying_key },
];

fn text(data: &[u8]) -> Option<&str> {
    core::str::from_utf8(data).ok()
}

fn public_key(data: &[u8]) -> Option<VerifyingKey> {
    VerifyingKey::decode(data.try_into().ok()?).ok()
}

/// Writes a signed object again, from its hint, its body and the signature at its end.
fn written_again<T: Body>(object: &Unverified<'_, T>) -> Vec<u8> {
    let mut payload = Writer::new();
    object.unverified_body().write(&mut payload);
    let mut protected = Writer::new();
    let hint = object.envelope().hint();
    protected
        .map(1 + usize::from(hint.is_some()))
        .uint(1)
        .int(-19);
    if let Some(hint) = hint {
        protected.uint(4).bytes(&hint.0);
    }
    let bytes = object.envelope().bytes();
    let mut writer = Writer::new();
    writer
        .array(4)
        .bytes(&protected.into_bytes())
        .map(0)
        .bytes(&payload.into_bytes())
        .bytes(&bytes[bytes.len() - 64..]);
    writer.into_bytes()
}

/// Whether anything was decoded; panics unless it comes back as written.
fn returns<T, E>(data: &[u8], decoded: Result<T, E>, write: impl FnOnce(T) -> Vec<u8>) -> bool {
    let Ok(value) = decoded else { return false };
    assert_eq!(write(value), data);
    true
}

/// As [`returns`], of an item that stands inside others.
fn item_returns<'a, T, E>(
    data: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, E>,
    write: impl FnOnce(&T, &mut Writer),
) -> Option<T> {
    let mut reader = Reader::new(data);
    let value = read(&mut reader).ok()?;
    reader.finish().ok()?;
    let mut writer = Writer::new();
    write(&value, &mut writer);
    assert_eq!(writer.into_bytes(), data);
    Some(value)
}

fn signed<T: Body>(data: &[u8]) -> bool {
    returns(data, Unverified::<T>::decode(data), |object| {
        assert_eq!(object.envelope().bytes(), data);
        written_again(&object)
    })
}

/// An empty list of suspended links may be stated and is never written.
fn statement(data: &[u8]) -> bool {
    let Ok(object) = Unverified::<Statement>::decode(data) else {
        return false;
    };
    let again = written_again(&object);
    let back = Unverified::<Statement>::decode(&again).expect("what is written is read");
    assert_eq!(back.unverified_body(), object.unverified_body());
    assert!(again == data || object.unverified_body().suspended.is_empty());
    true
}

fn key(data: &[u8]) -> bool {
    returns(data, UnverifiedKey::parse(data), |key| key_again(&key))
}

fn key_again(key: &UnverifiedKey<'_>) -> Vec<u8> {
    let links: Vec<&[u8]> = key.envelopes().iter().map(|link| link.bytes()).collect();
    match key.anchor() {
        Some(anchor) => encode_key(First::Anchor(anchor), &links),
        None => encode_key(First::Link(links[0]), &links[1..]),
    }
}

fn presentation(data: &[u8]) -> bool {
    returns(data, Presentation::parse(data), |presentation| {
        let key = match &presentation.key {
            PresentedKey::Whole(key) => key_again(key),
            PresentedKey::Cached(leaf) => cached_key_item(leaf),
        };
        assert_eq!(key, presentation.key_bytes);
        let challenge = presentation.challenge.envelope().bytes();
        let proof = presentation.proof.envelope().bytes();
        encode_presentation(challenge, &key, proof)
    })
}

fn carried(data: &[u8]) -> bool {
    returns(data, Carried::parse(data), |carried| carried.encode())
}

fn carried_answer(data: &[u8]) -> bool {
    returns(data, parse_answer(data), encode_answer)
}

fn frame(data: &[u8]) -> bool {
    returns(data, SyncMessage::decode(data), |frame| frame.encode())
}

/// An entry by itself, and as the first of a chain.
fn journal_entry(data: &[u8]) -> bool {
    returns(data, Entry::decode(data), |entry| {
        let mut chain = ChainCheck::default();
        let begins = entry.index == 0 && entry.previous == GENESIS;
        assert_eq!(chain.push(data).is_ok(), begins);
        entry.encode()
    })
}

fn pair_offer(data: &[u8]) -> bool {
    returns(data, PairOffer::decode(data), |message| message.encode())
}

fn pair_confirm(data: &[u8]) -> bool {
    returns(data, PairConfirm::decode(data), |message| message.encode())
}

fn pair_answer(data: &[u8]) -> bool {
    returns(data, PairAnswer::decode(data), |message| message.encode())
}

fn fingerprint(data: &[u8]) -> bool {
    let parsed = text(data).and_then(|text| text.parse::<KeyFingerprint>().ok());
    let Some(fingerprint) = parsed else {
        return false;
    };
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    true
}

/// Spaces, hyphens and lower case are read and not written, so only the value comes back.
fn pairing_code(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let Ok(code) = text.parse::<PairingCode>() else {
        return false;
    };
    assert!(code.reveal().to_string().parse() == Ok(code));
    true
}

/// Areas; a polygon's corners are inside it, and no other point makes it panic.
fn area(data: &[u8]) -> bool {
    let Some(area) = item_returns(data, read_area, |area, writer| write_area(writer, area)) else {
        return false;
    };
    if let Area::Polygon(polygon) = &area {
        assert!(polygon.points().iter().all(|corner| area.contains(corner)));
    }
    for (lat, lon) in [
        (0, 0),
        (900_000_000, 0),
        (-900_000_000, 1),
        (7, 1_800_000_000),
        (1, -1),
    ] {
        let _either = area.contains(&Point::new(lat, lon).expect("in range"));
    }
    true
}

/// Hours; a clock that is inside at every second is inside at both ends.
fn hours(data: &[u8]) -> bool {
    let written = |hours: &WeeklyHours, writer: &mut Writer| hours.write(writer);
    let Some(hours) = item_returns(data, WeeklyHours::read, written) else {
        return false;
    };
    let Some(zone) = hours.resolve() else {
        return true;
    };
    for (lo, width) in [
        (0, 0),
        (1_782_907_200, 61),
        (1_792_891_800, 7_200),
        ((1 << 40) - 2, 1),
    ] {
        let (lo, hi) = (Timestamp(lo), Timestamp(lo + width));
        if hours.contains_all(zone, ClockInterval { lo, hi }) {
            assert!(hours.contains(zone, lo) && hours.contains(zone, hi));
        }
    }
    true
}

fn policy(data: &[u8]) -> bool {
    item_returns(data, Policy::read, |policy, writer| policy.write(writer)).is_some()
}

/// Revoked links may be stored in any order and are written in theirs, so only the value comes back.
fn board(data: &[u8]) -> bool {
    let Ok(board) = StatusBoard::decode(data) else {
        return false;
    };
    assert_eq!(StatusBoard::decode(&board.encode()), Ok(board));
    true
}

fn verifying_key(data: &[u8]) -> bool {
    let Some(key) = public_key(data) else {
        return false;
    };
    assert_eq!(key.as_bytes(), data);
    true
}

/// A vehicle as keys name it, and every other name that stands in objects, paths or forms.
fn vehicle(data: &[u8]) -> bool {
    fn comes_back<T: core::str::FromStr + ToString + PartialEq + Debug>(text: &str) {
        if let Ok(value) = text.parse::<T>() {
            assert_eq!(value.to_string().parse().ok(), Some(value));
        }
    }
    let Some(text) = text(data) else { return false };
    comes_back::<VehicleId>(text);
    comes_back::<ObjectId>(text);
    comes_back::<GrantId>(text);
    if let Ok(refusal) = text.parse::<Refusal>() {
        assert_eq!(refusal.code(), text);
    }
    if let Ok(command) = text.parse::<VehicleCommand>() {
        assert_eq!(command.as_str(), text);
    }
    let Ok(vehicle) = VehicleId::from_aud(text) else {
        return false;
    };
    assert_eq!(vehicle.to_aud(), text);
    true
}

//! Pairing exchanges and journals.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::cbor::{V, b, m, n, t};
use super::group::Group;
use super::json::{J, obj};
use super::scene::{AUD, NOW, OTHER_AUD, VEHICLE};
use super::signed::{JOURNAL, Who, gateway, owner, sha256, sign, stranger};
use super::unsigned::entry;

pub(crate) fn groups() -> Vec<Group> {
    vec![pairing(), journals()]
}

const SECRET: [u8; 10] = *b"0123456789";

fn mac(role: u8, gateway_key: &[u8; 32], owner_key: &[u8; 32], bundle: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("HMAC takes a key of any length");
    let vehicle = BASE64URL_NOPAD
        .decode(AUD.as_bytes())
        .expect("the vehicle's id is base64url");
    let parts: [&[u8]; 8] = [
        b"ck1:pair",
        &[role],
        &vehicle,
        owner_key,
        gateway_key,
        &[0x0e; 16],
        &[0x6e; 16],
        &sha256(bundle),
    ];
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn pairing() -> Group {
    let mut group = Group::of_kind(
        1400,
        "pairing",
        "pairing",
        "Pairing exchanges: code, offer, confirmation, answer",
    );
    let (gateway_key, owner_key, bundle) =
        (gateway().public(), owner().public(), b"a signed bundle");
    let code =
        |key: &[u8; 32], secret: &[u8]| BASE32_NOPAD.encode(&[&sha256(key)[..10], secret].concat());
    let right = code(&gateway_key, &SECRET);
    let grouped: Vec<&str> = right
        .as_bytes()
        .chunks(4)
        .map(|group| core::str::from_utf8(group).expect("ASCII"))
        .collect();
    let grouped = grouped.join("-");
    let offer = m([(1, b(&gateway_key)), (2, b(&[0x6e; 16]))]);
    let confirm = |mac: &[u8; 32]| {
        m([
            (1, t(AUD)),
            (2, b(&owner_key)),
            (3, b(&[0x0e; 16])),
            (4, b(bundle)),
            (5, b(mac)),
        ])
    };
    let owner_mac = mac(1, &gateway_key, &owner_key, bundle);
    let gateway_mac = mac(2, &gateway_key, &owner_key, bundle);
    let mut add =
        |name: &str, note: &str, code: &str, confirm: &V, answer: &[u8; 32], results: [&str; 4]| {
            let fields = [
                ("code", J::str(code)),
                ("offer", J::hex(&offer.encode())),
                ("confirm", J::hex(&confirm.encode())),
                ("answer", J::hex(&m([(1, b(answer))]).encode())),
            ];
            let names = ["fingerprint", "offer", "confirm", "answer"];
            let expect = obj(names.into_iter().zip(results.map(J::str)));
            group.add(
                name,
                note,
                fields.map(|(name, value)| (name.to_owned(), value)).into(),
                expect,
            );
        };
    let print = &right[..16];
    let usual = confirm(&owner_mac);
    add(
        "usual",
        "Both sides know the code",
        &grouped,
        &usual,
        &gateway_mac,
        [print, "valid", "valid", "valid"],
    );
    let spoken = right.to_lowercase();
    add(
        "lower-case",
        "Typed in lower case without hyphens",
        &spoken,
        &usual,
        &gateway_mac,
        [print, "valid", "valid", "valid"],
    );
    let spaced = grouped.replace('-', " ");
    add(
        "spaces",
        "Typed with spaces",
        &spaced,
        &usual,
        &gateway_mac,
        [print, "valid", "valid", "valid"],
    );
    let guessed = code(&gateway_key, b"0123456780");
    add(
        "wrong-secret",
        "A code for this gateway with another second half",
        &guessed,
        &usual,
        &gateway_mac,
        [print, "valid", "wrong-mac", "wrong-mac"],
    );
    let other = code(&stranger().public(), &SECRET);
    add(
        "wrong-gateway",
        "The code of another gateway",
        &other,
        &usual,
        &gateway_mac,
        [&other[..16], "wrong-gateway", "valid", "valid"],
    );
    add(
        "reflected",
        "The owner's MAC sent back as the answer",
        &grouped,
        &usual,
        &owner_mac,
        [print, "valid", "valid", "wrong-mac"],
    );
    add(
        "answer-as-confirm",
        "The gateway's MAC in the confirmation",
        &grouped,
        &confirm(&gateway_mac),
        &gateway_mac,
        [print, "valid", "wrong-mac", "valid"],
    );
    for (name, note, key, value) in [
        (
            "other-vehicle",
            "Another vehicle than was signed over",
            1,
            t(OTHER_AUD),
        ),
        (
            "other-owner",
            "Another owner key",
            2,
            b(&stranger().public()),
        ),
        ("other-nonce", "Another nonce", 3, b(&[0x0f; 16])),
        ("other-bundle", "Another bundle", 4, b(b"another bundle")),
    ] {
        add(
            name,
            note,
            &grouped,
            &usual.with(key, value),
            &gateway_mac,
            [print, "valid", "wrong-mac", "wrong-mac"],
        );
    }
    for (name, note, code) in [
        ("short-code", "31 symbols", &right[..31]),
        ("long-code", "33 symbols", &format!("{right}A")),
        (
            "code-with-1",
            "1 is no symbol",
            &right.replacen(|_: char| true, "1", 1),
        ),
        (
            "padded-code",
            "Padding is no symbol",
            &format!("{}=", &right[..31]),
        ),
    ] {
        let nothing = ["bad-code", "bad-code", "bad-code", "bad-code"];
        add(name, note, code, &usual, &gateway_mac, nothing);
    }
    group
}

fn journals() -> Group {
    let mut group = Group::of_kind(
        1500,
        "journals",
        "journal",
        "Chains of journal entries, and whether a head fits",
    );
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut previous = [0; 32];
    for (index, kind) in [(0, 4), (1, 3), (2, 0), (3, 1), (4, 2)] {
        let bytes = entry(index, &previous, kind).encode();
        previous = sha256(&bytes);
        entries.push(bytes);
    }
    let head = |index: u64, hash: &[u8; 32], signer: &Who| {
        sign(
            JOURNAL,
            &[],
            &m([(1, n(index)), (2, b(hash)), (3, t(AUD)), (10, n(NOW))]),
            signer,
        )
        .bytes
    };
    let right = head(4, &previous, &gateway());
    let mut add = |name: &str,
                   note: &str,
                   entries: &[Vec<u8>],
                   head: &[u8],
                   result: &str,
                   good: u64,
                   fits: bool| {
        let fields = vec![
            ("vehicle".to_owned(), J::str(VEHICLE)),
            ("gateway_key".to_owned(), J::hex(&gateway().public())),
            (
                "entries".to_owned(),
                J::list(entries.iter().map(|entry| J::hex(entry))),
            ),
            ("head".to_owned(), J::hex(head)),
        ];
        let expect = obj([
            ("result", J::str(result)),
            ("good", J::num(good)),
            ("head_fits", J::Bool(fits)),
        ]);
        group.add(name, note, fields, expect);
    };
    add(
        "whole",
        "Five entries and their head",
        &entries,
        &right,
        "whole",
        5,
        true,
    );
    add("empty", "No entry", &[], &right, "whole", 0, false);
    add(
        "tail-cut",
        "The last entry is missing: only the head shows it",
        &entries[..4],
        &right,
        "whole",
        4,
        false,
    );
    add(
        "head-of-stranger",
        "A head that another key signed",
        &entries,
        &head(4, &previous, &stranger()),
        "whole",
        5,
        false,
    );
    add(
        "head-of-older",
        "A head over fewer entries",
        &entries,
        &head(3, &sha256(&entries[3]), &gateway()),
        "whole",
        5,
        true,
    );
    add(
        "head-of-fork",
        "A head over another entry 4",
        &entries,
        &head(4, &[7; 32], &gateway()),
        "whole",
        5,
        false,
    );
    let without = [&entries[..2], &entries[3..]].concat();
    add(
        "entry-removed",
        "Entry 2 is missing",
        &without,
        &right,
        "misplaced",
        2,
        false,
    );
    let mut edited = entries.clone();
    edited[1] = entry(1, &sha256(&entries[0]), 4).encode();
    add(
        "entry-edited",
        "Entry 1 was changed: entry 2 does not follow it",
        &edited,
        &right,
        "broken",
        2,
        false,
    );
    let mut cut = entries.clone();
    cut[3].pop();
    add(
        "entry-cut",
        "Entry 3 does not decode",
        &cut,
        &right,
        "malformed",
        3,
        false,
    );
    let mut swapped = entries.clone();
    swapped.swap(2, 3);
    add(
        "swapped",
        "Entries 2 and 3 changed places",
        &swapped,
        &right,
        "misplaced",
        2,
        false,
    );
    let late = vec![entry(0, &[1; 32], 4).encode()];
    add(
        "no-genesis",
        "The first entry follows something",
        &late,
        &right,
        "broken",
        0,
        false,
    );
    group
}

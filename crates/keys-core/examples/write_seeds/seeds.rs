//! Where each fuzz target starts: the vectors' own bytes, and a few objects that no vector holds by itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use data_encoding::HEXLOWER;
use keys_core::anchors::AnchorStore;
use keys_core::codec::Writer;
use keys_core::envelope::Unverified;
use keys_core::link::Claims;
use keys_core::pairing::fingerprint_of;
use keys_core::signature::Signer;
use keys_core::statement::Statement;
use keys_core::status::StatusBoard;
use keys_core::testing::{self, NOW, roots, vehicle};
use keys_core::time::ClockInterval;
use serde_json::Value;

use super::targets::check;

/// Name and bytes of every seed of a target, no bytes twice.
pub(crate) fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut names = BTreeMap::new();
    for case in vectors() {
        let name = case["case"].as_str().expect("a case has a name");
        for (number, bytes) in from_case(target, case).into_iter().enumerate() {
            names.entry(bytes).or_insert(format!("{name}-{number}"));
        }
    }
    for (number, bytes) in others(target).into_iter().enumerate() {
        names.entry(bytes).or_insert(format!("other-{number}"));
    }
    names
        .into_iter()
        .map(|(bytes, name)| (name, bytes))
        .collect()
}

/// All cases, each with what its file says once for all and the file's kind.
fn vectors() -> &'static [Value] {
    static VECTORS: OnceLock<Vec<Value>> = OnceLock::new();
    VECTORS.get_or_init(read_vectors)
}

fn read_vectors() -> Vec<Value> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let entries = std::fs::read_dir(directory).expect("the directory of vectors is there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "json"))
        .collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a file can be read");
        let mut file: Value = serde_json::from_str(&text).expect("a file of vectors");
        let kind = file["kind"].take();
        let common = file["common"].take();
        for case in file["cases"].as_array_mut().expect("a list of cases") {
            let mut whole = common.clone();
            whole["kind"] = kind.clone();
            let fields = whole.as_object_mut().expect("an object");
            fields.append(case.as_object_mut().expect("an object"));
            cases.push(whole);
        }
    }
    cases
}

fn from_case(target: &str, case: &Value) -> Vec<Vec<u8>> {
    let kind = case["kind"].as_str().expect("a file has a kind");
    match (kind, target) {
        ("object", "policy") => policies(case),
        ("object", _) if case["type"] == type_of(target) => bytes(case, &["bytes"]),
        ("decision", "key") => bytes(case, &["key"]),
        ("decision", "link") => bytes(case, &["anchors"]),
        ("decision", "challenge" | "proof") => bytes(case, &[target]),
        ("decision" | "statements", "statement") => bytes(case, &["statements"]),
        ("area", "area") | ("hours", "hours") => bytes(case, &[target]),
        ("journal", "journal_entry") => bytes(case, &["entries"]),
        ("journal", "journal_head") => bytes(case, &["head"]),
        ("pairing", "pair_offer" | "pair_confirm" | "pair_answer") => {
            bytes(case, &[&target["pair_".len()..]])
        }
        ("pairing", "pairing_code") => {
            vec![case["code"].as_str().expect("text").as_bytes().to_vec()]
        }
        ("decision", "verifying_key") => bytes(case, &["gateway_key", "roots"]),
        _ => Vec::new(),
    }
}

/// What the vectors call the objects of a target.
fn type_of(target: &str) -> String {
    match target {
        "attestation" => "time".to_owned(),
        other => other.replace('_', "-"),
    }
}

/// The bytes in hex, alone or in lists, of these fields.
fn bytes(case: &Value, fields: &[&str]) -> Vec<Vec<u8>> {
    let unhex = |text: &Value| HEXLOWER.decode(text.as_str()?.as_bytes()).ok();
    let mut found = Vec::new();
    for field in fields {
        match &case[*field] {
            Value::Array(items) => found.extend(items.iter().filter_map(unhex)),
            item => found.extend(unhex(item)),
        }
    }
    found
}

/// The policies, and the areas in them, of links that decode.
fn policies(case: &Value) -> Vec<Vec<u8>> {
    if case["type"] != "link" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for link in bytes(case, &["bytes"]) {
        if let Ok(link) = Unverified::<Claims>::decode(&link) {
            let mut writer = Writer::new();
            link.unverified_body().policy.write(&mut writer);
            found.push(writer.into_bytes());
        }
    }
    found
}

/// Seeds that are no vector's.
fn others(target: &str) -> Vec<Vec<u8>> {
    match target {
        "check" => check::good()
            .map(<[u8]>::to_vec)
            .chain(check::nearly_good())
            .collect(),
        "presentation" => check::good().map(<[u8]>::to_vec).collect(),
        "board" => boards(),
        "fingerprint" => {
            let fingerprint = fingerprint_of(testing::gateway().verifying_key()).to_string();
            vec![
                fingerprint.to_lowercase().into_bytes(),
                fingerprint.into_bytes(),
            ]
        }
        "vehicle" => vec![
            vehicle().to_aud().into_bytes(),
            vehicle().to_string().into_bytes(),
            b"statement-too-old".to_vec(),
            b"enable_driving".to_vec(),
        ],
        // Choices: all the first, all the second, and two mixtures.
        "narrowing" => vec![
            vec![0; 96],
            vec![1; 160],
            (0..=255).collect(),
            (0..=255u8).map(|number| number.wrapping_mul(37)).collect(),
        ],
        _ => Vec::new(),
    }
}

/// An empty board, one with the owner's word, and one with the platform's as well.
fn boards() -> Vec<Vec<u8>> {
    let status_link = testing::status_link().bytes;
    let anchors = AnchorStore::from_links([&status_link[..]], vehicle(), &roots());
    let ids: Vec<_> = (1..4)
        .map(|number| keys_core::id::ShortId([number; 16]))
        .collect();
    let words = [
        testing::statement(1, NOW, None, &ids, &ids[..1]),
        testing::statement(7, NOW, Some(NOW.plus(900)), &ids[1..], &[]),
    ];
    let mut board = StatusBoard::default();
    let mut boards = vec![board.encode()];
    for word in words {
        let statement = Unverified::<Statement>::decode(&word.bytes).expect("a statement");
        let clock = ClockInterval::exactly(NOW);
        board
            .accept(&statement, vehicle(), &roots(), &anchors, clock)
            .expect("a good one");
        boards.push(board.encode());
    }
    boards
}

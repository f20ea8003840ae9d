//! The vectors are what their generator writes, and keys-core answers each of them as it says.

#[path = "../examples/write_vectors/generate/mod.rs"]
mod generate;
mod verify_vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use keys_core::refusal::Refusal;
use serde_json::Value;

use verify_vectors::fields::{field, text};

/// Codes that need a gateway's memory or its monotonic clock; no vector can hold them.
const NOT_HERE: [Refusal; 3] = [
    Refusal::ChallengeExpired,
    Refusal::Busy,
    Refusal::RateLimited,
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// Name and text of every file.
fn stored() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory()).expect("the directory of vectors is there") {
        let path = entry.expect("an entry can be read").path();
        let name = path
            .file_name()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".json") {
            files.insert(
                name,
                std::fs::read_to_string(&path).expect("a file can be read"),
            );
        }
    }
    files
}

/// The kind and all cases, each with what its file says once for all.
fn cases() -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    for (name, file) in stored() {
        let file: Value =
            serde_json::from_str(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        for case in field(&file, "cases").as_array().expect("a list of cases") {
            let mut whole = field(&file, "common").clone();
            let fields = whole.as_object_mut().expect("an object");
            fields.extend(case.as_object().expect("an object").clone());
            cases.push((text(&file, "kind").to_owned(), whole));
        }
    }
    cases
}

#[test]
fn the_files_are_what_the_generator_writes() {
    let written: BTreeMap<String, String> = generate::files().into_iter().collect();
    let stored = stored();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&written),
        names(&stored),
        "write them again: cargo run -p keys-core --example write_vectors"
    );
    for (name, text) in &written {
        assert!(
            stored[name] == *text,
            "{name} is stale: cargo run -p keys-core --example write_vectors"
        );
    }
}

#[test]
fn every_vector_is_answered_as_it_says() {
    let mut wrong = Vec::new();
    for (kind, case) in cases() {
        let expected = field(&case, "expect");
        let found = verify_vectors::answer(&kind, &case);
        if found != *expected {
            wrong.push(format!(
                "{}: expected {expected}, found {found}",
                text(&case, "case")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} answers differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn names_are_unique_and_every_code_is_given_somewhere() {
    let mut names = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for (_, case) in cases() {
        let name = text(&case, "case").to_owned();
        assert!(names.insert(name.clone()), "two cases are called {name}");
        let mut expected = field(&case, "expect").clone();
        // A receipt may carry any code; that is no answer.
        expected.as_object_mut().expect("an object").remove("body");
        verify_vectors::fields::strings(&expected, &mut |text| {
            codes.insert(text.to_owned());
        });
    }
    for refusal in Refusal::ALL {
        let here = codes.contains(refusal.code());
        assert_eq!(here, !NOT_HERE.contains(refusal), "{refusal}");
    }
}

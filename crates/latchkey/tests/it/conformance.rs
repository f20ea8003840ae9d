//! `latchkey conformance` over its pipes. What it decides is tested beside the code.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use keys_core::command::VehicleCommand;
use keys_core::testing::{self, KeyBuilder, NOW};
use serde_json::{Value, json};

use crate::support::{hex, latchkey, public, run, stderr, stdout};

fn record(case: &str) -> Value {
    let key = KeyBuilder::owned(&testing::holder(1));
    let challenge = testing::challenge(1);
    let proof = testing::proof(
        VehicleCommand::Unlock,
        1,
        &testing::holder(1),
        &challenge.bytes,
        &key.leaf(),
    );
    json!({
        "case": case,
        "vehicle": testing::vehicle().to_string(),
        "roots": [public(&testing::owner())],
        "platform_root": null,
        "anchors": [],
        "now": NOW.0,
        "clock": [NOW.0, NOW.0],
        "in_contact": false,
        "begun": false,
        "uses": {},
        "channel": "local",
        "proximity": 0,
        "known": {"owner_seq": 0, "platform_seq": 0, "generation": 0},
        "position": null,
        "state": null,
        "statements": [hex(&testing::statement(1, NOW, None, &[], &[]).bytes)],
        "gateway_key": public(&testing::gateway()),
        "key": hex(&key.encode()),
        "challenge": hex(&challenge.bytes),
        "proof": hex(&proof.bytes),
        "command": "unlock",
    })
}

#[test]
fn lines_from_standard_input_are_answered_in_order() {
    let input = format!("{}\nnonsense\n{}", record("one"), record("three"));
    let output = run(&["conformance"], &input);

    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
    assert_eq!(
        stdout(&output),
        "{\"case\":\"one\",\"decision\":\"allow\",\"reasons\":[]}\n\
         {\"case\":null,\"decision\":\"refuse\",\"reasons\":[\"malformed\"]}\n\
         {\"case\":\"three\",\"decision\":\"allow\",\"reasons\":[]}\n"
    );
}

#[test]
fn files_are_read_one_after_the_other() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    for name in ["one", "two"] {
        std::fs::write(path(name), record(name).to_string()).expect("written");
    }
    let output = run(&["conformance", &path("two"), "-", &path("one")], "");

    let cases: Vec<String> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["case"].to_string())
        .collect();
    assert_eq!(cases, ["\"two\"", "\"one\""]);
    let missing = run(&["conformance", &path("three")], "");
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("cannot open"));
}

#[test]
fn a_caller_may_ask_line_by_line() {
    let mut child = latchkey()
        .arg("conformance")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    for case in ["one", "two"] {
        writeln!(stdin, "{}", record(case)).expect("the program reads");
        let answer = answers.next().expect("an answer").expect("UTF-8");
        assert!(answer.contains(case), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().expect("the program ends").success());
}

#[test]
fn a_closed_reader_ends_the_run_quietly() {
    let mut child = latchkey()
        .arg("conformance")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("a pipe");
    let line = record("one").to_string();
    while writeln!(stdin, "{line}").is_ok() {}
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
}

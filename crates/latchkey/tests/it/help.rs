//! Every command explains itself.

use crate::support::{run, stderr, stdout};

const COMMANDS: [&[&str]; 15] = [
    &[],
    &["app", "create"],
    &["conformance"],
    &["demo"],
    &["doctor"],
    &["host"],
    &["key", "inspect"],
    &["key", "verify"],
    &["log", "export"],
    &["log", "verify"],
    &["phone"],
    &["phone", "delegate"],
    &["phone", "redeem"],
    &["phone", "unlock"],
    &["up"],
];

#[test]
fn every_command_has_a_help_with_an_example() {
    for command in COMMANDS {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let output = run(&arguments, "");
        let text = stdout(&output);
        assert!(output.status.success(), "{command:?}");
        assert!(
            text.contains("Examples:"),
            "{command:?} has no example:\n{text}"
        );
    }
}

#[test]
fn the_first_help_names_every_command() {
    let text = stdout(&run(&["--help"], ""));
    for name in [
        "up",
        "demo",
        "app",
        "key",
        "log",
        "conformance",
        "doctor",
        "host",
        "phone",
    ] {
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(name)),
            "{name} is missing:\n{text}"
        );
    }
}

#[test]
fn a_mistyped_command_is_refused_with_a_hint() {
    let output = run(&["conformence"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("conformance"));
}

#[test]
fn doctor_names_the_curve_back_end() {
    let text = stdout(&run(
        &[
            "doctor",
            "--listen",
            "127.0.0.1:0",
            "--gateway-listen",
            "127.0.0.1:0",
        ],
        "",
    ));
    assert!(text.contains("curve backend: "), "{text}");
}

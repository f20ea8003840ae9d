//! `latchkey key inspect` and `latchkey key verify`.

use keys_core::entitlement::Entitlements;
use keys_core::envelope::{NO_REST, seal};
use keys_core::id::GrantId;
use keys_core::testing::{self, KeyBuilder, NOW};
use serde_json::Value;

use crate::support::{hex, public, run, stderr, stdout};

fn mandated() -> KeyBuilder {
    let holder = testing::holder(1);
    let mut claims = testing::claims(&holder, testing::window(), Entitlements::UNLOCK);
    claims.grant_id = Some(GrantId([7; 8]));
    KeyBuilder::mandated().then(claims, &holder)
}

fn bundle() -> Vec<u8> {
    seal(&testing::bundle(1), &testing::owner(), NO_REST)
        .expect("a key in memory signs")
        .bytes
}

#[test]
fn inspect_says_that_nothing_was_verified() {
    let key = hex(&KeyBuilder::owned(&testing::holder(1)).encode());
    let output = run(&["key", "inspect", &key], "");
    let text = stdout(&output);

    assert!(output.status.success());
    assert!(text.starts_with("NOT VERIFIED"), "{text}");
    assert!(text.contains("kind: key"), "{text}");
    assert!(
        text.contains("entitlements: unlock, lock, enable_driving"),
        "{text}"
    );
    let output = run(&["key", "inspect", "-", "--json"], &key);
    let value: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(value["verified"], false);
    assert_eq!(value["links"][0]["valid_until"], "2026-07-02T12:00:00Z");
}

#[test]
fn inspect_reads_every_kind_of_object_from_raw_files_too() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let statement = testing::statement(3, NOW, None, &[], &[]);
    let challenge = testing::challenge(1);
    for (kind, bytes) in [
        ("key", mandated().encode()),
        ("link", mandated().links()[2].bytes.clone()),
        ("bundle", bundle()),
        ("statement", statement.bytes),
        (
            "time attestation",
            testing::attestation(NOW, &challenge.bytes).bytes,
        ),
        ("challenge", challenge.bytes),
    ] {
        let path = directory.path().join("object");
        std::fs::write(&path, &bytes).expect("written");
        let output = run(
            &["key", "inspect", &path.display().to_string(), "--json"],
            "",
        );
        let value: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(value["kind"], kind);
        assert_eq!(value["bytes"], bytes.len());
    }
}

#[test]
fn inspect_refuses_what_is_no_object() {
    for nonsense in ["00", "hello there", ""] {
        let output = run(&["key", "inspect", nonsense], "");
        assert_eq!(output.status.code(), Some(2), "{nonsense}");
        assert!(stderr(&output).starts_with("latchkey: "), "{nonsense}");
    }
}

#[test]
fn verify_follows_a_key_from_the_owner() {
    let (key, vehicle) = (hex(&mandated().encode()), testing::vehicle().to_string());
    let (owner, root) = (public(&testing::owner()), public(&testing::platform_root()));
    let trust = [
        "--root",
        &owner,
        "--vehicle",
        &vehicle,
        "--platform-root",
        &root,
    ];
    let verify = |more: &[&str]| {
        let mut arguments = vec!["key", "verify", &key];
        arguments.extend_from_slice(&trust);
        arguments.extend_from_slice(more);
        run(&arguments, "")
    };

    let output = verify(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("✓"), "{}", stdout(&output));
    assert!(verify(&["--at", "2026-07-01T12:00:00Z"]).status.success());
    let late = verify(&["--at", "2026-07-03T00:00:00Z", "--json"]);
    assert_eq!(late.status.code(), Some(1));
    let answer: Value = serde_json::from_str(&stdout(&late)).expect("JSON");
    assert_eq!(answer["reasons"], serde_json::json!(["expired"]));
    assert_eq!(
        answer["gives"]["entitlements"],
        serde_json::json!(["unlock"])
    );
}

#[test]
fn verify_takes_whom_to_trust_from_a_bundle_and_anchors_from_files() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.display().to_string()
    };
    let key = mandated();
    let short = file("key", &key.encode_from(2));
    let bundle = file("bundle", &bundle());
    let mandate = file("mandate", &key.links()[0].bytes);
    let issuer = file("issuer", &key.links()[1].bytes);

    let output = run(
        &[
            "key", "verify", &short, "--bundle", &bundle, "--anchor", &issuer, "--anchor", &mandate,
        ],
        "",
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let output = run(&["key", "verify", &short, "--bundle", &bundle], "");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "✗ the key does not hold: unknown-signer\n");
    let stranger = public(&testing::second_owner());
    let output = run(
        &[
            "key", "verify", &short, "--bundle", &bundle, "--root", &stranger,
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--bundle is not signed by its owner"));
}

#[test]
fn verify_names_what_is_missing_and_how_to_give_it() {
    let key = hex(&mandated().encode());
    let output = run(&["key", "verify", &key], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("give --root, or --bundle"));
    let owner = public(&testing::owner());
    let output = run(&["key", "verify", &key, "--root", &owner], "");
    assert!(stderr(&output).contains("give --vehicle, or --bundle"));
    let output = run(&["key", "verify", &key, "--root", "zz"], "");
    assert!(stderr(&output).contains("expected 32 bytes in hex or base64url"));
}

use std::io::BufReader;

use data_encoding::HEXLOWER;
use keys_core::area::{Area, Point};
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::hours::{HoursWindow, WeeklyHours, ZoneName};
use keys_core::id::{GrantId, ObjectId};
use keys_core::link::Claims;
use keys_core::policy::{CarConditions, Presence, Proximity};
use keys_core::signature::Signer;
use keys_core::testing::{self, KeyBuilder, NOW};
use keys_core::time::{Timestamp, Validity};
use serde_json::{Value, json};

use super::record::REQUIRED;
use super::*;

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn public(key: &impl Signer) -> String {
    hex(key.verifying_key().as_bytes())
}

/// A record in which `key` of holder 1 unlocks at NOW, in contact, with a fresh owner statement.
fn record(key: &[u8], leaf: &ObjectId) -> Value {
    let challenge = testing::challenge(1);
    let proof = testing::proof(
        VehicleCommand::Unlock,
        1,
        &testing::holder(1),
        &challenge.bytes,
        leaf,
    );
    json!({
        "case": "a case",
        "vehicle": testing::vehicle().to_string(),
        "roots": [public(&testing::owner())],
        "platform_root": public(&testing::platform_root()),
        "anchors": [hex(&testing::status_link().bytes)],
        "now": NOW.0,
        "clock": [NOW.0, NOW.0],
        "in_contact": true,
        "begun": false,
        "uses": {},
        "channel": "local",
        "proximity": 0,
        "statements": [hex(&testing::statement(1, NOW, None, &[], &[]).bytes)],
        "known": {"owner_seq": 0, "platform_seq": 0, "generation": 0},
        "gateway_key": public(&testing::gateway()),
        "key": hex(key),
        "challenge": hex(&challenge.bytes),
        "proof": hex(&proof.bytes),
        "command": "unlock",
        "position": null,
        "state": {"stationary": true, "ignition_off": true},
    })
}

fn owned_with(change: impl FnOnce(&mut Claims)) -> Value {
    let holder = testing::holder(1);
    let mut claims = testing::claims(
        &holder,
        testing::window(),
        Entitlements::from_bits(0x7f).expect("known bits"),
    );
    claims.grant_id = Some(GrantId([7; 8]));
    claims.policy.delegations = 3;
    change(&mut claims);
    let key = KeyBuilder::first(&testing::owner(), &claims, &holder);
    record(&key.encode(), &key.leaf())
}

fn owned() -> Value {
    owned_with(|_| {})
}

fn mandated_with(change: impl FnOnce(&mut Claims)) -> Value {
    let holder = testing::holder(1);
    let mut claims = testing::claims(&holder, testing::window(), Entitlements::UNLOCK);
    claims.grant_id = Some(GrantId([7; 8]));
    change(&mut claims);
    let key = KeyBuilder::mandated().then(claims, &holder);
    let mut record = record(&key.encode(), &key.leaf());
    let until = Some(NOW.plus(3_600));
    record["statements"] = json!([hex(&testing::statement(1, NOW, until, &[], &[]).bytes)]);
    record
}

fn with(mut record: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut record);
    record
}

/// Another proof over the record's own challenge.
fn ask(record: &mut Value, command: VehicleCommand, presence: Presence) {
    let key = HEXLOWER
        .decode(record["key"].as_str().expect("a key").as_bytes())
        .expect("hex");
    let parsed = keys_core::key::UnverifiedKey::parse(&key).expect("a key");
    let leaf = parsed.unverified_ids()[0];
    let challenge = testing::challenge(1);
    let body = keys_core::proof::Proof {
        command,
        phone_time: NOW,
        share: None,
        parameters: None,
        presence,
        command_id: keys_core::id::CommandId([1; 16]),
        not_after: NOW.plus(30),
        position: None,
    };
    let proof = keys_core::proof::sign_proof(&body, &testing::holder(1), &challenge.bytes, &leaf)
        .expect("a key in memory signs");
    record["proof"] = json!(hex(&proof.bytes));
    record["command"] = json!(command.as_str());
}

fn answers(input: &[u8]) -> Vec<Value> {
    let mut output = Vec::new();
    run(BufReader::with_capacity(64, input), &mut output).expect("memory can be read and written");
    String::from_utf8(output)
        .expect("JSON is UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("an answer is JSON"))
        .collect()
}

fn decide(record: &Value) -> (String, Vec<String>) {
    let mut answers = answers(format!("{record}\n").as_bytes());
    assert_eq!(answers.len(), 1);
    let answer = answers.remove(0);
    let reasons = answer["reasons"]
        .as_array()
        .expect("reasons")
        .iter()
        .map(|reason| reason.as_str().expect("a code").to_owned())
        .collect();
    (
        answer["decision"].as_str().expect("a decision").to_owned(),
        reasons,
    )
}

#[track_caller]
fn allowed(record: &Value) {
    assert_eq!(decide(record), ("allow".to_owned(), vec![]));
}

#[track_caller]
fn refused(record: &Value, reasons: &[&str]) {
    let (decision, found) = decide(record);
    assert_eq!(
        (decision.as_str(), &found[..]),
        (
            "refuse",
            &reasons.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
        )
    );
}

#[test]
fn a_valid_key_is_allowed_whoever_issued_it() {
    allowed(&owned());
    allowed(&mandated_with(|_| {}));
}

#[test]
fn an_anchored_key_is_allowed_and_unknown_without_its_anchors() {
    let holder = testing::holder(1);
    let mut claims = testing::claims(&holder, testing::window(), Entitlements::UNLOCK);
    claims.grant_id = Some(GrantId([7; 8]));
    let key = KeyBuilder::mandated().then(claims, &holder);
    let anchored = with(mandated_with(|_| {}), |record| {
        record["key"] = json!(hex(&key.encode_from(2)));
        let anchors = record["anchors"].as_array_mut().expect("a list");
        // In whatever order they come.
        anchors.insert(0, json!(hex(&key.links()[1].bytes)));
        anchors.push(json!(hex(&key.links()[0].bytes)));
    });
    allowed(&anchored);
    let without = with(anchored, |record| record["anchors"] = json!([]));
    refused(&without, &["unknown-signer"]);
}

#[test]
fn a_record_may_leave_out_what_may_be_null_and_nothing_else() {
    for name in REQUIRED {
        let lost = with(owned_with(|_| {}), |record| {
            record.as_object_mut().expect("an object").remove(name);
        });
        refused(&lost, &["malformed"]);
    }
    for name in ["owner_seq", "platform_seq", "generation"] {
        let lost = with(owned_with(|_| {}), |record| {
            let known = record["known"].as_object_mut();
            known.expect("an object").remove(name);
        });
        refused(&lost, &["malformed"]);
    }
    let mut lean = owned_with(|claims| claims.policy.outage_limit_s = Some(u32::MAX));
    let fields = lean.as_object_mut().expect("an object");
    for name in ["position", "state", "case", "platform_root"] {
        fields.remove(name);
    }
    fields.insert("something_new".to_owned(), json!([1]));
    allowed(&lean);
    let aud = with(lean, |record| {
        record["vehicle"] = json!(testing::vehicle().to_aud());
        record["key"] = json!(record["key"].as_str().expect("hex").to_uppercase());
    });
    allowed(&aud);
}

#[test]
fn an_ended_trip_may_lock_a_standing_car_before_the_grace_is_over() {
    let ended = with(
        owned_with(|claims| claims.policy.grace_s = Some(600)),
        |record| {
            ask(record, VehicleCommand::Lock, Presence::Tap);
            let end = testing::window().until.0;
            record["clock"] = json!([end + 10, end + 20]);
            record["begun"] = json!(true);
        },
    );
    assert_eq!(
        decide(&ended),
        ("lock-only".to_owned(), vec!["expired".to_owned()])
    );
    let moving = with(ended.clone(), |record| {
        record["state"]["stationary"] = json!(false);
    });
    refused(&moving, &["expired", "car-moving"]);
    let over = with(ended, |record| {
        let end = testing::window().until.0;
        record["clock"] = json!([end + 600, end + 600]);
    });
    refused(&over, &["expired"]);
}

#[test]
fn what_is_wrong_with_bytes_and_signatures_is_the_only_reason() {
    let mut key = KeyBuilder::owned(&testing::holder(1)).encode();
    key.push(0);
    refused(
        &with(owned(), |r| r["key"] = json!(hex(&key))),
        &["malformed"],
    );
    refused(
        &with(owned(), |r| r["key"] = json!("00".repeat(2_561))),
        &["too-large"],
    );
    refused(
        &with(owned(), |r| {
            r["vehicle"] = json!(testing::other_vehicle().to_string());
        }),
        &["wrong-vehicle"],
    );
    refused(
        &with(owned(), |r| {
            r["roots"] = json!([public(&testing::second_owner())]);
        }),
        &["unknown-signer"],
    );
    refused(
        &with(owned(), |r| {
            let key = r["key"].as_str().expect("hex");
            let flipped = if key.ends_with('0') { "1" } else { "0" };
            r["key"] = json!(format!("{}{flipped}", &key[..key.len() - 1]));
        }),
        &["bad-signature"],
    );
    refused(
        &owned_with(|claims| claims.validity.until = NOW.plus(93 * 86_400)),
        &["widened"],
    );
    refused(
        &mandated_with(|claims| claims.policy.outage_limit_s = Some(90_000)),
        &["widened"],
    );
}

#[test]
fn a_mandate_states_its_limits() {
    let unlimited = {
        let mut claims = testing::mandate_claims();
        claims.policy.outage_limit_s = None;
        KeyBuilder::first(&testing::owner(), &claims, &testing::platform_root())
    };
    refused(
        &record(&unlimited.encode(), &unlimited.leaf()),
        &["mandate-exceeded"],
    );
}

#[test]
fn without_challenge_or_proof_the_answer_is_never_allow() {
    refused(
        &with(owned(), |r| r["challenge"] = Value::Null),
        &["wrong-challenge"],
    );
    refused(
        &with(owned(), |r| {
            r["gateway_key"] = json!(public(&testing::issuer()));
        }),
        &["wrong-challenge"],
    );
    refused(
        &with(owned(), |r| r["gateway_key"] = Value::Null),
        &["wrong-challenge"],
    );
    refused(
        &with(owned(), |r| r["proof"] = Value::Null),
        &["bad-signature"],
    );
    refused(
        &with(owned(), |r| {
            r["challenge"] = json!(hex(&testing::challenge(2).bytes));
        }),
        &["bad-signature"],
    );
    refused(
        &with(owned(), |r| r["command"] = json!("lock")),
        &["bad-signature"],
    );
}

#[test]
fn every_refusal_of_time_is_given() {
    let window = testing::window();
    refused(
        &with(owned(), |r| r["clock"] = json!([window.from.0 - 1, NOW.0])),
        &["not-yet-valid"],
    );
    refused(
        &with(owned(), |r| {
            r["clock"] = json!([NOW.0, window.until.0]);
            r["begun"] = json!(true);
        }),
        &["expired"],
    );
    refused(
        &with(owned(), |r| r["clock"] = Value::Null),
        &["clock-untrusted"],
    );
    refused(
        &with(owned(), |r| {
            r["clock"] = json!([NOW.0, Timestamp::UNKNOWN.0]);
        }),
        &["clock-untrusted"],
    );
    refused(
        &with(owned(), |r| r["now"] = json!(NOW.0 + 31)),
        &["command-expired"],
    );
    refused(
        &with(owned(), |r| r["clock"] = json!([NOW.0, NOW.0 + 901])),
        &["statement-too-old"],
    );
    refused(
        &with(owned(), |r| r["statements"] = json!([])),
        &["statement-too-old"],
    );
    let hours = |zone: &str| {
        let night = HoursWindow::new(127, 0, 60).expect("a window");
        WeeklyHours::new(ZoneName::new(zone).expect("a name"), &[night]).expect("hours")
    };
    refused(
        &owned_with(|c| c.policy.hours = Some(hours("Europe/Berlin"))),
        &["outside-hours"],
    );
    refused(
        &owned_with(|c| c.policy.hours = Some(hours("Europe/Atlantis"))),
        &["unsupported"],
    );
}

#[test]
fn an_unknown_clock_has_the_newest_statement_as_its_floor() {
    let record = owned_with(|claims| {
        claims.policy.clock_rule = Some(keys_core::policy::ClockRule::Floor);
    });
    let unknown = with(record, |r| r["clock"] = Value::Null);
    allowed(&unknown);
    let nothing = with(unknown, |r| r["statements"] = json!([]));
    refused(&nothing, &["not-yet-valid", "statement-too-old"]);
}

#[test]
fn every_refusal_of_place_and_state_is_given() {
    let berlin = Point::new(525_200_000, 134_050_000).expect("a point");
    let inside = owned_with(|c| {
        c.policy
            .areas
            .push(Area::circle(berlin, 1_000).expect("a circle"));
    });
    refused(&inside, &["location-unknown"]);
    let at = |position: Value| with(inside.clone(), |r| r["position"] = position);
    allowed(&at(json!([525_200_000, 134_050_000])));
    allowed(&at(json!([52.52, 13.405])));
    refused(&at(json!([48.1, 11.5])), &["outside-area"]);
    refused(&at(json!([91.5, 0.0])), &["malformed"]);
    let parked = owned_with(|c| {
        c.policy.car_conditions = Some(CarConditions {
            stationary: true,
            ignition_off: true,
        });
    });
    allowed(&parked);
    refused(
        &with(parked.clone(), |r| r["state"] = Value::Null),
        &["state-stale"],
    );
    refused(
        &with(parked, |r| {
            r["state"] = json!({"stationary": false, "ignition_off": false});
        }),
        &["car-moving", "ignition-on"],
    );
}

#[test]
fn every_refusal_of_rights_is_given() {
    refused(
        &owned_with(|c| c.policy.entitlements = Entitlements::LOCK),
        &["not-entitled"],
    );
    let local = owned_with(|c| c.policy.entitlements = Entitlements::UNLOCK);
    refused(
        &with(local, |r| r["channel"] = json!("remote")),
        &["not-entitled"],
    );
    refused(
        &owned_with(|c| c.policy.presence = Some(Presence::Verified)),
        &["presence-needed"],
    );
    refused(
        &with(owned(), |r| {
            ask(r, VehicleCommand::EnableDriving, Presence::None);
        }),
        &["presence-needed"],
    );
    refused(
        &owned_with(|c| c.policy.proximity = Some(Proximity::Uwb)),
        &["too-far"],
    );
    let few = owned_with(|c| c.policy.max_uses = Some(2));
    allowed(&with(few.clone(), |r| {
        r["uses"] = json!({"0707070707070707": 1});
    }));
    refused(
        &with(few, |r| r["uses"] = json!({"0707070707070707": 2})),
        &["uses-spent"],
    );
    refused(
        &mandated_with(|c| {
            c.validity = Validity {
                from: Timestamp(NOW.0 - 3_600),
                until: NOW.plus(7 * 86_400),
            };
        }),
        &["mandate-exceeded"],
    );
    refused(
        &with(owned(), |r| r["known"]["generation"] = json!(1)),
        &["old-generation"],
    );
}

#[test]
fn statements_deny_in_their_order_and_those_that_do_not_hold_change_nothing() {
    let leaf = KeyBuilder::owned(&testing::holder(1)).leaf().short();
    let denying = |revoked: &[_], suspended: &[_]| {
        hex(&testing::statement(2, NOW, None, revoked, suspended).bytes)
    };
    let with_statements =
        |list: Vec<String>| with(owned(), |record| record["statements"] = json!(list));
    refused(&with_statements(vec![denying(&[leaf], &[])]), &["revoked"]);
    refused(
        &with_statements(vec![denying(&[], &[leaf])]),
        &["suspended"],
    );
    let older = hex(&testing::statement(1, NOW, None, &[], &[]).bytes);
    refused(
        &with_statements(vec![denying(&[leaf], &[]), older.clone(), "00".to_owned()]),
        &["revoked"],
    );
    let known = with(with_statements(vec![older]), |r| {
        r["known"]["owner_seq"] = json!(2);
    });
    refused(&known, &["statement-too-old"]);
}

#[test]
fn every_line_is_answered_and_none_stops_the_run() {
    let good = owned().to_string();
    let cut = &good[..good.len() - 10];
    let input = format!(
        "{good}\nnonsense\n\n{cut}\n[1]\n\"text\"\n{{\"case\": 7}}\n{}\n\u{0}\u{1}\n{good}",
        "[".repeat(100_000)
    );
    let mut bytes = input.into_bytes();
    bytes.extend_from_slice(b"\n\xff\xfe\n");
    let answers = answers(&bytes);
    let found: Vec<(&Value, &str)> = answers
        .iter()
        .map(|answer| {
            (
                &answer["case"],
                answer["decision"].as_str().expect("a decision"),
            )
        })
        .collect();
    let (named, none, seven) = (json!("a case"), Value::Null, json!(7));
    assert_eq!(
        found,
        [
            (&named, "allow"),
            (&none, "refuse"),
            (&none, "refuse"),
            (&named, "refuse"),
            (&none, "refuse"),
            (&none, "refuse"),
            (&seven, "refuse"),
            (&none, "refuse"),
            (&none, "refuse"),
            (&named, "allow"),
            (&none, "refuse"),
        ]
    );
    assert_eq!(answers[1]["reasons"], json!(["malformed"]));
}

#[test]
fn a_line_beyond_the_limit_is_too_large_and_the_next_one_is_read() {
    let good = owned().to_string();
    let long = format!(
        "{{\"case\": \"long\", \"key\": \"{}\"}}",
        "0".repeat(LINE_BYTES)
    );
    let answers = answers(format!("{long}\n{good}\n").as_bytes());
    assert_eq!(
        answers[0],
        json!({"case": "long", "decision": "refuse", "reasons": ["too-large"]})
    );
    assert_eq!(answers[1]["decision"], "allow");
}

#[test]
fn every_field_of_a_wrong_type_refuses_its_line_alone() {
    for (name, wrong) in [
        ("vehicle", json!("KNDJ23AU4N7000001")),
        ("roots", json!("00")),
        ("roots", json!(["00"])),
        ("platform_root", json!(7)),
        ("anchors", json!([7])),
        ("now", json!("soon")),
        ("clock", json!([2, 1])),
        ("clock", json!([1])),
        ("in_contact", json!(1)),
        ("begun", json!("yes")),
        ("uses", json!({"07": 1})),
        ("uses", json!({"0707070707070707": -1})),
        ("channel", json!("both")),
        ("proximity", json!(4)),
        ("statements", json!({})),
        ("known", json!([])),
        (
            "gateway_key",
            json!("0000000000000000000000000000000000000000000000000000000000000000"),
        ),
        ("key", Value::Null),
        ("challenge", json!("zz")),
        ("proof", json!(1)),
        ("command", json!("open")),
        ("position", json!([1])),
        ("state", json!(true)),
        ("state", json!({"stationary": 1})),
    ] {
        let (decision, reasons) = decide(&with(owned(), |record| record[name] = wrong.clone()));
        assert_eq!(
            (decision.as_str(), &reasons[..]),
            ("refuse", &["malformed".to_owned()][..]),
            "{name}: {wrong}"
        );
    }
}

#[test]
fn a_truncated_or_flipped_key_is_never_allowed() {
    let good = KeyBuilder::owned(&testing::holder(1)).encode();
    let mut input = String::new();
    for at in 0..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << (at % 8);
        for key in [&good[..at], &flipped] {
            let hostile = with(owned(), |record| record["key"] = json!(hex(key)));
            input.push_str(&format!("{hostile}\n"));
        }
    }
    let answers = answers(input.as_bytes());
    assert_eq!(answers.len(), 2 * good.len());
    assert!(answers.iter().all(|answer| answer["decision"] == "refuse"));
}

#[test]
fn links_are_counted_from_the_owner() {
    let mut claims = testing::claims(&testing::holder(1), testing::window(), Entitlements::UNLOCK);
    claims.grant_id = Some(GrantId([7; 8]));
    claims.policy.delegations = 4;
    let mut key = KeyBuilder::first(&testing::owner(), &claims, &testing::holder(1));
    for _ in 0..4 {
        claims.policy.delegations -= 1;
        key = key.then(claims.clone(), &testing::holder(1));
    }
    allowed(&record(&key.encode(), &key.leaf()));
    let links: Vec<&[u8]> = key.links().iter().map(|link| &link.bytes[..]).collect();
    let mut six = links.clone();
    six.push(links[4]);
    let long = keys_core::key::encode_key(keys_core::key::First::Link(six[0]), &six[1..]);
    refused(&record(&long, &key.leaf()), &["too-large"]);
}

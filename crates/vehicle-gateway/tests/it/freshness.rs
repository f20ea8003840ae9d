//! The table of ck1 section 6, cell by cell, through the gateway.

use keys_core::carried::CarriedKind;
use keys_core::entitlement::Entitlements;
use keys_core::id::GrantId;
use keys_core::refusal::Refusal;
use keys_core::testing::{self, KeyBuilder, NOW, holder};
use keys_core::time::Timestamp;

use crate::support::Bench;

/// A key below the mandate with these limits, whose issuer path is with the car.
fn mandated(outage_limit_s: u32, begun_limit_s: u32) -> KeyBuilder {
    let rights = Entitlements::UNLOCK | Entitlements::LOCK;
    let mut claims = testing::claims(&holder(1), testing::window(), rights);
    claims.grant_id = Some(GrantId([4; 8]));
    claims.policy.outage_limit_s = Some(outage_limit_s);
    claims.policy.begun_limit_s = Some(begun_limit_s);
    KeyBuilder::mandated().then(claims, &holder(1))
}

/// What the table is asked about.
struct Case {
    in_contact: bool,
    begun: bool,
    /// Age of the newest statement, seconds; `None` = there is none.
    age_s: Option<u64>,
    opens: bool,
}

const fn cut_off(begun: bool, age_s: Option<u64>, opens: bool) -> Case {
    Case {
        in_contact: false,
        begun,
        age_s,
        opens,
    }
}

const fn in_contact(begun: bool, age_s: Option<u64>, opens: bool) -> Case {
    Case {
        in_contact: true,
        begun,
        age_s,
        opens,
    }
}

async fn try_case(case: &Case, outage_limit_s: u32, begun_limit_s: u32) {
    let bench = Bench::ready().await;
    let key = mandated(outage_limit_s, begun_limit_s);
    bench
        .carry(CarriedKind::Anchor, &key.links()[0])
        .await
        .unwrap();
    bench
        .carry(CarriedKind::Anchor, &key.links()[1])
        .await
        .unwrap();
    if case.begun {
        bench.platform_says(1, NOW, &[], &[]).await;
        bench.unlock(&key, &holder(1)).await.is_done();
    }
    // The statement was signed at NOW; the time is attested so that its age is exact.
    let age = match case.age_s {
        Some(age) => {
            bench.platform_says(2, NOW, &[], &[]).await;
            age
        }
        None => 0,
    };
    let now = NOW.plus(age);
    bench.clock.advance(age);
    bench.attest(now).await.unwrap();
    if case.in_contact {
        hear_from_api(&bench, now).await;
    }
    let challenge = bench.challenge().await;
    let proof = keys_core::proof::Proof {
        command: keys_core::command::VehicleCommand::Unlock,
        phone_time: now,
        share: None,
        parameters: None,
        presence: keys_core::policy::Presence::Tap,
        command_id: keys_core::id::CommandId([bench.fresh_id(); 16]),
        not_after: now.plus(30),
        position: None,
    };
    let proof = keys_core::proof::sign_proof(&proof, &holder(1), &challenge, &key.leaf()).unwrap();
    let presentation =
        keys_core::presentation::encode_presentation(&challenge, &key.encode(), &proof.bytes);
    let reply = bench.present(&presentation).await;
    if case.opens {
        reply.is_done();
    } else {
        reply.is_refused(&[Refusal::StatementTooOld]);
    }
}

/// The API answers a ping.
async fn hear_from_api(bench: &Bench, now: Timestamp) {
    let handler = bench.running().sync_handler();
    let challenge = handler.time_challenge().await.unwrap();
    let attestation = testing::attestation(now, &challenge);
    handler.time(challenge, attestation.bytes).await.unwrap();
}

// The bench's requests move its clock by some hundred milliseconds, so the age is one second more.

#[tokio::test]
async fn cut_off_and_not_begun_a_statement_may_be_as_old_as_policy_4() {
    for case in [
        cut_off(false, None, false),
        cut_off(false, Some(3_599), true),
        cut_off(false, Some(3_600), false),
    ] {
        try_case(&case, 3_600, 7_200).await;
    }
}

#[tokio::test]
async fn at_the_strictest_limit_the_phone_must_carry_a_statement() {
    for case in [
        cut_off(false, None, false),
        cut_off(false, Some(899), true),
        cut_off(false, Some(900), false),
    ] {
        try_case(&case, 900, 7_200).await;
    }
}

#[tokio::test]
async fn cut_off_and_begun_a_statement_may_be_as_old_as_policy_11() {
    for case in [
        cut_off(true, Some(7_199), true),
        cut_off(true, Some(7_200), false),
    ] {
        try_case(&case, 900, 7_200).await;
    }
}

#[tokio::test]
async fn in_contact_and_not_begun_a_statement_may_be_fifteen_minutes_old_whatever_policy_4_says() {
    for case in [
        in_contact(false, None, false),
        in_contact(false, Some(899), true),
        in_contact(false, Some(901), false),
    ] {
        try_case(&case, 86_400, 259_200).await;
    }
}

#[tokio::test]
async fn in_contact_and_begun_no_statement_is_asked_for() {
    try_case(&in_contact(true, Some(40_000), true), 900, 900).await;
}

#[tokio::test]
async fn contact_is_over_after_a_minute() {
    let bench = Bench::ready().await;
    hear_from_api(&bench, NOW).await;
    assert_eq!(bench.running().status()["in_contact"], true);
    bench.clock.advance(60);
    assert_eq!(bench.running().status()["in_contact"], false);
}

#[tokio::test]
async fn a_key_without_an_outage_limit_asks_for_no_statement() {
    let bench = Bench::ready().await;
    bench
        .unlock(&crate::support::key_for(&holder(1), |_| {}), &holder(1))
        .await
        .is_done();
}

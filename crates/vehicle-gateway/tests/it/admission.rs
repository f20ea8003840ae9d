//! Who gets in, when, and what is said otherwise.

use keys_core::carried::CarriedKind;
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::sha256;
use keys_core::journal::EntryKind;
use keys_core::policy::{ClockRule, NO_OUTAGE_LIMIT};
use keys_core::refusal::Refusal;
use keys_core::testing::{self, KeyBuilder, NOW, holder};
use keys_core::time::{Timestamp, Validity};

use crate::support::{Bench, key_for, presentation_over};

#[tokio::test]
async fn a_key_opens_the_car_in_its_window_and_the_journal_tells() {
    let mut bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    let presentation = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    let reply = bench.present(&presentation).await;
    reply.is_done();
    let receipt = reply.receipt().clone();
    assert!(receipt.allowed && receipt.clock_trusted);
    assert_eq!(receipt.time, NOW);
    assert_eq!(receipt.presentation, sha256(&presentation));
    assert_eq!(bench.car.executed(), 1);

    bench.stop().await;
    let journal = bench.journal();
    let outcome = &journal[usize::try_from(receipt.journal.0).unwrap()];
    assert_eq!(sha256(&outcome.encode()), receipt.journal.1);
    let intent = &journal[usize::try_from(receipt.journal.0).unwrap() - 1];
    assert_eq!(
        (intent.kind, outcome.kind),
        (EntryKind::Intent, EntryKind::Outcome)
    );
    assert_eq!(intent.command_id, outcome.command_id);
}

#[tokio::test]
async fn before_the_window_and_from_its_end_on_the_car_stays_shut() {
    let bench = Bench::ready().await;
    let from = |from: u64, until: u64| {
        key_for(&holder(1), |claims| {
            claims.validity = Validity {
                from: Timestamp(from),
                until: Timestamp(until),
            };
        })
    };
    // The attestation was made some hundred milliseconds ago, so the time lies in [NOW, NOW + 1].
    bench
        .unlock(&from(NOW.0 + 1, NOW.0 + 100), &holder(1))
        .await
        .is_refused(&[Refusal::NotYetValid]);
    bench
        .unlock(&from(NOW.0 - 100, NOW.0 + 1), &holder(1))
        .await
        .is_refused(&[Refusal::Expired]);
    bench
        .unlock(&from(NOW.0, NOW.0 + 60), &holder(1))
        .await
        .is_done();
    assert_eq!(bench.car.executed(), 1);
}

#[tokio::test]
async fn a_key_of_another_car_gets_one_generic_answer() {
    let bench = Bench::ready().await;
    let mut claims = testing::claims(&holder(1), testing::window(), Entitlements::UNLOCK);
    claims.vehicle = Some(testing::other_vehicle());
    claims.grant_id = Some(keys_core::id::GrantId([1; 8]));
    let key = KeyBuilder::first(&testing::owner(), &claims, &holder(1));
    bench
        .unlock(&key, &holder(1))
        .await
        .is_problem(403, "wrong-vehicle");
    // The challenge of another car is answered in the same words.
    let mut foreign = keys_core::envelope::Unverified::<keys_core::challenge::Challenge>::decode(
        &bench.challenge().await,
    )
    .unwrap()
    .unverified_body()
    .clone();
    foreign.vehicle = testing::other_vehicle();
    let foreign =
        keys_core::envelope::seal(&foreign, &testing::gateway(), keys_core::envelope::NO_REST)
            .unwrap()
            .bytes;
    let ours = key_for(&holder(1), |_| {});
    let presentation = presentation_over(&foreign, &ours, &holder(1), VehicleCommand::Unlock, 77);
    bench
        .present(&presentation)
        .await
        .is_problem(403, "wrong-vehicle");
}

#[tokio::test]
async fn nothing_unsigned_gets_a_receipt_or_an_entry() {
    let mut bench = Bench::ready().await;
    let stranger = KeyBuilder::first(
        &holder(9),
        &{
            let mut claims = testing::claims(&holder(9), testing::window(), Entitlements::UNLOCK);
            claims.grant_id = Some(keys_core::id::GrantId([1; 8]));
            claims
        },
        &holder(9),
    );
    bench
        .unlock(&stranger, &holder(9))
        .await
        .is_problem(403, "unknown-signer");
    let key = key_for(&holder(1), |_| {});
    bench
        .unlock(&key, &holder(2))
        .await
        .is_problem(403, "bad-signature");
    bench
        .present(b"\x84\x01")
        .await
        .is_problem(400, "malformed");
    let status = bench.running().status();
    assert_eq!(status["unsigned_refusals"]["unknown-signer"], 1);
    assert_eq!(status["unsigned_refusals"]["bad-signature"], 1);
    assert_eq!(status["unsigned_refusals"]["malformed"], 1);
    bench.stop().await;
    assert!(
        bench
            .journal()
            .iter()
            .all(|entry| entry.kind != EntryKind::Refusal)
    );
    assert_eq!(bench.car.executed(), 0);
}

#[tokio::test]
async fn a_delegate_gets_in_with_less_and_not_with_more() {
    let bench = Bench::ready().await;
    let parent = || {
        key_for(&holder(1), |claims| {
            claims.policy.entitlements = Entitlements::UNLOCK | Entitlements::LOCK;
            claims.policy.delegations = 1;
        })
    };
    let link = |rights| testing::claims(&holder(2), testing::window(), rights);
    let narrower = parent().then(link(Entitlements::UNLOCK), &holder(2));
    bench.unlock(&narrower, &holder(2)).await.is_done();
    bench
        .ask(&narrower, &holder(2), VehicleCommand::Lock)
        .await
        .is_refused(&[Refusal::NotEntitled]);
    let wider = parent().then(
        link(Entitlements::UNLOCK | Entitlements::OPEN_TRUNK),
        &holder(2),
    );
    bench
        .unlock(&wider, &holder(2))
        .await
        .is_problem(403, "widened");
}

#[tokio::test]
async fn every_reason_is_told_at_once() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| {
        claims.policy.entitlements = Entitlements::LOCK;
        claims.validity = Validity {
            from: Timestamp(NOW.0 - 100),
            until: NOW,
        };
        claims.policy.presence = Some(keys_core::policy::Presence::Verified);
        claims.policy.outage_limit_s = Some(900);
    });
    bench.unlock(&key, &holder(1)).await.is_refused(&[
        Refusal::Expired,
        Refusal::NotEntitled,
        Refusal::PresenceNeeded,
        Refusal::StatementTooOld,
    ]);
}

/// A fresh word of the owner, which clock rule 1 asks for.
async fn owner_says(bench: &Bench) {
    let statement = testing::statement(1, NOW, None, &[], &[]);
    bench
        .carry(CarriedKind::Statement, &statement)
        .await
        .unwrap();
}

#[tokio::test]
async fn while_nobody_attested_the_time_the_clock_rule_decides() {
    let bench = Bench::paired().await;
    bench
        .carry(CarriedKind::Anchor, &testing::status_link())
        .await
        .unwrap();
    let rule = |rule| {
        key_for(&holder(1), move |claims| {
            claims.policy.clock_rule = Some(rule);
        })
    };
    bench
        .unlock(&rule(ClockRule::Refuse), &holder(1))
        .await
        .is_refused(&[Refusal::ClockUntrusted]);
    bench
        .unlock(&rule(ClockRule::Floor), &holder(1))
        .await
        .is_refused(&[Refusal::ClockUntrusted]);
    owner_says(&bench).await;
    for _ in 0..3 {
        bench
            .unlock(&rule(ClockRule::Floor), &holder(1))
            .await
            .is_done();
    }
    bench
        .unlock(&rule(ClockRule::Floor), &holder(1))
        .await
        .is_refused(&[Refusal::ClockUntrusted]);
    bench
        .unlock(&rule(ClockRule::Ignore), &holder(1))
        .await
        .is_done();
    bench.attest(NOW).await.unwrap();
    bench
        .unlock(&rule(ClockRule::Refuse), &holder(1))
        .await
        .is_done();
}

#[tokio::test]
async fn switching_the_gateway_off_and_on_gives_no_further_admissions() {
    let mut bench = Bench::paired().await;
    owner_says(&bench).await;
    let key = key_for(&holder(1), |claims| {
        claims.policy.clock_rule = Some(ClockRule::Floor);
    });
    for _ in 0..3 {
        bench.unlock(&key, &holder(1)).await.is_done();
        bench.restart().await;
    }
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::ClockUntrusted]);
}

#[tokio::test]
async fn two_hours_after_the_clock_was_lost_the_floor_admits_nobody() {
    let bench = Bench::paired().await;
    owner_says(&bench).await;
    let key = key_for(&holder(1), |claims| {
        claims.policy.clock_rule = Some(ClockRule::Floor);
    });
    bench.clock.advance(7_190);
    bench.unlock(&key, &holder(1)).await.is_done();
    bench.clock.advance(11);
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::ClockUntrusted]);
}

#[tokio::test]
async fn an_owner_device_opens_without_time_and_without_statements() {
    let bench = Bench::paired().await;
    let key = key_for(&testing::owner(), |claims| {
        claims.policy.outage_limit_s = None;
    });
    bench.unlock(&key, &testing::owner()).await.is_done();
}

#[tokio::test]
async fn a_key_below_a_mandate_opens_with_the_anchors_path_alone() {
    let bench = Bench::ready().await;
    let mut claims = testing::claims(&holder(1), testing::window(), Entitlements::UNLOCK);
    claims.grant_id = Some(keys_core::id::GrantId([5; 8]));
    let key = KeyBuilder::mandated().then(claims, &holder(1));
    for link in &key.links()[..2] {
        bench.carry(CarriedKind::Anchor, link).await.unwrap();
    }
    bench.platform_says(1, NOW, &[], &[]).await;
    let challenge = bench.challenge().await;
    let proof = testing::proof(
        VehicleCommand::Unlock,
        9,
        &holder(1),
        &challenge,
        &key.leaf(),
    );
    let short =
        keys_core::presentation::encode_presentation(&challenge, &key.encode_from(2), &proof.bytes);
    bench.present(&short).await.is_done();
    // The same key again, by the id of its leaf alone.
    let challenge = bench.challenge().await;
    let proof = testing::proof(
        VehicleCommand::Unlock,
        10,
        &holder(1),
        &challenge,
        &key.leaf(),
    );
    let cached = keys_core::presentation::cached_key_item(&key.leaf());
    let shortest = keys_core::presentation::encode_presentation(&challenge, &cached, &proof.bytes);
    bench.present(&shortest).await.is_done();
    // A statement changes what is believed: the gateway wants to see the key again.
    bench.platform_says(2, NOW, &[], &[]).await;
    let challenge = bench.challenge().await;
    let proof = testing::proof(
        VehicleCommand::Unlock,
        11,
        &holder(1),
        &challenge,
        &key.leaf(),
    );
    let shortest = keys_core::presentation::encode_presentation(&challenge, &cached, &proof.bytes);
    bench
        .present(&shortest)
        .await
        .is_problem(403, "unknown-signer");
}

#[tokio::test]
async fn car_conditions_refuse_what_is_not_known() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| {
        claims.policy.outage_limit_s = Some(NO_OUTAGE_LIMIT);
        claims.policy.car_conditions = keys_core::policy::CarConditions::from_bits(1);
    });
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::StateStale]);
    bench.car.stands(false);
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::CarMoving]);
    bench.car.stands(true);
    bench.unlock(&key, &holder(1)).await.is_done();
}

#[tokio::test]
async fn a_command_whose_own_deadline_is_over_does_not_run() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    bench.clock.advance(31);
    let presentation = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    bench
        .present(&presentation)
        .await
        .is_refused(&[Refusal::CommandExpired]);
}

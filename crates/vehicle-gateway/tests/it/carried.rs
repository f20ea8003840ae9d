//! What phones bring: statements, bundles, anchors.

use keys_core::carried::CarriedKind;
use keys_core::command::VehicleCommand;
use keys_core::envelope::{NO_REST, seal};
use keys_core::journal::EntryKind;
use keys_core::refusal::Refusal;
use keys_core::signature::Signer;
use keys_core::testing::{self, KeyBuilder, NOW, holder};
use keys_core::time::Timestamp;

use crate::support::{Bench, bundle_of, confirmation, key_for};

#[tokio::test]
async fn a_carried_revocation_ends_the_key_and_every_key_below_it() {
    let mut bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| claims.policy.delegations = 1);
    let below = key.clone().then(
        testing::claims(
            &holder(2),
            testing::window(),
            keys_core::entitlement::Entitlements::UNLOCK,
        ),
        &holder(2),
    );
    bench.unlock(&key, &holder(1)).await.is_done();
    bench.unlock(&below, &holder(2)).await.is_done();
    let statement = testing::statement(1, NOW, None, &[key.leaf().short()], &[]);
    bench
        .carry(CarriedKind::Statement, &statement)
        .await
        .unwrap();
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::Revoked]);
    bench
        .unlock(&below, &holder(2))
        .await
        .is_refused(&[Refusal::Revoked]);
    // It is durable, and a later statement that does not list it changes nothing.
    bench.restart().await;
    bench.attest(NOW).await.unwrap();
    bench
        .carry(
            CarriedKind::Statement,
            &testing::statement(2, NOW, None, &[], &[]),
        )
        .await
        .unwrap();
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::Revoked]);
}

#[tokio::test]
async fn an_older_statement_is_a_rollback_and_a_second_one_of_the_same_number_an_alarm() {
    let mut bench = Bench::ready().await;
    bench
        .carry(
            CarriedKind::Statement,
            &testing::statement(5, NOW, None, &[], &[]),
        )
        .await
        .unwrap();
    bench
        .carry(
            CarriedKind::Statement,
            &testing::statement(5, NOW, None, &[], &[]),
        )
        .await
        .unwrap();
    let older = testing::statement(4, NOW, None, &[], &[]);
    assert_eq!(
        bench.carry(CarriedKind::Statement, &older).await,
        Err(Refusal::StatementTooOld)
    );
    let other = testing::statement(5, Timestamp(NOW.0 - 1), None, &[], &[]);
    assert_eq!(
        bench.carry(CarriedKind::Statement, &other).await,
        Err(Refusal::Replayed)
    );
    let ahead = testing::statement(6, NOW.plus(700), None, &[], &[]);
    assert_eq!(
        bench.carry(CarriedKind::Statement, &ahead).await,
        Err(Refusal::NotYetValid)
    );
    bench.stop().await;
    let alarms = bench
        .journal()
        .into_iter()
        .filter(|entry| entry.note.as_deref() == Some("equivocation"));
    assert_eq!(alarms.count(), 1);
}

#[tokio::test]
async fn the_status_key_cannot_touch_a_key_the_owner_signed() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    bench.platform_says(1, NOW, &[&key], &[]).await;
    bench.unlock(&key, &holder(1)).await.is_done();
}

#[tokio::test]
async fn a_suspended_key_that_has_begun_may_lock_a_standing_car_and_nothing_else() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| claims.policy.grace_s = Some(3_600));
    let suspend = testing::statement(1, NOW, None, &[], &[key.leaf().short()]);
    let lock = VehicleCommand::Lock;
    bench.car.stands(true);
    // Not begun: not even that.
    bench.carry(CarriedKind::Statement, &suspend).await.unwrap();
    bench
        .ask(&key, &holder(1), lock)
        .await
        .is_refused(&[Refusal::Suspended]);
    bench
        .carry(
            CarriedKind::Statement,
            &testing::statement(2, NOW, None, &[], &[]),
        )
        .await
        .unwrap();
    bench.unlock(&key, &holder(1)).await.is_done();
    let again = testing::statement(3, NOW, None, &[], &[key.leaf().short()]);
    bench.carry(CarriedKind::Statement, &again).await.unwrap();
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::Suspended]);
    bench
        .ask(&key, &holder(1), VehicleCommand::OpenTrunk)
        .await
        .is_refused(&[Refusal::Suspended]);
    let reply = bench.ask(&key, &holder(1), lock).await;
    reply.is_done();
    assert!(
        reply.receipt().reasons.contains(Refusal::Suspended),
        "it says why it is lock only"
    );
    // The answer says nothing about a moving car beyond the refusal.
    bench.car.stands(false);
    bench
        .ask(&key, &holder(1), lock)
        .await
        .is_refused(&[Refusal::Suspended]);
}

#[tokio::test]
async fn an_ended_key_locks_until_its_grace_is_over() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| {
        claims.validity.until = NOW.plus(10);
        claims.policy.grace_s = Some(60);
    });
    bench.car.stands(true);
    bench.unlock(&key, &holder(1)).await.is_done();
    bench.clock.advance(15);
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::Expired]);
    bench
        .ask(&key, &holder(1), VehicleCommand::Lock)
        .await
        .is_done();
}

#[tokio::test]
async fn a_bundle_needs_a_higher_number_and_an_owner_key_held() {
    let bench = Bench::ready().await;
    let bundle = |seq| bundle_of(&bench.gateway_key, seq);
    let signed = |seq, signer| seal(&bundle(seq), &signer, NO_REST).unwrap();
    bench
        .carry(CarriedKind::Bundle, &signed(3, testing::owner()))
        .await
        .unwrap();
    bench
        .carry(CarriedKind::Bundle, &signed(3, testing::owner()))
        .await
        .unwrap();
    let older = signed(2, testing::owner());
    assert_eq!(
        bench.carry(CarriedKind::Bundle, &older).await,
        Err(Refusal::StatementTooOld)
    );
    let stranger = signed(4, testing::second_owner());
    assert_eq!(
        bench.carry(CarriedKind::Bundle, &stranger).await,
        Err(Refusal::UnknownSigner)
    );
    let mut raised = bundle(4);
    raised.least_generation = 1;
    let key = key_for(&holder(1), |_| {});
    bench.unlock(&key, &holder(1)).await.is_done();
    bench
        .carry(
            CarriedKind::Bundle,
            &seal(&raised, &testing::owner(), NO_REST).unwrap(),
        )
        .await
        .unwrap();
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::OldGeneration]);
}

#[tokio::test]
async fn other_owner_keys_wait_72_hours_and_a_current_owner_can_cancel_them() {
    let bench = Bench::ready().await;
    let mut stolen = bundle_of(&bench.gateway_key, 2);
    stolen.owner_keys = [*testing::second_owner().verifying_key()]
        .into_iter()
        .collect();
    let stolen = seal(&stolen, &testing::owner(), NO_REST).unwrap();
    bench.carry(CarriedKind::Bundle, &stolen).await.unwrap();
    assert_eq!(bench.running().status()["bundle"]["waiting_seq"], 2);
    bench
        .unlock(&key_for(&holder(1), |_| {}), &holder(1))
        .await
        .is_done();
    let cancel = seal(
        &bundle_of(&bench.gateway_key, 3),
        &testing::owner(),
        NO_REST,
    )
    .unwrap();
    bench.carry(CarriedKind::Bundle, &cancel).await.unwrap();
    let status = bench.running().status();
    assert_eq!(status["bundle"]["seq"], 3);
    assert!(status["bundle"]["waiting_seq"].is_null());
    assert_eq!(
        bench.carry(CarriedKind::Bundle, &stolen).await,
        Err(Refusal::StatementTooOld)
    );
}

#[tokio::test]
async fn only_mandates_issuers_and_status_links_become_anchors() {
    let bench = Bench::ready().await;
    let mandated = KeyBuilder::mandated();
    let issuer = &mandated.links()[1];
    assert_eq!(
        bench.carry(CarriedKind::Anchor, issuer).await,
        Err(Refusal::UnknownSigner),
        "its parent is missing"
    );
    bench
        .carry(CarriedKind::Anchor, &mandated.links()[0])
        .await
        .unwrap();
    bench.carry(CarriedKind::Anchor, issuer).await.unwrap();
    bench.carry(CarriedKind::Anchor, issuer).await.unwrap();
    let plain = key_for(&holder(1), |_| {});
    assert_eq!(
        bench.carry(CarriedKind::Anchor, &plain.links()[0]).await,
        Err(Refusal::Unsupported)
    );
    assert_eq!(bench.running().status()["anchors"], 3);
}

#[tokio::test]
async fn an_attestation_counts_for_our_own_challenge_and_by_a_status_key_only() {
    let bench = Bench::paired().await;
    assert_eq!(
        bench.attest(NOW).await,
        Err(Refusal::UnknownSigner),
        "no status key is known yet"
    );
    bench
        .carry(CarriedKind::Anchor, &testing::status_link())
        .await
        .unwrap();
    let foreign = testing::challenge(1).bytes;
    let attestation = testing::attestation(NOW, &foreign);
    let carried = keys_core::carried::Carried {
        kind: CarriedKind::Time,
        object: &attestation.bytes,
        challenge: Some(&foreign),
    };
    assert_eq!(
        bench.carry_bytes(&carried.encode()).await,
        Err(Refusal::WrongChallenge)
    );
    let after_its_end = NOW.plus(30 * 86_400);
    assert_eq!(bench.attest(after_its_end).await, Err(Refusal::Expired));
    bench.attest(NOW).await.unwrap();
    assert_eq!(bench.running().status()["clock"]["trusted"], true);
}

#[tokio::test]
async fn pairing_anew_starts_the_numbers_anew_and_forgets_no_revocation() {
    let mut bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    let statement = testing::statement(7, NOW, None, &[key.leaf().short()], &[]);
    bench
        .carry(CarriedKind::Statement, &statement)
        .await
        .unwrap();
    let mut bundle = bundle_of(&bench.gateway_key, 1);
    bundle.issued_at = Timestamp(NOW.0 + 1);
    let (offer, confirm) = confirmation(&bench.gateway_key, &bundle, &testing::owner());
    bench
        .running()
        .pairing_sink()
        .pin(&offer, &confirm)
        .await
        .unwrap();
    assert_eq!(bench.running().status()["statements"]["owner_seq"], 0);
    bench.restart().await;
    bench.attest(NOW.plus(1)).await.unwrap();
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::Revoked]);
    bench
        .unlock(&key_for(&holder(2), |_| {}), &holder(2))
        .await
        .is_done();
}

#[tokio::test]
async fn a_confirmation_that_does_not_fit_is_not_pinned() {
    let bench = Bench::ready().await;
    let sink = bench.running().pairing_sink();
    let foreign = bundle_of(testing::gateway().verifying_key(), 1);
    let (_, confirm) = confirmation(
        testing::gateway().verifying_key(),
        &foreign,
        &testing::owner(),
    );
    let (offer, _) = confirmation(
        &bench.gateway_key,
        &bundle_of(&bench.gateway_key, 9),
        &testing::owner(),
    );
    assert!(
        sink.pin(&offer, &confirm).await.is_err(),
        "the bundle names another gateway"
    );
    let (offer, confirm) = confirmation(
        &bench.gateway_key,
        &bundle_of(&bench.gateway_key, 9),
        &testing::second_owner(),
    );
    assert!(
        sink.pin(&offer, &confirm).await.is_err(),
        "the bundle does not name its signer"
    );
}

#[tokio::test]
async fn refusals_of_one_key_fill_no_journal() {
    let mut bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| claims.validity.until = NOW);
    for _ in 0..14 {
        bench
            .unlock(&key, &holder(1))
            .await
            .is_refused(&[Refusal::Expired]);
    }
    bench.stop().await;
    let refusals: Vec<_> = bench
        .journal()
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::Refusal)
        .collect();
    assert_eq!(refusals.len(), 11);
    assert_eq!(refusals[10].count, Some(4));
}

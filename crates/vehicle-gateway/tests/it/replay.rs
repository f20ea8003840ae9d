//! Nothing runs twice, and a refused try uses nothing up.

use keys_core::command::VehicleCommand;
use keys_core::refusal::Refusal;
use keys_core::testing::{NOW, holder};

use crate::support::{Bench, Reply, declined, key_for, presentation_over};

fn bytes_of(reply: &Reply) -> (&[u8], bool) {
    match reply {
        Reply::Receipt {
            bytes, repeated, ..
        } => (bytes, *repeated),
        Reply::Problem { .. } => panic!("no receipt: {reply:?}"),
    }
}

#[tokio::test]
async fn the_same_bytes_again_get_the_same_receipt_and_no_second_act() {
    let mut bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    let presentation = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    let first = bench.present(&presentation).await;
    let again = bench.present(&presentation).await;
    assert_eq!(bytes_of(&first), (bytes_of(&again).0, false));
    assert!(bytes_of(&again).1);
    // Also when the challenge is over, and after a restart.
    bench.clock.advance(60);
    assert_eq!(
        bytes_of(&bench.present(&presentation).await),
        bytes_of(&again)
    );
    bench.restart().await;
    assert_eq!(
        bytes_of(&bench.present(&presentation).await),
        bytes_of(&again)
    );
    assert_eq!(bench.car.executed(), 1);
}

#[tokio::test]
async fn a_nonce_or_command_id_with_other_bytes_is_a_replay() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    let challenge = bench.challenge().await;
    bench
        .present(&presentation_over(
            &challenge,
            &key,
            &holder(1),
            VehicleCommand::Unlock,
            1,
        ))
        .await
        .is_done();
    let same_nonce = presentation_over(&challenge, &key, &holder(1), VehicleCommand::Unlock, 2);
    bench
        .present(&same_nonce)
        .await
        .is_refused(&[Refusal::Replayed]);
    let other = bench.challenge().await;
    let same_id = presentation_over(&other, &key, &holder(1), VehicleCommand::Unlock, 1);
    bench
        .present(&same_id)
        .await
        .is_refused(&[Refusal::Replayed]);
    assert_eq!(bench.car.executed(), 1);
}

#[tokio::test]
async fn a_refused_try_uses_nothing_up() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| {
        claims.policy.outage_limit_s = Some(900);
        claims.policy.max_uses = Some(1);
    });
    let presentation = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    bench
        .present(&presentation)
        .await
        .is_refused(&[Refusal::StatementTooOld]);
    bench.platform_says(1, NOW, &[], &[]).await;
    // The very same bytes: challenge, command id and use were all kept.
    bench.present(&presentation).await.is_done();
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::UsesSpent]);
}

#[tokio::test]
async fn a_challenge_that_is_over_or_not_ours_opens_nothing() {
    let mut bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    let late = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    bench.clock.advance_ms(29_950);
    bench
        .present(&late)
        .await
        .is_refused(&[Refusal::ChallengeExpired]);
    let before = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    bench.restart().await;
    bench.attest(NOW).await.unwrap();
    let reply = bench.present(&before).await;
    assert!(
        reply.receipt().reasons.contains(Refusal::WrongChallenge),
        "{reply:?}"
    );
    assert_eq!(bench.car.executed(), 0);
}

#[tokio::test]
async fn uses_are_counted_with_the_act_and_given_back_when_it_was_declined() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| claims.policy.max_uses = Some(2));
    bench.unlock(&key, &holder(1)).await.is_done();
    bench.car.next(declined());
    let reply = bench.unlock(&key, &holder(1)).await;
    assert_eq!(
        reply.outcome(),
        Some(keys_core::receipt::OutcomeCode::Declined)
    );
    bench
        .ask(&key, &holder(1), VehicleCommand::Lock)
        .await
        .is_done();
    bench.unlock(&key, &holder(1)).await.is_done();
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::UsesSpent]);
}

#[tokio::test]
async fn one_command_at_a_time_and_an_equal_one_waits_for_its_receipt() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    let permits = bench.car.hold();
    let first = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    let second = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    let run = bench.present(&first);
    let rest = async {
        crate::support::eventually("the car was asked", || bench.car.executed() == 1).await;
        bench.present(&second).await.is_refused(&[Refusal::Busy]);
        let repeat = bench.present(&first);
        let release = async {
            permits.add_permits(1);
        };
        let (repeat, ()) = tokio::join!(repeat, release);
        repeat
    };
    let (run, repeat) = tokio::join!(run, rest);
    run.is_done();
    assert_eq!(bytes_of(&repeat), (bytes_of(&run).0, true));
    assert_eq!(bench.car.executed(), 1);
    // The busy one was refused, so nothing of it was used up.
    permits.add_permits(1);
    bench.present(&second).await.is_done();
}

#[tokio::test]
async fn of_many_last_uses_at_once_one_wins() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| claims.policy.max_uses = Some(1));
    let mut presentations = Vec::new();
    for _ in 0..8 {
        presentations.push(
            bench
                .presentation(&key, &holder(1), VehicleCommand::Unlock)
                .await,
        );
    }
    let replies =
        futures_util::future::join_all(presentations.iter().map(|one| bench.present(one))).await;
    assert_eq!(
        replies
            .iter()
            .filter(|reply| reply.receipt().allowed)
            .count(),
        1
    );
    assert_eq!(bench.car.executed(), 1);
}

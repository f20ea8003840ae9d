//! What is not known settles, and is never sent again.

use keys_core::command::VehicleCommand;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::receipt::{OutcomeCode, Receipt};
use keys_core::refusal::Refusal;
use keys_core::testing::holder;
use vehicle_gateway::connector::{Declined, Outcome};

use crate::support::{Bench, declined, done, eventually, key_for, unknown};

fn unsettled(bench: &Bench) -> u64 {
    bench.running().status()["unsettled"].as_u64().unwrap()
}

#[tokio::test]
async fn an_unknown_outcome_settles_with_a_second_receipt_that_names_the_first() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |_| {});
    bench.car.next(unknown());
    let presentation = bench
        .presentation(&key, &holder(1), VehicleCommand::Unlock)
        .await;
    let first = bench.present(&presentation).await;
    assert_eq!(first.outcome(), Some(OutcomeCode::Unknown));
    assert_eq!(unsettled(&bench), 1);
    bench.car.settles(done());
    eventually("settled", || unsettled(&bench) == 0).await;
    let later = bench.present(&presentation).await;
    assert_eq!(later.outcome(), Some(OutcomeCode::Done));
    let crate::support::Reply::Receipt { bytes, .. } = &first else {
        panic!("{first:?}")
    };
    let first_id = Unverified::<Receipt>::decode(bytes).unwrap().id(NO_REST);
    assert_eq!(later.receipt().follows, Some(first_id));
    assert_eq!(bench.car.executed(), 1);
    assert_eq!(
        bench.car.read_back.lock().unwrap()[0]
            .reference
            .as_ref()
            .unwrap()
            .as_str(),
        "ref-1"
    );
}

#[tokio::test]
async fn an_unknown_outcome_keeps_its_use_until_it_settles_to_declined() {
    let bench = Bench::ready().await;
    let key = key_for(&holder(1), |claims| claims.policy.max_uses = Some(1));
    bench.car.next(unknown());
    bench.unlock(&key, &holder(1)).await;
    bench
        .unlock(&key, &holder(1))
        .await
        .is_refused(&[Refusal::UsesSpent]);
    bench.car.settles(declined());
    eventually("settled", || unsettled(&bench) == 0).await;
    bench.unlock(&key, &holder(1)).await.is_done();
}

#[tokio::test]
async fn after_another_command_the_state_of_the_car_proves_nothing() {
    let not_done = Outcome::Declined {
        reason: Declined::NotDone,
    };
    for seen in [not_done, done()] {
        let bench = Bench::ready().await;
        let key = key_for(&holder(1), |claims| claims.policy.max_uses = Some(5));
        bench.car.next(unknown());
        let presentation = bench
            .presentation(&key, &holder(1), VehicleCommand::Unlock)
            .await;
        bench.present(&presentation).await;
        bench
            .ask(&key, &holder(1), VehicleCommand::Lock)
            .await
            .is_done();
        bench.car.settles(seen);
        eventually("given up", || unsettled(&bench) == 0).await;
        let reply = bench.present(&presentation).await;
        assert_eq!(
            reply.outcome(),
            Some(OutcomeCode::Unknown),
            "it stays unknown for good"
        );
    }
}

#[tokio::test]
async fn a_trip_has_begun_with_an_unknown_unlock_and_not_with_a_declined_one() {
    for (outcome, begun) in [(unknown(), true), (declined(), false)] {
        let bench = Bench::ready().await;
        let key = key_for(&holder(1), |claims| claims.policy.grace_s = Some(60));
        bench.car.stands(true);
        bench.car.next(outcome);
        bench.unlock(&key, &holder(1)).await;
        let statement = keys_core::testing::statement(
            1,
            keys_core::testing::NOW,
            None,
            &[key.leaf().short()],
            &[],
        );
        bench
            .carry(keys_core::carried::CarriedKind::Statement, &statement)
            .await
            .unwrap();
        let reply = bench.ask(&key, &holder(1), VehicleCommand::Lock).await;
        assert_eq!(reply.receipt().allowed, begun, "{reply:?}");
    }
}

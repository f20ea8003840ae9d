//! What every connector owes the dispatcher: one suite, run over each of them.
//!
//! A connector's tests give a [`Rig`] (its back-end, faults included, and a way to count what the car
//! carried out) and call [`connector_contract!`], which makes one test of each rule. Tokio's clock is
//! paused, so a rule about ten seconds takes none.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use keys_core::command::VehicleCommand;
use keys_core::id::CommandId;
use tokio::time::{Instant, advance, sleep, timeout};

use super::{CommandRef, Connector, Declined, Order, Outcome, ReadBack};

/// The order's deadline in every rule.
const DEADLINE: Duration = Duration::from_secs(8);
/// How long a read-back may take.
const READ_BACK: Duration = Duration::from_secs(10);

/// A condition of the car that a rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Situation {
    /// Parked, locked, awake, in reach.
    Healthy,
    /// The back-end refuses every command.
    Refusing,
    /// The lock does not move.
    Jammed,
    /// The car acts and tells nothing.
    SilentAfterActing,
    /// The car does not act and tells nothing.
    SilentWithoutActing,
    /// The car acts so slowly that the order has expired by then, and drops it.
    TooSlow,
    /// The same, but it acts all the same.
    Late,
    /// The car acts three seconds after the order.
    Slow,
    /// Neither the car nor its back-end answers.
    Offline,
    /// The car sleeps and can be woken.
    Asleep,
    /// The car sleeps and cannot be woken.
    NeverWakes,
}

/// A back-end with a car that can be broken.
pub(crate) trait Rig: Send {
    /// The connector under test.
    fn connector(&self) -> Arc<dyn Connector>;
    /// Puts the car into a situation, replacing the one before.
    fn put(&mut self, situation: Situation) -> BoxFuture<'_, ()>;
    /// The ids of what the car carried out, in order.
    fn executions(&self) -> BoxFuture<'_, Vec<CommandId>>;
    /// Kills the gateway's side and starts it again.
    fn restart(&mut self) -> BoxFuture<'_, ()>;
}

/// Makes one test of each rule. `$rig` is an `async fn() -> impl Rig`.
macro_rules! connector_contract {
    ($rig:path) => {
        $crate::connector::contract::connector_contract!(@rules $rig:
            an_order_is_done_with_a_state_newer_than_it
            a_done_order_was_carried_out_once
            a_refusal_of_the_back_end_declines_and_nothing_happens
            a_jammed_lock_declines
            silence_is_unknown_and_settles_to_done_if_the_car_acted
            silence_is_unknown_and_settles_to_declined_if_it_did_not
            a_late_success_is_unknown_at_the_deadline_and_done_afterwards
            a_car_that_is_too_slow_drops_the_order
            an_offline_car_declines_and_does_not_catch_up_later
            a_car_that_goes_offline_with_the_order_is_unknown_until_it_is_back
            a_sleeping_car_is_woken_before_the_order
            a_car_that_does_not_wake_declines
            an_order_past_its_deadline_is_not_sent
            every_situation_is_answered_by_the_deadline
            a_restart_in_the_middle_of_an_order_never_repeats_it
            an_abandoned_order_is_not_sent_again_by_a_read_back
            a_reading_of_a_silent_car_grows_old
            a_read_back_ends_by_its_deadline_though_the_car_stays_away
        );
    };
    (@rules $rig:path: $($rule:ident)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $rule() {
                $crate::connector::contract::$rule(&mut $rig().await).await;
            }
        )*
    };
}
pub(crate) use connector_contract;

fn order(number: u8, command: VehicleCommand) -> Order {
    Order {
        id: CommandId([number; 16]),
        command,
        deadline: Instant::now() + DEADLINE,
    }
}

fn unlock() -> Order {
    order(1, VehicleCommand::Unlock)
}

async fn read_back(rig: &impl Rig, order: Order, reference: Option<CommandRef>) -> Outcome {
    let deadline = Instant::now() + READ_BACK;
    let query = ReadBack {
        id: order.id,
        command: order.command,
        reference,
        order_deadline: order.deadline,
        deadline,
    };
    let outcome = rig.connector().read_back(query).await;
    assert!(
        Instant::now() <= deadline,
        "a read-back overran its deadline"
    );
    outcome
}

fn unknown_reference(outcome: Outcome) -> CommandRef {
    match outcome {
        Outcome::Unknown { reference } => reference,
        other => panic!("expected unknown, got {other:?}"),
    }
}

fn assert_done(outcome: &Outcome) {
    assert!(
        matches!(outcome, Outcome::Done { .. }),
        "expected done, got {outcome:?}"
    );
}

fn assert_declined(outcome: &Outcome, reason: Declined) {
    assert_eq!(outcome, &Outcome::Declined { reason });
}

pub(crate) async fn an_order_is_done_with_a_state_newer_than_it(rig: &mut impl Rig) {
    let orders = [
        (1, VehicleCommand::Unlock),
        (2, VehicleCommand::Lock),
        (3, VehicleCommand::Lock),
    ];
    for (number, command) in orders {
        let sent_at = Instant::now();
        let outcome = rig.connector().execute(order(number, command)).await;
        let Outcome::Done { state } = outcome else {
            panic!("expected done, got {outcome:?}")
        };
        let locked = state
            .locked
            .expect("the state that proves a lock command has the lock");
        assert!(
            locked.observed_at > sent_at,
            "a state from before the order proves nothing"
        );
        assert_eq!(locked.value, command == VehicleCommand::Lock);
    }
}

pub(crate) async fn a_done_order_was_carried_out_once(rig: &mut impl Rig) {
    let order = unlock();
    assert_done(&rig.connector().execute(order).await);
    advance(Duration::from_secs(60)).await;
    assert_eq!(rig.executions().await, [order.id]);
}

pub(crate) async fn a_refusal_of_the_back_end_declines_and_nothing_happens(rig: &mut impl Rig) {
    rig.put(Situation::Refusing).await;
    assert_declined(&rig.connector().execute(unlock()).await, Declined::Refused);
    assert!(rig.executions().await.is_empty());
}

pub(crate) async fn a_jammed_lock_declines(rig: &mut impl Rig) {
    rig.put(Situation::Jammed).await;
    assert_declined(&rig.connector().execute(unlock()).await, Declined::Jammed);
    let state = rig.connector().state().await.expect("the car is in reach");
    assert!(state.locked.expect("it has a lock").value);
}

pub(crate) async fn silence_is_unknown_and_settles_to_done_if_the_car_acted(rig: &mut impl Rig) {
    rig.put(Situation::SilentAfterActing).await;
    let order = unlock();
    let reference = unknown_reference(rig.connector().execute(order).await);
    rig.put(Situation::Healthy).await;
    assert_done(&read_back(rig, order, Some(reference)).await);
    assert_eq!(rig.executions().await, [order.id]);
}

pub(crate) async fn silence_is_unknown_and_settles_to_declined_if_it_did_not(rig: &mut impl Rig) {
    rig.put(Situation::SilentWithoutActing).await;
    let order = unlock();
    let reference = unknown_reference(rig.connector().execute(order).await);
    rig.put(Situation::Healthy).await;
    assert_declined(
        &read_back(rig, order, Some(reference)).await,
        Declined::NotDone,
    );
    assert!(rig.executions().await.is_empty());
}

pub(crate) async fn a_late_success_is_unknown_at_the_deadline_and_done_afterwards(
    rig: &mut impl Rig,
) {
    rig.put(Situation::Late).await;
    let order = unlock();
    let reference = unknown_reference(rig.connector().execute(order).await);
    assert_done(&read_back(rig, order, Some(reference)).await);
    assert_eq!(rig.executions().await, [order.id]);
}

pub(crate) async fn a_car_that_is_too_slow_drops_the_order(rig: &mut impl Rig) {
    rig.put(Situation::TooSlow).await;
    let order = unlock();
    let reference = unknown_reference(rig.connector().execute(order).await);
    let settled = read_back(rig, order, Some(reference)).await;
    assert!(
        matches!(settled, Outcome::Declined { .. }),
        "got {settled:?}"
    );
    assert!(rig.executions().await.is_empty());
}

pub(crate) async fn an_offline_car_declines_and_does_not_catch_up_later(rig: &mut impl Rig) {
    rig.put(Situation::Offline).await;
    assert_declined(&rig.connector().execute(unlock()).await, Declined::Offline);
    rig.put(Situation::Healthy).await;
    sleep(Duration::from_secs(60)).await;
    assert!(rig.executions().await.is_empty());
}

pub(crate) async fn a_car_that_goes_offline_with_the_order_is_unknown_until_it_is_back(
    rig: &mut impl Rig,
) {
    rig.put(Situation::Slow).await;
    let order = unlock();
    let connector = rig.connector();
    let (outcome, ()) = tokio::join!(connector.execute(order), async {
        sleep(Duration::from_secs(1)).await;
        rig.put(Situation::Offline).await;
    });
    let reference = unknown_reference(outcome);
    let still = read_back(rig, order, Some(reference.clone())).await;
    assert_eq!(
        still,
        Outcome::Unknown {
            reference: reference.clone()
        }
    );
    rig.put(Situation::Healthy).await;
    assert_done(&read_back(rig, order, Some(reference)).await);
    assert_eq!(rig.executions().await, [order.id]);
}

pub(crate) async fn a_sleeping_car_is_woken_before_the_order(rig: &mut impl Rig) {
    rig.put(Situation::Asleep).await;
    let order = unlock();
    assert_done(&rig.connector().execute(order).await);
    assert_eq!(rig.executions().await, [order.id]);
}

pub(crate) async fn a_car_that_does_not_wake_declines(rig: &mut impl Rig) {
    rig.put(Situation::NeverWakes).await;
    assert_declined(&rig.connector().execute(unlock()).await, Declined::Asleep);
    assert!(rig.executions().await.is_empty());
}

pub(crate) async fn an_order_past_its_deadline_is_not_sent(rig: &mut impl Rig) {
    let order = unlock();
    sleep(DEADLINE).await;
    let outcome = rig.connector().execute(order).await;
    assert!(
        matches!(outcome, Outcome::Declined { .. }),
        "got {outcome:?}"
    );
    sleep(Duration::from_secs(60)).await;
    assert!(rig.executions().await.is_empty());
}

pub(crate) async fn every_situation_is_answered_by_the_deadline(rig: &mut impl Rig) {
    let situations = [
        Situation::Healthy,
        Situation::Refusing,
        Situation::Jammed,
        Situation::SilentAfterActing,
        Situation::SilentWithoutActing,
        Situation::TooSlow,
        Situation::Late,
        Situation::Slow,
        Situation::Offline,
        Situation::Asleep,
        Situation::NeverWakes,
    ];
    for (number, situation) in (1..).zip(situations) {
        rig.put(situation).await;
        let order = order(number, VehicleCommand::Unlock);
        // The timer of tests has a resolution of a millisecond.
        let patience = DEADLINE + Duration::from_millis(2);
        let answer = timeout(patience, rig.connector().execute(order)).await;
        assert!(
            answer.is_ok(),
            "no answer by the deadline when {situation:?}"
        );
    }
}

pub(crate) async fn a_restart_in_the_middle_of_an_order_never_repeats_it(rig: &mut impl Rig) {
    rig.put(Situation::Slow).await;
    let order = unlock();
    let _ = timeout(Duration::from_secs(1), rig.connector().execute(order)).await;
    rig.restart().await;
    rig.put(Situation::Healthy).await;
    let settled = read_back(rig, order, None).await;
    let executions = rig.executions().await;
    match settled {
        Outcome::Done { .. } => assert_eq!(executions, [order.id]),
        Outcome::Declined { .. } => assert!(executions.is_empty(), "declined, yet the car acted"),
        Outcome::Unknown { .. } => panic!("a car in reach settles"),
    }
}

pub(crate) async fn an_abandoned_order_is_not_sent_again_by_a_read_back(rig: &mut impl Rig) {
    rig.put(Situation::Slow).await;
    let order = unlock();
    let _ = timeout(Duration::from_secs(1), rig.connector().execute(order)).await;
    assert_done(&read_back(rig, order, None).await);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.executions().await, [order.id]);
}

pub(crate) async fn a_reading_of_a_silent_car_grows_old(rig: &mut impl Rig) {
    rig.connector().state().await.expect("the car is in reach");
    rig.put(Situation::SilentAfterActing).await;
    sleep(Duration::from_secs(61)).await;
    let Ok(state) = rig.connector().state().await else {
        return;
    };
    let Some(locked) = state.locked else { return };
    assert!(locked.age(Instant::now()) >= Duration::from_secs(61));
}

pub(crate) async fn a_read_back_ends_by_its_deadline_though_the_car_stays_away(rig: &mut impl Rig) {
    rig.put(Situation::SilentAfterActing).await;
    let order = unlock();
    let reference = unknown_reference(rig.connector().execute(order).await);
    for situation in [
        Situation::SilentAfterActing,
        Situation::Offline,
        Situation::NeverWakes,
    ] {
        rig.put(situation).await;
        unknown_reference(read_back(rig, order, Some(reference.clone())).await);
    }
}

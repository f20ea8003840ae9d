//! The common road of a command: wake, read, send, wait for a newer state.
//!
//! A back-end gives four plain calls ([`Backend`]); what may be concluded from their answers is decided
//! here, once, so that no connector can believe "OK".

use std::time::Duration;

use futures_util::future::BoxFuture;
use keys_core::command::VehicleCommand;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{CarState, CommandRef, ConnectorError, Declined, Order, Outcome, ReadBack, effect_of};

/// The calls a back-end must offer.
///
/// Thread-safe. No call repeats what it sends. Each may be dropped at any time.
pub trait Backend: Send + Sync {
    /// Makes sure the car listens; returns at once if it does already.
    fn wake(&self) -> BoxFuture<'_, Result<(), ConnectorError>>;

    /// The newest state the back-end has, freshly sampled if the car is awake.
    fn read(&self) -> BoxFuture<'_, Result<CarState, ConnectorError>>;

    /// Hands the order over, with `order.deadline` as its expiry. `Ok` means "taken", not "done".
    fn send(&self, order: Order) -> BoxFuture<'_, Result<CommandRef, ConnectorError>>;

    /// What the back-end says about an order, if it keeps track of them.
    fn progress<'a>(&'a self, reference: &'a CommandRef) -> BoxFuture<'a, Progress>;
}

/// What a back-end says about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// It may still act.
    Pending,
    /// It has acted and says so; the state must show it all the same.
    Finished,
    /// It has not acted and will not.
    Refused(Declined),
    /// It does not know, or does not keep track.
    Untold,
}

/// How often and how long to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Pause between two readings.
    pub poll: Duration,
    /// Longest wait for one answer.
    pub answer: Duration,
}

/// Carries out an order over a back-end. See [`super::Connector::execute`].
pub async fn carry_out(backend: &dyn Backend, order: Order, timing: Timing) -> Outcome {
    if let Err(error) = prepare(backend, order.deadline).await {
        return Outcome::Declined {
            reason: error.as_declined(),
        };
    }
    let sent_at = Instant::now();
    if sent_at >= order.deadline {
        return Outcome::Declined {
            reason: Declined::Expired,
        };
    }
    // Should the answer to the sending be lost, the phone's command id is the only name left.
    let fallback = CommandRef::new(&order.id.to_string());
    let reference = match timeout_at(order.deadline, backend.send(order)).await {
        Ok(Ok(reference)) => reference,
        Ok(Err(error)) => return Outcome::of_failed_send(&error, fallback),
        Err(_) => {
            return Outcome::Unknown {
                reference: fallback,
            };
        }
    };
    let unknown = Outcome::Unknown {
        reference: reference.clone(),
    };
    let wait = async {
        loop {
            match look(backend, &reference, order.command, sent_at, timing).await {
                Sight::Effect(state) => return Outcome::Done { state },
                Sight::Refused(reason) => return Outcome::Declined { reason },
                // The car says it acted; its sensor may lag, so keep looking.
                Sight::Undone(_) | Sight::NoEffect | Sight::Nothing => {}
            }
            sleep_until(Instant::now() + timing.poll).await;
        }
    };
    timeout_at(order.deadline, wait).await.unwrap_or(unknown)
}

/// Settles an order of unknown outcome over a back-end. See [`super::Connector::read_back`].
pub async fn settle(backend: &dyn Backend, query: ReadBack, timing: Timing) -> Outcome {
    let reference = query
        .reference
        .clone()
        .unwrap_or_else(|| CommandRef::new(&query.id.to_string()));
    let unknown = Outcome::Unknown {
        reference: reference.clone(),
    };
    let since = Instant::now();
    let wait = async {
        loop {
            // Should the car not wake, the reading below is simply not new.
            let _ = backend.wake().await;
            let asked_at = Instant::now();
            match look(backend, &reference, query.command, since, timing).await {
                // Undone: it acted, and somebody at the car has undone it since.
                Sight::Effect(state) | Sight::Undone(state) => return Outcome::Done { state },
                Sight::Refused(reason) => return Outcome::Declined { reason },
                // Before its expiry the order may still be on its way, so "no effect" proves nothing.
                Sight::NoEffect if asked_at >= query.order_deadline => {
                    return Outcome::Declined {
                        reason: Declined::NotDone,
                    };
                }
                Sight::NoEffect | Sight::Nothing => {}
            }
            sleep_until(Instant::now() + timing.poll).await;
        }
    };
    timeout_at(query.deadline, wait).await.unwrap_or(unknown)
}

/// Wakes the car and makes sure it can be read, before anything is sent.
async fn prepare(backend: &dyn Backend, deadline: Instant) -> Result<(), ConnectorError> {
    timeout_at(deadline, backend.wake())
        .await
        .unwrap_or(Err(ConnectorError::Asleep))?;
    timeout_at(deadline, backend.read())
        .await
        .unwrap_or(Err(ConnectorError::Offline))?;
    Ok(())
}

/// What one look at the car shows about an order.
enum Sight {
    /// A newer reading shows its effect.
    Effect(Box<CarState>),
    /// The back-end says it was carried out; a newer reading does not show its effect.
    Undone(Box<CarState>),
    /// A newer reading does not show its effect.
    NoEffect,
    Refused(Declined),
    Nothing,
}

async fn look(
    backend: &dyn Backend,
    reference: &CommandRef,
    command: VehicleCommand,
    since: Instant,
    timing: Timing,
) -> Sight {
    let until = Instant::now() + timing.answer;
    let progress = timeout_at(until, backend.progress(reference))
        .await
        .unwrap_or(Progress::Untold);
    match progress {
        Progress::Refused(reason) => return Sight::Refused(reason),
        Progress::Pending => return Sight::Nothing,
        Progress::Finished | Progress::Untold => {}
    }
    match timeout_at(until, backend.read()).await {
        Ok(Ok(state)) => match effect_of(command, &state, since) {
            Some(true) => Sight::Effect(Box::new(state)),
            Some(false) if progress == Progress::Finished => Sight::Undone(Box::new(state)),
            Some(false) => Sight::NoEffect,
            None => Sight::Nothing,
        },
        Ok(Err(_)) | Err(_) => Sight::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::FutureExt;
    use keys_core::id::CommandId;

    use super::*;
    use crate::connector::Observed;

    const TIMING: Timing = Timing {
        poll: Duration::from_millis(50),
        answer: Duration::from_secs(1),
    };

    /// A back-end that answers what a test says.
    struct Scripted {
        send: Result<(), ConnectorError>,
        progress: Progress,
        locked: bool,
        /// How old its readings are.
        age: Duration,
        sent: Mutex<u32>,
    }

    impl Scripted {
        fn new(
            send: Result<(), ConnectorError>,
            progress: Progress,
            locked: bool,
            age_s: u64,
        ) -> Self {
            Self {
                send,
                progress,
                locked,
                age: Duration::from_secs(age_s),
                sent: Mutex::new(0),
            }
        }
    }

    impl Backend for Scripted {
        fn wake(&self) -> BoxFuture<'_, Result<(), ConnectorError>> {
            futures_util::future::ready(Ok(())).boxed()
        }

        fn read(&self) -> BoxFuture<'_, Result<CarState, ConnectorError>> {
            let locked = Some(Observed::new(self.locked, Instant::now() - self.age));
            futures_util::future::ready(Ok(CarState {
                locked,
                ..CarState::default()
            }))
            .boxed()
        }

        fn send(&self, _: Order) -> BoxFuture<'_, Result<CommandRef, ConnectorError>> {
            *self.sent.lock().unwrap() += 1;
            futures_util::future::ready(self.send.map(|()| CommandRef::new("17"))).boxed()
        }

        fn progress<'a>(&'a self, _: &'a CommandRef) -> BoxFuture<'a, Progress> {
            futures_util::future::ready(self.progress).boxed()
        }
    }

    async fn unlock(backend: &Scripted) -> Outcome {
        let deadline = Instant::now() + Duration::from_secs(5);
        let order = Order {
            id: CommandId([1; 16]),
            command: VehicleCommand::Unlock,
            deadline,
        };
        carry_out(backend, order, TIMING).await
    }

    fn question() -> ReadBack {
        ReadBack {
            id: CommandId([1; 16]),
            command: VehicleCommand::Unlock,
            reference: None,
            order_deadline: Instant::now(),
            deadline: Instant::now() + Duration::from_secs(10),
        }
    }

    async fn ask_again(backend: &Scripted) -> Outcome {
        settle(backend, question(), TIMING).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_wanted_state_from_before_the_command_proves_nothing() {
        let backend = Scripted::new(Ok(()), Progress::Finished, false, 6);
        assert_eq!(
            unlock(&backend).await,
            Outcome::Unknown {
                reference: CommandRef::new("17")
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_whose_sending_got_no_answer_is_unknown_and_was_sent_once() {
        let backend = Scripted::new(Err(ConnectorError::TimedOut), Progress::Untold, false, 0);
        assert!(matches!(unlock(&backend).await, Outcome::Unknown { .. }));
        assert_eq!(*backend.sent.lock().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_may_still_act_is_not_done_though_the_state_is_as_wanted() {
        let backend = Scripted::new(Ok(()), Progress::Pending, false, 0);
        assert!(matches!(unlock(&backend).await, Outcome::Unknown { .. }));
        assert!(matches!(ask_again(&backend).await, Outcome::Unknown { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_carried_out_and_undone_since_was_done() {
        let backend = Scripted::new(Ok(()), Progress::Finished, true, 0);
        assert!(matches!(ask_again(&backend).await, Outcome::Done { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn no_effect_proves_nothing_before_the_command_has_expired() {
        let backend = Scripted::new(Ok(()), Progress::Untold, true, 0);
        let order_deadline = Instant::now() + Duration::from_secs(3);
        let query = ReadBack {
            order_deadline,
            ..question()
        };
        let outcome = settle(&backend, query, TIMING).await;
        assert_eq!(
            outcome,
            Outcome::Declined {
                reason: Declined::NotDone
            }
        );
        assert!(Instant::now() >= order_deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_back_sends_nothing() {
        let backend = Scripted::new(Ok(()), Progress::Untold, true, 0);
        assert_eq!(
            ask_again(&backend).await,
            Outcome::Declined {
                reason: Declined::NotDone
            }
        );
        assert_eq!(*backend.sent.lock().unwrap(), 0);
    }
}

//! The road from an allowed command to a car, and back with what the car really did.
//!
//! Actors: the dispatcher, which holds a decision and a durable intent; a [`Connector`], which speaks to
//! one kind of back-end; and the car, which may be slow, asleep, silent or out of reach. "The call
//! returned OK" almost never means "the door moved", so a connector wakes the car, reads its state,
//! sends, and then waits for a state **newer** than the command. What it cannot prove either way is
//! [`Outcome::Unknown`], and is settled later by [`Connector::read_back`], never by sending again.
//!
//! Adding a back-end is one new file and one line in [`Registry::standard`]; nothing else names the kinds.

mod capability;
mod effect;
mod error;
mod outcome;
mod registry;
mod road;
mod secret;
pub mod simulated;
mod state;

#[cfg(test)]
pub(crate) mod contract;

pub use capability::Capabilities;
pub use effect::effect_of;
pub use error::ConnectorError;
pub use outcome::{CommandRef, Declined, Outcome};
pub use registry::{
    ConnectorConfig, ConnectorReport, Connectors, Factory, Registry, Start, StartError, settings,
};
pub use road::{Backend, Progress, Timing, carry_out, settle};
pub use secret::Secret;
pub use state::{CarState, CarStateView, Door, Observed, Position, Window};

use futures_util::future::BoxFuture;
use keys_core::command::VehicleCommand;
use keys_core::id::CommandId;
use tokio::time::Instant;

/// One command for one car, already decided and journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The command id made by the phone; a back-end that can refuse repeats is given it.
    pub id: CommandId,
    /// What is asked of the car.
    pub command: VehicleCommand,
    /// When the connector must have answered. It is also the command's expiry: where the transport can
    /// enforce one, the car drops the command after this instant.
    pub deadline: Instant,
}

/// A question about an order whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// The command id of the order.
    pub id: CommandId,
    /// What was asked of the car.
    pub command: VehicleCommand,
    /// The reference given with [`Outcome::Unknown`]; absent when the gateway stopped before it had one.
    pub reference: Option<CommandRef>,
    /// When the order expires. After a restart, the latest it can have been.
    pub order_deadline: Instant,
    /// When the connector must have answered.
    pub deadline: Instant,
}

/// Speaks to one kind of vehicle back-end, for one car.
///
/// Thread-safe: calls may overlap, though the dispatcher keeps to one command per car at a time.
/// Idempotence: none is assumed. `execute` sends at most once and never repeats by itself.
/// A dropped future leaves the order wherever it was: the car may still act on it.
pub trait Connector: Send + Sync {
    /// What this car and this back-end can do; known without asking the car.
    fn capabilities(&self) -> Capabilities;

    /// The newest state the back-end has, each field with its age. Does not wake the car.
    fn state(&self) -> BoxFuture<'_, Result<CarState, ConnectorError>>;

    /// Wakes the car, sends the order and waits for a state newer than it.
    ///
    /// Always answers by `order.deadline`. [`Outcome::Done`] only with such a newer state;
    /// [`Outcome::Declined`] only if the car surely has not acted and will not.
    fn execute(&self, order: Order) -> BoxFuture<'_, Outcome>;

    /// Finds out what became of an order, without sending it again.
    ///
    /// Always answers by `query.deadline`, with [`Outcome::Unknown`] if the car still cannot be read.
    fn read_back(&self, query: ReadBack) -> BoxFuture<'_, Outcome>;
}

//! The checker beside the car.
//!
//! A gateway decides about presented keys, with or without a network, journals what it decides and has
//! the car act. Actors: phones, which reach it over the [`link`] or, through the API, over the line of
//! [`sync`]; the owner, whose keys it pins when it is paired ([`pairing`]) and whose word it takes
//! ([`trust`]); and the car behind a [`connector`].
//!
//! ```text
//! phone ── link ──┐                        ┌─ connector ── car
//!                 ├─ check → dispatch ─────┤
//! API ─── sync ───┘     │                  └─ store: journal, trust, counts, outbox
//!                       └── trust, clock, challenge
//! ```
//!
//! Nothing here needs the API: without one, phones carry what it would send.

mod carry;
pub mod challenge;
pub mod check;
pub mod clock;
pub mod config;
pub mod connector;
mod core;
mod dispatch;
mod error_chain;
mod feeds;
mod gateway;
mod handler;
pub mod link;
pub mod offline;
pub mod pairing;
pub mod rate;
mod receipts;
pub mod refusals;
mod settle;
pub mod status;
pub mod store;
pub mod sync;
pub mod trust;

pub use self::config::Config;
pub use self::gateway::{Gateway, GatewayError, RunningGateway, Surroundings};

use self::error_chain::error_chain;

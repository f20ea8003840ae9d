//! The ck1 digital key: what phones, gateways and servers exchange about a key, and every rule by
//! which a gateway decides.
//!
//! Who takes part: an *owner* signs the first link of a key (or a *mandate* that lets a platform
//! issue within limits), a *holder* proves that a key is theirs, a *delegate* is a holder by
//! re-sharing, and a *gateway* beside the car decides. Bytes become trusted in one direction only:
//! [`key::UnverifiedKey`] → [`chain`] → [`chain::DigitalKey`] → [`decide::decide`].
//!
//! The crate is pure: no I/O, no clock, no randomness. Time, position and nonces are arguments.
//!
//! The byte formats are described in `docs/key-format.md`.
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "testing"))]
extern crate std;

pub mod anchors;
pub mod area;
pub mod attestation;
pub mod bundle;
pub mod carried;
pub mod chain;
pub mod challenge;
pub mod codec;
pub mod command;
pub mod decide;
pub mod effective;
pub mod entitlement;
pub mod envelope;
pub mod freshness;
pub mod handshake;
pub mod hours;
pub mod id;
pub mod journal;
pub mod key;
pub mod limits;
pub mod link;
pub mod pairing;
pub mod policy;
pub mod presentation;
pub mod proof;
pub mod receipt;
pub mod refusal;
pub mod signature;
pub mod statement;
pub mod status;
pub mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod trust;

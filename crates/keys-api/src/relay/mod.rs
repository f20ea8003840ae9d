//! The relay between phones, owners and gateways: who is connected, what it lacks, and waiting for
//! something to happen. The relay passes signed objects on; it decides nothing.
//!
//! A gateway dials in over a WebSocket ([`connection`]) after a handshake ([`handshake`]); a [`hub`]
//! knows the connection of each vehicle on this node; [`bells`] wake requests that wait.

pub mod bells;
pub mod connection;
pub mod deliver;
pub mod handshake;
pub mod hub;

//! The gateway as phones and cars meet it: over HTTP on loopback, and as a program that gets killed.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail by panicking; its helpers are part of it"
)]
#![expect(
    unreachable_pub,
    reason = "helpers are shared by the modules of this one binary"
)]

mod admission;
mod carried;
mod freshness;
mod http;
mod killed;
mod line;
mod outcomes;
mod replay;
mod restart;
mod support;

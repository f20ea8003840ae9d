//! Gateways: what is known of one, and where they dial in.

pub mod get;
pub mod sync;

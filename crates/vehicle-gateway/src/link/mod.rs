//! Phone and car: the roads by which a phone beside the car reaches the gateway.

pub mod http;
mod problem;
mod serve;

pub use self::serve::{Limits, Link};

//! What people hold in their hands, as files and functions: the host's device with the owner key,
//! and the renter's phone with the holder key.
//!
//! Both keep their private key in a file only its owner can read, talk to the API over HTTP, and
//! the phone also to the gateway beside the car with no network between. The commands `latchkey
//! host` and `latchkey phone` are thin over this module, and `latchkey demo` walks its story with
//! the same functions.

pub(crate) mod api;
pub(crate) mod car;
mod file;
pub(crate) mod held_key;
pub(crate) mod host;
mod http;
pub(crate) mod phone;
pub(crate) mod random;

//! Bytes ↔ values: the one strict CBOR reader, its writer, and the decoding error.

mod cbor;
#[cfg(test)]
pub(crate) mod edits;

pub use cbor::{DecodeError, MapReader, Reader, Writer, head};

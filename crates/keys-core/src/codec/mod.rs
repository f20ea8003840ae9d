//! Bytes ↔ values: the one strict CBOR reader, its writer, and the decoding error.

mod cbor;
#[cfg(test)]
pub(crate) mod edits;

#[cfg(test)]
mod tests;

pub use cbor::{DecodeError, MapReader, Reader, Writer, head};

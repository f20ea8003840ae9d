//! Bytes ↔ values: the one strict CBOR reader, its writer, and the decoding error.

mod cbor;

pub use cbor::{DecodeError, MapReader, Reader, Writer, head};

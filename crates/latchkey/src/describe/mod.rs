//! What an object says, for people and for programs. Nothing here checks a signature.

mod object;
mod policy;
mod text;

pub(crate) use object::{describe, hex};
pub(crate) use policy::effective;
pub(crate) use text::render;

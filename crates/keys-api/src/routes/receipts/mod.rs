//! Receipts: the gateway's signed answers.

pub mod json;
pub mod list;

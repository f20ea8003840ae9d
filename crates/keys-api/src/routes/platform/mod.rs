//! `/v1/platform`.

pub mod get;

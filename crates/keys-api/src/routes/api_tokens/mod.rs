//! `/v1/api-tokens`.

pub mod create;
pub mod json;
pub mod list;
pub mod revoke;

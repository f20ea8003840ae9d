//! Routes: parse, call a service, render. One folder per resource, one file per operation, `json.rs`
//! for wire structs, and the resource's errors as problems in `mod.rs`.

pub mod accounts;
pub mod api_tokens;
pub mod bundles;
pub mod commands;
pub mod encode;
pub mod gateways;
pub mod health;
pub mod holder;
pub mod invitations;
pub mod keys;
pub mod mandates;
pub mod openapi;
pub mod pairings;
pub mod platform;
pub mod receipts;
pub mod sessions;
pub mod statements;
pub mod vehicles;
pub mod wait;

//! The use cases, free of HTTP: what an owner or holder can have done.
//!
//! A service function takes the application, and the transaction its effect belongs to where it has
//! one; it begins none itself, so that its caller can commit more with it. Each has its own error.

pub mod accounts;
pub mod anchors;
pub mod api_tokens;
pub mod bundles;
pub mod client_apps;
pub mod commands;
pub mod delegations;
pub mod denials;
pub mod invitations;
pub mod issuer_roll;
pub mod issuing;
pub mod key_changes;
pub mod key_store;
pub mod key_view;
pub mod mandates;
pub mod owner_keys;
pub mod pairing;
pub mod passwords;
pub mod platform_keys;
pub mod receipts;
pub mod signing;
pub mod statements;
pub mod trust;
pub mod vehicles;

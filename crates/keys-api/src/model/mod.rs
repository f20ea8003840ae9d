//! Server-side types that hold nothing but values: ids, accounts, vehicles.

pub mod account;
pub mod client_app;
pub mod command;
pub mod holder;
pub mod id;
pub mod invitation;
pub mod key;
pub mod page;
pub mod statement;
pub mod vehicle;
pub mod vin;

//! A gateway's journal, checked with nothing but its public key.
//!
//! An auditor has an export of the journal, and signed heads and receipts that phones, the host or
//! the API kept from earlier. The chain of hashes shows an edit, a reorder or a gap inside the
//! export; a signed head or receipt shows a cut tail or a second history. Source: ck1 section 9.

mod audit;
mod export;
mod store;

pub(crate) use audit::Audit;
pub(crate) use export::Export;

#[cfg(test)]
mod tests;

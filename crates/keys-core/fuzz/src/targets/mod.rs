//! What each fuzz target does with its bytes.
//!
//! The tests of keys-core include this module as well and run every target over every seed, so that
//! targets stay sound without a nightly compiler.

pub(crate) mod check;
mod decoders;
mod narrowing;
mod picker;

pub(crate) use decoders::DECODERS;

/// One fuzz target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Its name, and that of its directory of seeds.
    pub(crate) name: &'static str,
    /// Takes any bytes, and panics if a law does not hold. Whether they were good bytes: decoded, allowed, or
    /// a key that could be made longer.
    pub(crate) run: fn(&[u8]) -> bool,
}

/// The targets that sign and decide.
const DECIDING: &[Target] = &[
    Target {
        name: "check",
        run: check::check,
    },
    Target {
        name: "narrowing",
        run: narrowing::narrowing,
    },
];

/// Every target.
pub(crate) fn all() -> impl Iterator<Item = &'static Target> {
    DECODERS.iter().chain(DECIDING)
}

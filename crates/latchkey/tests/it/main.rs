//! Tests of the whole program, in one binary so that it links once.

mod conformance;
mod demo;
mod help;
mod key;
mod kills;
mod log;
mod supply_chain;
mod support;
mod up;

//! Answers of keys-core to vectors, through its public functions alone.

mod decision;
pub(crate) mod fields;
mod object;
mod records;
mod tree;

use serde_json::Value;

/// The answer to a case, in the form of its `expect`.
pub(crate) fn answer(kind: &str, case: &Value) -> Value {
    match kind {
        "decision" => decision::answer(case),
        "object" => object::answer(case),
        "statements" => records::board(case),
        "area" => records::area(case),
        "hours" => records::hours(case),
        "pairing" => records::pairing(case),
        "journal" => records::journal(case),
        "dead-by" => records::ending(case),
        other => panic!("unknown kind of vectors: {other}"),
    }
}

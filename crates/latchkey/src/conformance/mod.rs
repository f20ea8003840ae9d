//! The batch verifier: recorded presentations in, decisions out, one JSON line each.
//!
//! A corpus of presentations, valid and hostile, is fed line by line; every line gets exactly one
//! answer, in order, and nothing in a line can stop the run. The decisions are made by the same
//! functions of keys-core that a gateway uses; here is only the way from JSON to them.
//!
//! Source: ck1 section 10.

mod judge;
mod lines;
mod record;

use std::io::{self, BufRead, Write};

use keys_core::decide::Decision;
use keys_core::refusal::Refusal;
use serde_json::{Value, json};

use self::lines::{Line, Lines};
use self::record::Record;

/// Longest line that is read; what is longer is answered `too-large`.
const LINE_BYTES: usize = 4 * 1024 * 1024;

/// Answers every line of `input` on `output`.
///
/// The output is flushed whenever no further input is waiting, so that a program at the other end
/// of a pipe can ask line by line.
///
/// # Errors
/// Only what reading or writing itself fails with.
pub(crate) fn run<R: BufRead, W: Write>(input: R, output: &mut W) -> io::Result<()> {
    let mut lines = Lines::new(input, LINE_BYTES);
    while let Some(line) = lines.next_line()? {
        serde_json::to_writer(&mut *output, &answer(&line))?;
        output.write_all(b"\n")?;
        if lines.is_drained() {
            output.flush()?;
        }
    }
    output.flush()
}

fn answer(line: &Line<'_>) -> Value {
    let (text, refusal) = match line {
        Line::Whole(text) => (*text, Refusal::Malformed),
        Line::Cut(start) => (*start, Refusal::TooLarge),
    };
    let parsed = match line {
        Line::Whole(text) => serde_json::from_slice::<Value>(text).ok(),
        Line::Cut(_) => None,
    };
    let Some(value) = parsed else {
        return verdict(&recover_case(text), Decision::Refuse(refusal.into()));
    };
    let decision = match Record::read(&value) {
        Ok(record) => judge::judge(&record),
        Err(refusal) => Decision::Refuse(refusal.into()),
    };
    verdict(value.get("case").unwrap_or(&Value::Null), decision)
}

fn verdict(case: &Value, decision: Decision) -> Value {
    let reasons: Vec<&str> = decision.reasons().iter().map(Refusal::code).collect();
    json!({ "case": case, "decision": decision.as_str(), "reasons": reasons })
}

/// The name of the case in a line that is not JSON as a whole, if it can still be read.
fn recover_case(line: &[u8]) -> Value {
    const NAME: &[u8] = b"\"case\"";
    let value = line
        .windows(NAME.len())
        .position(|window| window == NAME)
        .map(|at| line[at + NAME.len()..].trim_ascii_start())
        .and_then(|rest| rest.strip_prefix(b":"))
        .and_then(|rest| {
            serde_json::Deserializer::from_slice(rest)
                .into_iter::<Value>()
                .next()
        });
    match value {
        Some(Ok(case)) if case.is_string() || case.is_number() => case,
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests;

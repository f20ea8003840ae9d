//! Fresh enough? And by when is a revoked key dead?
//!
//! Source: ck1 section 6.

use crate::effective::Effective;
use crate::limits;
use crate::policy::ClockRule;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Which cell of the table of ck1 section 6 applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// A message of the API was verified in the last 60 s.
    pub in_contact: bool,
    /// This holder's trip under this grant has begun.
    pub begun: bool,
}

/// Greatest statement age in seconds that still opens; `None` = no statement is asked for.
///
/// | | in contact | cut off |
/// |---|---|---|
/// | begun | none | policy 11 |
/// | not begun | 900 s | policy 4 |
///
/// A key without an outage limit asks for none before it began.
#[must_use]
pub fn statement_limit_s(effective: &Effective, contact: Contact) -> Option<u64> {
    match (contact.begun, contact.in_contact) {
        (true, true) => None,
        (true, false) => effective.begun_limit_s().map(u64::from),
        (false, true) => effective
            .outage_limit_s()
            .map(|_| limits::CONTACT_STATEMENT_AGE_S),
        (false, false) => effective.outage_limit_s().map(u64::from),
    }
}

/// Whether a statement of this age (`None` = there is none) satisfies a limit.
#[must_use]
pub fn is_fresh_enough(age_s: Option<u64>, limit_s: Option<u64>) -> bool {
    match (age_s, limit_s) {
        (_, None) => true,
        (Some(age), Some(limit)) => age <= limit,
        (None, Some(_)) => false,
    }
}

/// What is known about a revoked or suspended key when somebody asks by when it is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Now.
    pub now: Timestamp,
    /// When the gateway acknowledged the revoking statement, if it did.
    pub acknowledged_at: Option<Timestamp>,
    /// End of the window.
    pub valid_until: Timestamp,
    /// Start of the window.
    pub valid_from: Timestamp,
    /// iat of the newest statement not listing the key that anybody may have carried; at the earliest
    /// the revocation instant.
    pub newest_unlisting_at: Timestamp,
    /// Policy 4, seconds; `None` = no limit.
    pub outage_limit_s: Option<u32>,
    /// Policy 11, seconds; `None` = no limit.
    pub begun_limit_s: Option<u32>,
    /// Policy 7.
    pub clock_rule: ClockRule,
    /// Whether the gateway's clock is trusted.
    pub clock_trusted: bool,
}

/// When a key opens nothing any more, whatever anybody carries. It does not speak of owner devices:
/// no age of a statement ends those, only the statement itself.
///
/// A trip may begin while the newest statement without the key is at most policy 4 old, and goes on
/// while it is at most policy 11 old. Nobody but the car knows whether it has begun, so the later of
/// the two counts as long as both are possible. Source: ck1 section 6; docs/decisions.md.
///
/// # Errors
/// [`Refusal::ClockUntrusted`]: nobody can promise a time while the gateway's clock is not trusted,
/// nor for a key that opens without a clock (policy 7), since the clock may be lost at any moment.
pub fn dead_by(ending: &Ending) -> Result<Timestamp, Refusal> {
    if let Some(at) = ending.acknowledged_at {
        return Ok(at.min(ending.now));
    }
    if !ending.clock_trusted || ending.clock_rule != ClockRule::Refuse {
        return Err(Refusal::ClockUntrusted);
    }
    let stale_after = |limit: Option<u32>| {
        let limit = limit.map(u64::from);
        limit.map_or(Timestamp::UNKNOWN, |limit| {
            ending.newest_unlisting_at.plus(limit)
        })
    };
    let begins_until = stale_after(ending.outage_limit_s);
    let goes_on_until = stale_after(ending.begun_limit_s);
    let may_begin = ending.now.max(ending.valid_from) <= begins_until;
    let may_have_begun = ending.now >= ending.valid_from;
    let last = match (may_begin, may_have_begun) {
        (true, _) => begins_until.max(goes_on_until),
        (false, true) => goes_on_until,
        (false, false) => begins_until,
    };
    Ok(ending.valid_until.min(last))
}

/// Until when an ended, revoked or suspended key that has begun may still lock a standing car.
#[must_use]
pub fn locks_until(valid_until: Timestamp, grace_s: u32) -> Timestamp {
    valid_until.plus(u64::from(grace_s))
}

#[cfg(test)]
mod tests;

//! The rules of narrowing and of use in a small universe, said with sets and numbers alone.

use std::collections::BTreeSet;

/// One link: what it allows, when, to hand on how often, and the areas it states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    /// Numbers of entitlements.
    pub(super) rights: BTreeSet<usize>,
    /// First second inside.
    pub(super) from: u64,
    /// First second outside.
    pub(super) until: u64,
    /// Delegations still allowed.
    pub(super) depth: u64,
    /// Numbers of areas, all of which must hold.
    pub(super) areas: Vec<usize>,
}

/// Whether the car may do `right` at second `at` while it is inside the areas `inside`.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Number of the entitlement.
    pub(super) right: usize,
    /// Second.
    pub(super) at: u64,
    /// Numbers of the areas the car is in.
    pub(super) inside: BTreeSet<usize>,
}

/// Why a chain is no key; `None` if it is one.
pub(super) fn refusal(chain: &[Link]) -> Option<&'static str> {
    let widens = |(parent, child): (&Link, &Link)| {
        !child.rights.is_subset(&parent.rights)
            || child.from < parent.from
            || child.until > parent.until
            || child.depth >= parent.depth
    };
    let mut pairs = chain.iter().zip(chain.iter().skip(1));
    pairs.any(widens).then_some("widened")
}

/// Why a key does not do what is asked, in the words of the format; nothing if it does.
pub(super) fn reasons(chain: &[Link], request: &Request) -> BTreeSet<&'static str> {
    let mut reasons = BTreeSet::new();
    for link in chain {
        if !link.rights.contains(&request.right) {
            reasons.insert("not-entitled");
        }
        if request.at < link.from {
            reasons.insert("not-yet-valid");
        }
        if request.at >= link.until {
            reasons.insert("expired");
        }
        // Number 1 is the lock, which a car obeys anywhere.
        if request.right != 1 && !link.areas.iter().all(|area| request.inside.contains(area)) {
            reasons.insert("outside-area");
        }
    }
    reasons
}

//! Refusals: those before any signature are counted, those after are journaled within bounds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use keys_core::chain::LinkIds;
use keys_core::id::ObjectId;
use keys_core::refusal::Refusal;

/// Refusals journaled for one leaf in a minute; further ones are told in one entry.
const PER_LEAF: u64 = 10;
/// Refusals journaled in a minute whatever their leaf: who may delegate can make leaves for nothing.
const PER_MINUTE: u64 = 120;
const MINUTE_MS: u64 = 60_000;

/// Refusals before valid signatures, by code.
#[derive(Debug)]
pub struct Unsigned {
    counts: Vec<AtomicU64>,
}

impl Default for Unsigned {
    fn default() -> Self {
        Self {
            counts: Refusal::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Unsigned {
    /// Counts one.
    pub fn count(&self, refusal: Refusal) {
        if let Some(count) = self.counts.get(refusal as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The codes that occurred, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Refusal::ALL
            .iter()
            .map(|refusal| refusal.code())
            .zip(counts)
            .filter(|(_, count)| *count > 0)
    }
}

/// Decides which signed refusals get an entry of their own in the journal.
#[derive(Debug, Default)]
pub struct RefusalLimit {
    minute: u64,
    journaled: u64,
    leaves: HashMap<ObjectId, u64>,
    /// Refusals without an entry of their own, with the key they were about.
    aggregated: HashMap<ObjectId, (LinkIds, u64)>,
    /// The same for leaves beyond those remembered.
    others: u64,
}

/// Leaves told apart within a minute.
const LEAVES: usize = 256;

/// Refusals that share one entry: of one key, or of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The key; empty for those of many keys.
    pub links: LinkIds,
    /// How many.
    pub count: u64,
}

impl RefusalLimit {
    /// Whether a refusal of this key gets an entry of its own.
    pub fn admits(&mut self, links: &LinkIds, now_ms: u64) -> bool {
        let minute = now_ms / MINUTE_MS;
        if minute != self.minute {
            self.minute = minute;
            self.journaled = 0;
            self.leaves.clear();
        }
        let Some(leaf) = links.last() else {
            return false;
        };
        let known = self.leaves.len() < LEAVES || self.leaves.contains_key(leaf);
        if known && self.journaled < PER_MINUTE {
            let count = self.leaves.entry(*leaf).or_default();
            if *count < PER_LEAF {
                *count += 1;
                self.journaled += 1;
                return true;
            }
        }
        if self.aggregated.len() < LEAVES || self.aggregated.contains_key(leaf) {
            self.aggregated
                .entry(*leaf)
                .or_insert_with(|| (links.clone(), 0))
                .1 += 1;
        } else {
            self.others += 1;
        }
        false
    }

    /// Takes what was aggregated so far.
    pub fn take(&mut self) -> Vec<Aggregate> {
        let mut taken: Vec<_> = self
            .aggregated
            .drain()
            .map(|(_, (links, count))| Aggregate { links, count })
            .collect();
        taken.sort_by_key(|aggregate| std::cmp::Reverse(aggregate.count));
        if self.others > 0 {
            taken.push(Aggregate {
                links: LinkIds::new(),
                count: std::mem::take(&mut self.others),
            });
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> LinkIds {
        LinkIds::from_iter([ObjectId([0; 32]), ObjectId([number; 32])])
    }

    #[test]
    fn ten_refusals_of_a_leaf_are_journaled_in_a_minute_and_the_rest_is_one_entry() {
        let mut limit = RefusalLimit::default();
        let journaled = (0..25).filter(|_| limit.admits(&key(1), 0)).count();
        assert_eq!(journaled, 10);
        assert!(limit.admits(&key(2), 0), "another leaf has its own ten");
        assert_eq!(
            limit.take(),
            [Aggregate {
                links: key(1),
                count: 15
            }]
        );
        assert!(limit.take().is_empty());
        assert!(limit.admits(&key(1), MINUTE_MS));
    }

    #[test]
    fn many_leaves_do_not_get_around_the_limit() {
        let mut limit = RefusalLimit::default();
        let tries = (0..=255).flat_map(|number| std::iter::repeat_n(key(number), 10));
        let journaled = tries.filter(|links| limit.admits(links, 0)).count();
        assert_eq!(journaled as u64, PER_MINUTE);
    }

    #[test]
    fn unsigned_refusals_are_counted_by_their_code() {
        let unsigned = Unsigned::default();
        unsigned.count(Refusal::Malformed);
        unsigned.count(Refusal::Malformed);
        assert_eq!(unsigned.iter().collect::<Vec<_>>(), [("malformed", 2)]);
    }
}

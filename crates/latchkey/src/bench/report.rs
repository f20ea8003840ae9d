//! The figures of one run.

use std::fmt::Write as _;

use serde::Serialize;

use super::name;
use super::rounds::Rounds;
use super::scene::Scene;
use crate::curve;

/// Ratios are medians over the rounds of two works timed in the same round; below 1 the first is the
/// quicker. `null`: not measured by this build.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// A one-hop check over two signatures and one new public key.
    one_hop_over_bare: Option<f64>,
    /// A three-hop check over four signatures and three new public keys.
    three_hop_over_bare: Option<f64>,
    /// A check of a three-hop key that is cached and named by its last link, over one signature.
    cached_over_verify: Option<f64>,
    /// The same where the phone sends the whole key again.
    cached_by_bytes_over_verify: Option<f64>,
    /// Parse, verify and authorize three blocks, without any proof of possession, over our three hops with one.
    biscuit_three_block_over_three_hop: Option<f64>,
    /// The same for one.
    biscuit_one_block_over_one_hop: Option<f64>,
    /// Decode and verify one token and its claims, over our one hop.
    jwt_over_one_hop: Option<f64>,
    /// The same for PASETO v4.public.
    pasetors_over_one_hop: Option<f64>,
    /// Strict parsing of one link of three, nanoseconds.
    parse_link_ns: Option<f64>,
    /// Refusing what is no presentation, nanoseconds.
    garbage_ns: Option<f64>,
    /// Bytes of a key with one link: window, three entitlements, a circle, the vehicle, the holder.
    one_hop_key_bytes: usize,
    /// The same with two narrower links.
    three_hop_key_bytes: usize,
    /// Heap allocations of checks of one and of three hops, fresh and cached.
    allocations: Option<u64>,
    /// Arithmetic of the curve, chosen at run time.
    backend: &'static str,
    /// Medians of the works, nanoseconds.
    medians_ns: serde_json::Map<String, serde_json::Value>,
}

impl Report {
    pub(super) fn new(
        rounds: &Rounds,
        one: &Scene,
        three: &Scene,
        allocations: Option<u64>,
    ) -> Self {
        let ratio = |name, over| rounds.ratio(name, over).map(rounded);
        let medians = rounds
            .medians()
            .map(|(name, median)| (name.to_owned(), median.round().into()))
            .collect();
        Self {
            one_hop_over_bare: ratio(name::ONE_HOP, name::BARE_ONE),
            three_hop_over_bare: ratio(name::THREE_HOPS, name::BARE_THREE),
            cached_over_verify: ratio(name::CACHED_LEAF, name::VERIFY),
            cached_by_bytes_over_verify: ratio(name::CACHED_HASH, name::VERIFY),
            biscuit_three_block_over_three_hop: ratio(name::BISCUIT_THREE, name::THREE_HOPS),
            biscuit_one_block_over_one_hop: ratio(name::BISCUIT_ONE, name::ONE_HOP),
            jwt_over_one_hop: ratio(name::JWT, name::ONE_HOP),
            pasetors_over_one_hop: ratio(name::PASETO, name::ONE_HOP),
            parse_link_ns: rounds.median_ns(name::PARSE).map(|key| (key / 3.0).round()),
            garbage_ns: rounds.median_ns(name::GARBAGE).map(f64::round),
            one_hop_key_bytes: one.key_bytes(),
            three_hop_key_bytes: three.key_bytes(),
            allocations,
            backend: curve::backend(),
            medians_ns: medians,
        }
    }

    /// A table for a person.
    pub(crate) fn table(&self) -> String {
        let mut out = String::from("median       work\n");
        for (name, median) in &self.medians_ns {
            let microseconds = median.as_f64().unwrap_or_default() / 1_000.0;
            let _ = writeln!(out, "{microseconds:>8.2} us  {name}");
        }
        out.push_str("\nratio        of what\n");
        for (ratio, text) in self.ratios() {
            let _ = match ratio {
                Some(ratio) => writeln!(out, "{ratio:>8.3}     {text}"),
                None => writeln!(out, "       -     {text}"),
            };
        }
        let allocations = self
            .allocations
            .map_or("-".into(), |count| count.to_string());
        let _ = writeln!(
            out,
            "\nkey bytes    {} with one link, {} with three\nallocations  {allocations}\nback-end     {}",
            self.one_hop_key_bytes, self.three_hop_key_bytes, self.backend
        );
        out
    }

    fn ratios(&self) -> [(Option<f64>, &'static str); 8] {
        [
            (
                self.one_hop_over_bare,
                "one-hop check / its bare signatures and keys",
            ),
            (
                self.three_hop_over_bare,
                "three-hop check / its bare signatures and keys",
            ),
            (
                self.cached_over_verify,
                "cached check, by leaf / one bare signature",
            ),
            (
                self.cached_by_bytes_over_verify,
                "cached check, by bytes / one bare signature",
            ),
            (
                self.biscuit_one_block_over_one_hop,
                "Biscuit, one block / one-hop check",
            ),
            (
                self.biscuit_three_block_over_three_hop,
                "Biscuit, three blocks / three-hop check",
            ),
            (self.jwt_over_one_hop, "JSON Web Token / one-hop check"),
            (
                self.pasetors_over_one_hop,
                "PASETO v4.public / one-hop check",
            ),
        ]
    }
}

fn rounded(ratio: f64) -> f64 {
    (ratio * 1_000.0).round() / 1_000.0
}

//! How often a peer may ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// Whoever asks: an address on the car's network, or the API for all phones behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The API.
    Api,
    /// A phone beside the car.
    Local(IpAddr),
}

impl Peer {
    /// The peer at an address; an IPv6 peer is its network of 64 bits, which is one device's to fill.
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self::Local(IpAddr::V6((v6.to_bits() >> 64 << 64).into())),
            v4 => Self::Local(v4),
        }
    }
}

/// Peers remembered at a time.
const PEERS: usize = 1_024;

/// A bucket per key: holds a second's worth of tries, and fills evenly.
#[derive(Debug)]
pub struct RateLimit<K> {
    per_second: u64,
    /// Thousandths of a try left, and when that was so.
    buckets: HashMap<K, (u64, u64)>,
}

impl<K: Eq + Hash + Copy> RateLimit<K> {
    /// So many tries a second.
    #[must_use]
    pub fn per_second(per_second: u64) -> Self {
        Self {
            per_second,
            buckets: HashMap::new(),
        }
    }

    /// Takes one try, if there is one left.
    pub fn admits(&mut self, key: K, now_ms: u64) -> bool {
        if self.buckets.len() >= PEERS && !self.buckets.contains_key(&key) {
            self.forget_the_full(now_ms);
        }
        let full = self.per_second * 1_000;
        let (left, at_ms) = self.buckets.entry(key).or_insert((full, now_ms));
        // Each millisecond gives `per_second` thousandths back.
        let filled = now_ms
            .saturating_sub(*at_ms)
            .saturating_mul(self.per_second);
        *left = left.saturating_add(filled).min(full);
        *at_ms = now_ms;
        let admitted = *left >= 1_000;
        if admitted {
            *left -= 1_000;
        }
        admitted
    }

    /// A full bucket says nothing; if none is full, everybody starts anew.
    fn forget_the_full(&mut self, now_ms: u64) {
        self.buckets
            .retain(|_, (_, at_ms)| now_ms.saturating_sub(*at_ms) < 1_000);
        if self.buckets.len() >= PEERS {
            self.buckets.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_so_many_tries_and_no_more() {
        let mut limit = RateLimit::per_second(5);
        let taken = (0..20).filter(|_| limit.admits(1, 0)).count();
        assert_eq!(taken, 5);
        assert!(!limit.admits(1, 199));
        assert!(limit.admits(1, 200));
        assert!(limit.admits(2, 200), "another peer has its own");
    }

    #[test]
    fn the_number_of_peers_remembered_is_bounded() {
        let mut limit = RateLimit::per_second(1);
        for peer in 0..10 * PEERS {
            limit.admits(peer, 0);
        }
        assert!(limit.buckets.len() <= PEERS);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_peer() {
        let at = |text: &str| Peer::at(text.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:2"));
        assert_ne!(at("2001:db8:0:1::1"), at("2001:db8::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}

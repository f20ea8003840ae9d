//! Challenges (M1): made for nothing, recognized again, used once.
//!
//! A nonce is a counter and an HMAC over the rest of the challenge under a secret that lives as long as
//! the process, so the gateway knows its own challenge when it comes back and keeps nothing about those
//! that do not. Only counters of challenges that led to an act are kept, until they expire.
//! Source: ck1 section 5.

use std::collections::{HashMap, VecDeque};
use std::io;

use hmac::{Hmac, KeyInit, Mac};
use keys_core::challenge::{Challenge, Origin, Seqs, VERSION};
use keys_core::envelope::{NO_REST, seal};
use keys_core::id::{BootEpoch, Nonce, VehicleId};
use keys_core::signature::{SignError, Signer};
use keys_core::time::ClockInterval;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::sync::Random;

/// Life of a challenge for a phone that is there, ms.
pub const LIVE_TTL_MS: u64 = 30_000;
/// Life of a challenge that is deposited with the API, ms.
pub const POOL_TTL_MS: u64 = 300_000;
/// Challenges deposited at a time.
pub const POOL: usize = 16;

/// What a challenge says beside its nonce and share.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The vehicle.
    pub vehicle: VehicleId,
    /// What is known of the time.
    pub clock: ClockInterval,
    /// What the gateway holds.
    pub seqs: Seqs,
    /// Where a browser returns to.
    pub return_origin: Option<Origin>,
    /// The monotonic clock.
    pub now_ms: u64,
}

/// What a challenge that came back is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognized {
    /// Ours and alive.
    Alive,
    /// Ours, and over.
    Expired,
    /// Not ours, or from before the last start.
    Foreign,
}

/// Makes challenges and knows them again.
pub struct Challenges {
    secret: Zeroizing<[u8; 32]>,
    epoch: BootEpoch,
    started_ms: u64,
    next: u64,
    /// Counters of challenges that led to an act: what was presented, and until when to remember it.
    used: HashMap<u64, ([u8; 32], u64)>,
    /// When each deposited challenge expires.
    pool: VecDeque<u64>,
}

impl Challenges {
    /// A new boot epoch.
    ///
    /// # Errors
    /// What `random` says.
    pub fn start(random: &Random, now_ms: u64) -> io::Result<Self> {
        let mut secret = Zeroizing::new([0u8; 32]);
        let mut epoch = [0u8; 8];
        random(&mut secret[..])?;
        random(&mut epoch)?;
        Ok(Self {
            secret,
            epoch: BootEpoch(epoch),
            started_ms: now_ms,
            next: 0,
            used: HashMap::new(),
            pool: VecDeque::new(),
        })
    }

    /// Makes a challenge for a phone that is there.
    ///
    /// # Errors
    /// [`SignError`] if the gateway key cannot sign.
    pub fn issue(
        &mut self,
        facts: &Facts,
        phone_nonce: Option<[u8; 16]>,
        signer: &dyn Signer,
    ) -> Result<Vec<u8>, SignError> {
        self.make(facts, phone_nonce, LIVE_TTL_MS, signer)
    }

    /// Makes a challenge to be deposited; `None` while the clock is not trusted or sixteen are out.
    ///
    /// # Errors
    /// [`SignError`] if the gateway key cannot sign.
    pub fn deposit(
        &mut self,
        facts: &Facts,
        signer: &dyn Signer,
    ) -> Result<Option<Vec<u8>>, SignError> {
        let now_ms = facts.now_ms;
        self.pool.retain(|expires_ms| *expires_ms > now_ms);
        if !facts.clock.is_trusted() || self.pool.len() >= POOL {
            return Ok(None);
        }
        let bytes = self.make(facts, None, POOL_TTL_MS, signer)?;
        self.pool.push_back(now_ms + POOL_TTL_MS);
        Ok(Some(bytes))
    }

    fn make(
        &mut self,
        facts: &Facts,
        phone_nonce: Option<[u8; 16]>,
        ttl_ms: u64,
        signer: &dyn Signer,
    ) -> Result<Vec<u8>, SignError> {
        let counter = self.next;
        self.next += 1;
        let mut challenge = Challenge {
            nonce: Nonce([0; 16]),
            vehicle: facts.vehicle,
            phone_nonce,
            share: PublicKey::from(&self.share_secret(counter)).to_bytes(),
            clock: facts.clock,
            boot_epoch: self.epoch,
            seqs: facts.seqs,
            ttl_ms,
            versions: std::iter::once(VERSION).collect(),
            return_origin: facts.return_origin,
            boot_ms: facts.now_ms.saturating_sub(self.started_ms),
        };
        challenge.nonce = self.nonce(counter, &challenge);
        Ok(seal(&challenge, signer, NO_REST)?.bytes)
    }

    /// Whether a challenge is ours, and alive.
    #[must_use]
    pub fn recognize(&self, challenge: &Challenge, now_ms: u64) -> Recognized {
        let Some(counter) = counter_of(&challenge.nonce).filter(|counter| *counter < self.next)
        else {
            return Recognized::Foreign;
        };
        let ours = self.nonce(counter, challenge);
        if !bool::from(ours.0.ct_eq(&challenge.nonce.0)) {
            Recognized::Foreign
        } else if now_ms >= self.made_ms(challenge).saturating_add(challenge.ttl_ms) {
            Recognized::Expired
        } else {
            Recognized::Alive
        }
    }

    /// When a recognized challenge was made, on the monotonic clock.
    #[must_use]
    pub fn made_ms(&self, challenge: &Challenge) -> u64 {
        self.started_ms.saturating_add(challenge.boot_ms)
    }

    /// What the challenge was used for, if it led to an act.
    #[must_use]
    pub fn used_for(&self, challenge: &Challenge) -> Option<[u8; 32]> {
        let counter = counter_of(&challenge.nonce)?;
        self.used
            .get(&counter)
            .map(|(presentation, _)| *presentation)
    }

    /// Remembers what a recognized challenge was used for until it expires.
    pub fn mark_used(&mut self, challenge: &Challenge, presentation: [u8; 32], now_ms: u64) {
        self.used.retain(|_, (_, until_ms)| *until_ms > now_ms);
        if let Some(counter) = counter_of(&challenge.nonce) {
            let until_ms = self.made_ms(challenge).saturating_add(challenge.ttl_ms);
            self.used.insert(counter, (presentation, until_ms));
        }
    }

    fn nonce(&self, counter: u64, challenge: &Challenge) -> Nonce {
        let mut mac = self.mac();
        mac.update(&counter.to_be_bytes());
        mac.update(&challenge.nonce_input());
        let tag = mac.finalize().into_bytes();
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&counter.to_be_bytes());
        nonce[8..].copy_from_slice(&tag[..8]);
        Nonce(nonce)
    }

    /// The private half of a challenge's share: derived, so that nothing is kept for it.
    fn share_secret(&self, counter: u64) -> StaticSecret {
        let mut mac = self.mac();
        mac.update(b"x25519");
        mac.update(&counter.to_be_bytes());
        StaticSecret::from(<[u8; 32]>::from(mac.finalize().into_bytes()))
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.secret[..]).expect("HMAC takes a key of any length")
    }
}

impl std::fmt::Debug for Challenges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenges")
            .field("epoch", &self.epoch)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

fn counter_of(nonce: &Nonce) -> Option<u64> {
    nonce
        .0
        .first_chunk::<8>()
        .map(|counter| u64::from_be_bytes(*counter))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keys_core::envelope::Unverified;
    use keys_core::testing;

    use super::*;

    fn challenges() -> Challenges {
        let random: Random = Arc::new(|buffer| {
            buffer.fill(7);
            Ok(())
        });
        Challenges::start(&random, 1_000).unwrap()
    }

    fn facts(now_ms: u64) -> Facts {
        Facts {
            vehicle: testing::vehicle(),
            clock: ClockInterval::exactly(testing::NOW),
            seqs: Seqs::default(),
            return_origin: None,
            now_ms,
        }
    }

    fn decode(bytes: &[u8]) -> Challenge {
        Unverified::<Challenge>::decode(bytes)
            .unwrap()
            .unverified_body()
            .clone()
    }

    #[test]
    fn our_own_challenge_is_recognized_until_it_expires() {
        let mut ours = challenges();
        let challenge = decode(
            &ours
                .issue(&facts(5_000), None, &testing::gateway())
                .unwrap(),
        );
        assert_eq!(ours.recognize(&challenge, 34_999), Recognized::Alive);
        assert_eq!(ours.recognize(&challenge, 35_000), Recognized::Expired);
    }

    #[test]
    fn any_other_word_in_it_makes_it_foreign() {
        let mut ours = challenges();
        let challenge = decode(
            &ours
                .issue(&facts(5_000), Some([1; 16]), &testing::gateway())
                .unwrap(),
        );
        let mut longer = challenge.clone();
        longer.ttl_ms = 300_000;
        let mut later = challenge.clone();
        later.boot_ms += 1;
        let mut other = challenge.clone();
        other.phone_nonce = Some([2; 16]);
        let mut renumbered = challenge;
        renumbered.nonce.0[7] ^= 1;
        for forged in [longer, later, other, renumbered] {
            assert_eq!(ours.recognize(&forged, 5_000), Recognized::Foreign);
        }
    }

    #[test]
    fn a_challenge_from_before_the_last_start_is_foreign() {
        let mut before = challenges();
        let challenge = decode(
            &before
                .issue(&facts(5_000), None, &testing::gateway())
                .unwrap(),
        );
        let random: Random = Arc::new(|buffer| {
            buffer.fill(8);
            Ok(())
        });
        let mut after = Challenges::start(&random, 0).unwrap();
        after
            .issue(&facts(5_000), None, &testing::gateway())
            .unwrap();
        assert_eq!(after.recognize(&challenge, 5_000), Recognized::Foreign);
    }

    #[test]
    fn a_used_challenge_is_remembered_until_it_expires() {
        let mut ours = challenges();
        let first = decode(
            &ours
                .issue(&facts(5_000), None, &testing::gateway())
                .unwrap(),
        );
        let second = decode(
            &ours
                .issue(&facts(40_000), None, &testing::gateway())
                .unwrap(),
        );
        ours.mark_used(&first, [1; 32], 6_000);
        assert_eq!(ours.used_for(&first), Some([1; 32]));
        ours.mark_used(&second, [2; 32], 41_000);
        assert_eq!(
            ours.used_for(&first),
            None,
            "it expired; recognizing it says so"
        );
        assert_eq!(ours.used.len(), 1);
    }

    #[test]
    fn sixteen_challenges_are_deposited_at_most_and_none_without_a_trusted_clock() {
        let mut ours = challenges();
        let signer = testing::gateway();
        let untrusted = Facts {
            clock: ClockInterval::at_least(testing::NOW),
            ..facts(0)
        };
        assert_eq!(ours.deposit(&untrusted, &signer).unwrap(), None);
        let out = (0..20)
            .filter(|_| ours.deposit(&facts(0), &signer).unwrap().is_some())
            .count();
        assert_eq!(out, POOL);
        assert!(
            ours.deposit(&facts(POOL_TTL_MS), &signer)
                .unwrap()
                .is_some()
        );
    }
}

//! The life of one pairing code.

use std::time::Duration;

use keys_core::pairing::{
    PairAnswer, PairConfirm, PairOffer, PairingSecret, answer, check_confirm,
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// How often a code may be tried.
pub const TRIES: u8 = 5;
/// How long a code is good.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// One code and what is left of it.
#[derive(Debug)]
pub struct Attempt {
    secret: PairingSecret,
    offer: PairOffer,
    expires_at: Instant,
    tries_left: u8,
    /// SHA-256 of the confirmation judged last: a relay gives the same one again.
    last: Option<[u8; 32]>,
}

/// What a confirmation is worth.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was made with the code. What it says is still to be checked.
    Accepted(Box<PairConfirm>),
    /// It is the one judged last; nothing was counted.
    Again,
    /// It was not made with the code, or is no confirmation at all. A try is gone.
    Wrong {
        /// How many are left; at 0 the code is void.
        tries_left: u8,
    },
    /// The code is void: too old, or tried too often.
    Void,
}

impl Attempt {
    /// A fresh code.
    #[must_use]
    pub fn new(secret: PairingSecret, offer: PairOffer, now: Instant) -> Self {
        Self {
            secret,
            offer,
            expires_at: now + LIFETIME,
            tries_left: TRIES,
            last: None,
        }
    }

    /// The offer the code belongs to.
    #[must_use]
    pub fn offer(&self) -> &PairOffer {
        &self.offer
    }

    /// When the code is void.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// How many tries are left.
    #[must_use]
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// Judges a confirmation as it came from the relay. The try is counted first.
    pub fn judge(&mut self, bytes: &[u8], now: Instant) -> Verdict {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        if self.last == Some(digest) {
            return Verdict::Again;
        }
        if self.tries_left == 0 || now >= self.expires_at {
            return Verdict::Void;
        }
        self.last = Some(digest);
        self.tries_left -= 1;
        let confirm = PairConfirm::decode(bytes).ok();
        let made_with_code =
            confirm.filter(|confirm| check_confirm(&self.secret, &self.offer, confirm).is_ok());
        made_with_code.map_or(
            Verdict::Wrong {
                tries_left: self.tries_left,
            },
            |confirm| Verdict::Accepted(Box::new(confirm)),
        )
    }

    /// The answer to a confirmation that was made with the code.
    #[must_use]
    pub fn answer(&self, confirm: &PairConfirm) -> Option<PairAnswer> {
        answer(&self.secret, &self.offer, confirm).ok()
    }
}

#[cfg(test)]
mod tests {
    use keys_core::id::VehicleId;
    use keys_core::pairing::{PairingCode, owner_confirm};
    use keys_core::signature::Signer;
    use keys_core::testing;

    use super::*;

    fn secret(byte: u8) -> PairingSecret {
        PairingSecret::new([byte; 10])
    }

    fn attempt() -> Attempt {
        let offer = PairOffer {
            gateway_key: *testing::gateway().verifying_key(),
            gateway_nonce: [3; 16],
        };
        Attempt::new(secret(1), offer, Instant::now())
    }

    fn confirm(attempt: &Attempt, byte: u8, nonce: u8) -> Vec<u8> {
        let code = PairingCode::new(&attempt.offer().gateway_key, secret(byte));
        let owner = testing::owner();
        let vehicle = VehicleId::from_bytes([9; 16]);
        let confirm = owner_confirm(
            &code,
            attempt.offer(),
            vehicle,
            owner.verifying_key(),
            [nonce; 16],
            b"bundle",
        )
        .unwrap();
        confirm.encode()
    }

    #[test]
    fn a_confirmation_made_with_the_code_is_accepted_and_answered() {
        let mut attempt = attempt();
        let bytes = confirm(&attempt, 1, 0);
        let Verdict::Accepted(confirm) = attempt.judge(&bytes, Instant::now()) else {
            panic!("not accepted")
        };
        assert!(attempt.answer(&confirm).is_some());
    }

    #[test]
    fn the_fifth_wrong_code_voids_it_and_the_right_one_comes_too_late() {
        let mut attempt = attempt();
        for nonce in 0..TRIES {
            let bytes = confirm(&attempt, 2, nonce);
            let expected = Verdict::Wrong {
                tries_left: TRIES - 1 - nonce,
            };
            assert_eq!(attempt.judge(&bytes, Instant::now()), expected);
        }
        let right = confirm(&attempt, 1, 0);
        assert_eq!(attempt.judge(&right, Instant::now()), Verdict::Void);
    }

    #[test]
    fn the_same_bytes_again_cost_no_try() {
        let mut attempt = attempt();
        let bytes = confirm(&attempt, 2, 0);
        attempt.judge(&bytes, Instant::now());
        for _ in 0..10 {
            assert_eq!(attempt.judge(&bytes, Instant::now()), Verdict::Again);
        }
        assert_eq!(attempt.tries_left(), TRIES - 1);
    }

    #[test]
    fn bytes_that_are_no_confirmation_cost_a_try() {
        let mut attempt = attempt();
        assert_eq!(
            attempt.judge(b"x", Instant::now()),
            Verdict::Wrong {
                tries_left: TRIES - 1
            }
        );
    }

    #[test]
    fn a_code_is_good_until_its_last_moment_and_no_longer() {
        let mut attempt = attempt();
        let right = confirm(&attempt, 1, 0);
        let end = attempt.expires_at();
        assert_eq!(attempt.judge(&right, end), Verdict::Void);
        assert!(matches!(
            attempt.judge(&right, end - Duration::from_nanos(1)),
            Verdict::Accepted(_)
        ));
    }
}

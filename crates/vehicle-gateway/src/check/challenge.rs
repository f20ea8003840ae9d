//! The challenge is ours and alive.

use keys_core::challenge::Challenge;
use keys_core::refusal::Refusal;

use crate::challenge::{Challenges, Recognized};

/// What is wrong with a challenge that came back.
#[must_use]
pub fn finding(challenges: &Challenges, challenge: &Challenge, now_ms: u64) -> Option<Refusal> {
    match challenges.recognize(challenge, now_ms) {
        Recognized::Alive => None,
        Recognized::Expired => Some(Refusal::ChallengeExpired),
        Recognized::Foreign => Some(Refusal::WrongChallenge),
    }
}

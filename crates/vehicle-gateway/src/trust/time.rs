//! A status key's word for the time, over a challenge of ours.

use keys_core::attestation::TimeAttestation;
use keys_core::chain::DigitalKey;
use keys_core::envelope::{Unverified, sha256};
use keys_core::refusal::Refusal;
use keys_core::time::{ClockInterval, Timestamp};

use super::Trust;

impl Trust {
    /// Checks an attestation over a challenge that was recognized; gives the time it attests.
    ///
    /// # Errors
    /// [`Refusal::UnknownSigner`] if no status key that stands signed it, [`Refusal::Expired`] or
    /// [`Refusal::NotYetValid`] if that key may not speak about that time.
    pub fn verify_time(
        &self,
        attestation: &[u8],
        challenge: &[u8],
        clock: ClockInterval,
    ) -> Result<Timestamp, Refusal> {
        let object = Unverified::<TimeAttestation>::decode(attestation)?;
        let hash = sha256(challenge);
        let standing: Vec<_> = self
            .anchors
            .status_keys()
            .filter(|(_, link)| self.stands(link, clock))
            .collect();
        let verified =
            object.verify_any(standing.iter().map(|(key, _)| *key), [&hash, &[], &[]])?;
        let time = verified.body().time;
        let windows = standing
            .iter()
            .filter(|(key, _)| *key == verified.signer())
            .map(|(_, link)| link.effective().validity());
        let mut refusal = Refusal::UnknownSigner;
        for window in windows {
            if window.contains(time) {
                return Ok(time);
            }
            refusal = if time < window.from {
                Refusal::NotYetValid
            } else {
                Refusal::Expired
            };
        }
        Err(refusal)
    }

    /// A status key's link: not surely over, not denied by the owner, not of an old generation.
    fn stands(&self, link: &DigitalKey, clock: ClockInterval) -> bool {
        clock.lo < link.effective().validity().until
            && link.effective().generation() >= self.board.least_generation()
            && self.board.denials(link).is_empty()
            && !self.was_denied_before(link, clock)
    }
}

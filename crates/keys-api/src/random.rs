//! Randomness as an argument: secrets and row ids come from the [`Random`] in
//! [`crate::state::App`].

use std::sync::Mutex;

use uuid::Uuid;

use crate::clock::Clock;

/// A source of unpredictable bytes. Thread-safe; never returns without having filled the buffer.
pub trait Random: Send + Sync + 'static {
    /// Fills `buffer`.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer)
            .expect("a machine without randomness must not make secrets, so nothing may go on");
    }
}

/// `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut buffer = [0; N];
    random.fill(&mut buffer);
    buffer
}

/// Makes UUIDv7 row ids that rise even within one millisecond, so that pages keep their order.
#[derive(Debug, Default)]
pub struct RowIds {
    last: Mutex<(u64, u16)>,
}

impl RowIds {
    /// The next id.
    pub fn next(&self, clock: &dyn Clock, random: &dyn Random) -> Uuid {
        let (ms, counter) = self.tick(clock.now_ms());
        let mut tail: [u8; 10] = bytes(random);
        let [high, low] = counter.to_be_bytes();
        tail[0] = high;
        tail[1] = low;
        uuid::Builder::from_unix_timestamp_millis(ms, &tail).into_uuid()
    }

    fn tick(&self, now: u64) -> (u64, u16) {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = match *last {
            (ms, _) if now > ms => (now, 0),
            (ms, counter) if counter < 0x0fff => (ms, counter + 1),
            (ms, _) => (ms + 1, 0),
        };
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use keys_core::time::Timestamp;

    #[test]
    fn ids_made_in_the_same_millisecond_rise() {
        let (ids, clock) = (RowIds::default(), FixedClock::at(Timestamp(1_800_000_000)));
        let made: Vec<Uuid> = (0..5000).map(|_| ids.next(&clock, &SystemRandom)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

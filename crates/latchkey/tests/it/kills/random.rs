//! Choices that a seed repeats.

use keys_core::envelope::sha256;

/// SplitMix64.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The choices of one lane of work.
    pub(super) fn new(seed: u64, lane: u64) -> Self {
        Self(seed ^ lane.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `of` times.
    pub(super) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.below(from.len() as u64);
        &from[usize::try_from(at).expect("below the length")]
    }

    /// 32 bytes.
    pub(super) fn seed(&mut self) -> [u8; 32] {
        sha256(&self.next().to_be_bytes())
    }

    /// 16 bytes.
    pub(super) fn id(&mut self) -> [u8; 16] {
        let seed = self.seed();
        std::array::from_fn(|at| seed[at])
    }
}

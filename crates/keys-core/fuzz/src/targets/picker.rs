//! Choices drawn from bytes, so that a fuzzer that changes a byte changes a choice.

/// Takes a byte for every choice; where bytes are over, the first choice.
#[derive(Debug)]
pub(super) struct Picker<'a>(&'a [u8]);

impl<'a> Picker<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// One of `choices`.
    pub(super) fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// In two of three cases nothing; then one of `choices`.
    pub(super) fn maybe<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let byte = usize::from(self.byte());
        (byte % 3 == 1).then(|| choices[byte / 3 % choices.len()])
    }
}

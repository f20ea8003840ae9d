//! Which part of a list is wanted.

/// Most entries of one page.
pub const MOST: u64 = 100;
const USUAL: u64 = 20;

/// A page of a list that runs from the newest row to the oldest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageQuery {
    limit: Option<u64>,
    after: Option<String>,
}

impl PageQuery {
    /// At most `limit` entries (20 if absent), after the row id `after`.
    #[must_use]
    pub fn new(limit: Option<u64>, after: Option<String>) -> Self {
        Self { limit, after }
    }

    /// How many entries were asked for.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// How many rows to fetch: one more than asked, to see whether there are more.
    #[must_use]
    pub fn fetch(&self) -> u64 {
        self.limit() + 1
    }

    /// The row id to begin after.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

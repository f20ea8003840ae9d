//! Statements of both authorities, by way of the status board.

use keys_core::envelope::{NO_REST, Unverified};
use keys_core::id::ShortId;
use keys_core::refusal::Refusal;
use keys_core::statement::Statement;
use keys_core::status::{Accepted, Authority, StatementRefusal, StatusBoard};
use keys_core::time::ClockInterval;

use super::{NotTaken, Taken, Trust, trust_entry};
use crate::store::TrustChange;

impl Trust {
    /// Takes a carried statement.
    ///
    /// # Errors
    /// [`NotTaken`] says why it is not believed.
    pub fn take_statement(&self, bytes: &[u8], clock: ClockInterval) -> Result<Taken, NotTaken> {
        let statement = Unverified::<Statement>::decode(bytes).map_err(Refusal::from)?;
        let mut next = self.clone();
        let roots = self.bundle.roots();
        let accepted = next
            .board
            .accept(&statement, self.vehicle, &roots, &self.anchors, clock);
        let (authority, id) = match accepted {
            Ok(Accepted::New(authority, id)) => (authority, id),
            Ok(Accepted::Known) => return Ok(Taken::Known),
            Err(StatementRefusal::Equivocation) => {
                return Err(NotTaken::Equivocation(statement.id(NO_REST)));
            }
            Err(refusal) => return Err(refusal.refusal().into()),
        };
        let issued_at = statement.unverified_body().issued_at;
        let floor = clock.raise_floor(issued_at).lo;
        // The platform says the same again every few minutes; the journal keeps what is new.
        let says_more =
            authority == Authority::Owner || denials(&next.board) != denials(&self.board);
        let change = TrustChange {
            board: Some(next.board.encode()),
            floor: Some(floor),
            entry: says_more.then(|| trust_entry("statement", id, clock)),
            ..TrustChange::default()
        };
        Ok(Taken::changed(next, change))
    }
}

/// Everything a board denies.
fn denials(board: &StatusBoard) -> (Vec<ShortId>, Vec<ShortId>, u64) {
    (
        board.revoked().collect(),
        board.suspended().collect(),
        board.least_generation(),
    )
}

//! How a gateway stores a board; not a wire format.

use alloc::vec::Vec;

use super::{Held, RevokedUntil, SIGNERS, StatusBoard};
use crate::codec::{DecodeError, Reader, Writer};
use crate::id::{ObjectId, ShortId};
use crate::limits;
use crate::time::Timestamp;

impl StatusBoard {
    /// Encodes the board for a gateway's store; not a wire format.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(7)
            .uint(self.least_generation)
            .uint(self.least_owner_seq)
            .uint(self.least_platform_seq);
        w.uint(self.time_floor);
        for list in [&self.owner, &self.platform] {
            w.array(list.len());
            list.iter().for_each(|held| held.write(&mut w));
        }
        w.array(self.revoked.len());
        for (id, until) in &self.revoked {
            w.array(3)
                .bytes(&id.0)
                .uint(until.by_owner)
                .uint(until.by_platform);
        }
        w.into_bytes()
    }

    /// Decodes a stored board.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no board.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        r.array_of(7, 7)?;
        let mut board = Self::with_known(0, 0, r.uint()?);
        board.least_owner_seq = r.uint()?;
        board.least_platform_seq = r.uint()?;
        board.time_floor = r.uint()?;
        for list in [&mut board.owner, &mut board.platform] {
            for _ in 0..r.array_of(0, SIGNERS)? {
                list.push(Held::read(&mut r)?);
            }
        }
        for _ in 0..r.array()? {
            r.array_of(3, 3)?;
            let id = ShortId(*r.bytes_exact()?);
            board.revoked.insert(
                id,
                RevokedUntil {
                    by_owner: r.uint()?,
                    by_platform: r.uint()?,
                },
            );
        }
        r.finish()?;
        Ok(board)
    }
}

impl Held {
    fn write(&self, w: &mut Writer) {
        w.array(9)
            .bytes(&self.signer)
            .uint(self.seq)
            .bytes(&self.id.0);
        w.uint(self.issued_at.0).uint(self.fresh_until.0);
        match &self.owner_statement {
            Some((seq, id)) => w.array(2).uint(*seq).bytes(&id.0),
            None => w.array(0),
        };
        for list in [&self.revoked, &self.suspended] {
            w.array(list.len());
            list.iter().for_each(|id| {
                w.bytes(&id.0);
            });
        }
        match &self.status_link {
            Some((link, generation)) => w.array(2).bytes(&link.0).uint(*generation),
            None => w.array(0),
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const PAIR: DecodeError = DecodeError::Malformed("expected a pair or nothing");
        r.array_of(9, 9)?;
        Ok(Self {
            signer: *r.bytes_exact()?,
            seq: r.uint()?,
            id: ObjectId(*r.bytes_exact()?),
            issued_at: Timestamp(r.uint()?),
            fresh_until: Timestamp(r.uint()?),
            owner_statement: match r.array()? {
                0 => None,
                2 => Some((r.uint()?, ShortId(*r.bytes_exact()?))),
                _ => return Err(PAIR),
            },
            revoked: read_ids(r)?,
            suspended: read_ids(r)?,
            status_link: match r.array()? {
                0 => None,
                2 => Some((ObjectId(*r.bytes_exact()?), r.uint()?)),
                _ => return Err(PAIR),
            },
        })
    }
}

fn read_ids(r: &mut Reader<'_>) -> Result<Vec<ShortId>, DecodeError> {
    (0..r.array_of(0, limits::STATEMENT_IDS)?)
        .map(|_| r.bytes_exact().map(|id| ShortId(*id)))
        .collect()
}

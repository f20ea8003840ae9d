//! Status statements: signed lists of revoked and suspended links.

use arrayvec::ArrayVec;

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::{Body, Context, HintRule};
use crate::id::{ShortId, VehicleId};
use crate::limits;
use crate::link::read_time;
use crate::time::Timestamp;

/// A list of link ids, strictly ascending.
pub type IdList = ArrayVec<ShortId, { limits::STATEMENT_IDS }>;

const STATUS: i64 = -65538;

/// A statement, signed by an owner or status key under `ck1:rev\0`. Shape: ck1 section 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// 3: the vehicle.
    pub vehicle: VehicleId,
    /// 4: not fresh from here on; required from a status key, absent from an owner.
    pub expires_at: Option<Timestamp>,
    /// 6: when it was signed.
    pub issued_at: Timestamp,
    /// -65538 / 1: sequence number of this signer, from 1.
    pub seq: u64,
    /// 2: least generation; 0 from a status key.
    pub least_generation: u64,
    /// 3: revoked links.
    pub revoked: IdList,
    /// 4: newest owner statement the platform knows: its seq and id.
    pub owner_statement: Option<(u64, ShortId)>,
    /// 5: suspended links.
    pub suspended: IdList,
}

impl Body for Statement {
    const CONTEXT: Context = Context(b"ck1:rev\0");
    const MAX_BYTES: usize = limits::CARRIED_BYTES;
    const HINT: HintRule = HintRule::Required;

    fn write(&self, writer: &mut Writer) {
        writer.map(3 + usize::from(self.expires_at.is_some()));
        writer.uint(3).text(&self.vehicle.to_aud());
        if let Some(expires_at) = self.expires_at {
            writer.uint(4).uint(expires_at.0);
        }
        writer.uint(6).uint(self.issued_at.0);
        writer.int(STATUS).map(
            3 + usize::from(self.owner_statement.is_some())
                + usize::from(!self.suspended.is_empty()),
        );
        writer
            .uint(1)
            .uint(self.seq)
            .uint(2)
            .uint(self.least_generation);
        write_ids(writer.uint(3), &self.revoked);
        if let Some((seq, id)) = &self.owner_statement {
            writer.uint(4).array(2).uint(*seq).bytes(&id.0);
        }
        if !self.suspended.is_empty() {
            write_ids(writer.uint(5), &self.suspended);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const INCOMPLETE: DecodeError = DecodeError::Malformed("a statement lacks a field");
        let (mut vehicle, mut expires_at, mut issued_at, mut status) = (None, None, None, None);
        let mut map = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                3 => vehicle = Some(VehicleId::from_aud(reader.text(limits::AUD_BYTES)?)?),
                4 => expires_at = Some(read_time(reader)?),
                6 => issued_at = Some(read_time(reader)?),
                STATUS => status = Some(Lists::read(reader)?),
                _ => return Err(DecodeError::Malformed("unknown statement field")),
            }
        }
        let lists = status.ok_or(INCOMPLETE)?;
        Ok(Self {
            vehicle: vehicle.ok_or(INCOMPLETE)?,
            expires_at,
            issued_at: issued_at.ok_or(INCOMPLETE)?,
            seq: lists.seq.ok_or(INCOMPLETE)?,
            least_generation: lists.least_generation.ok_or(INCOMPLETE)?,
            revoked: lists.revoked.ok_or(INCOMPLETE)?,
            owner_statement: lists.owner_statement,
            suspended: lists.suspended,
        })
    }
}

#[derive(Default)]
struct Lists {
    seq: Option<u64>,
    least_generation: Option<u64>,
    revoked: Option<IdList>,
    owner_statement: Option<(u64, ShortId)>,
    suspended: IdList,
}

impl Lists {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut lists = Self::default();
        let mut map = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                1 => lists.seq = Some(reader.uint()?),
                2 => lists.least_generation = Some(reader.uint()?),
                3 => lists.revoked = Some(read_ids(reader)?),
                4 => {
                    reader.array_of(2, 2)?;
                    lists.owner_statement = Some((reader.uint()?, ShortId(*reader.bytes_exact()?)));
                }
                5 => lists.suspended = read_ids(reader)?,
                _ => return Err(DecodeError::Malformed("unknown status field")),
            }
        }
        Ok(lists)
    }
}

fn write_ids(writer: &mut Writer, ids: &IdList) {
    writer.array(ids.len());
    ids.iter().for_each(|id| {
        writer.bytes(&id.0);
    });
}

fn read_ids(reader: &mut Reader<'_>) -> Result<IdList, DecodeError> {
    let count = reader.array()?;
    if count > limits::STATEMENT_IDS {
        return Err(DecodeError::TooLarge("more than 64 ids in a statement"));
    }
    let mut ids = IdList::new();
    for _ in 0..count {
        let id = ShortId(*reader.bytes_exact()?);
        if ids.last().is_some_and(|last| *last >= id) {
            return Err(DecodeError::Malformed("ids are not strictly ascending"));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Sorts ids into the form a statement lists; `None` if more than 64 distinct ones remain.
#[must_use]
pub fn id_list(ids: impl IntoIterator<Item = ShortId>) -> Option<IdList> {
    let sorted: alloc::collections::BTreeSet<ShortId> = ids.into_iter().collect();
    (sorted.len() <= limits::STATEMENT_IDS).then(|| sorted.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::{assert_body, payload, read_payload};
    use crate::envelope::{NO_REST, Unverified, seal};
    use crate::testing::{NOW, owner, vehicle};

    fn ids(count: u8) -> IdList {
        id_list((0..count).map(|number| ShortId([number; 16]))).unwrap()
    }

    fn full() -> Statement {
        Statement {
            vehicle: vehicle(),
            expires_at: Some(NOW.plus(900)),
            issued_at: NOW,
            seq: 3,
            least_generation: 0,
            revoked: ids(2),
            owner_statement: Some((9, ShortId([7; 16]))),
            suspended: ids(1),
        }
    }

    #[test]
    fn a_statement_comes_back_as_written_and_nothing_else_is_read() {
        let harmless = [
            "remove /4",
            "remove /-65538/4",
            "remove /-65538/5",
            "pop /-65538/3",
            "pop /-65538/5",
        ];
        assert_body(&full(), &harmless);
        let mut least = full();
        least.expires_at = None;
        least.owner_statement = None;
        least.revoked.clear();
        least.suspended.clear();
        assert_body(&least, &[]);
    }

    #[test]
    fn ids_are_strictly_ascending() {
        for (first, second) in [(1, 1), (2, 1)] {
            let mut statement = full();
            statement.revoked = [ShortId([first; 16]), ShortId([second; 16])]
                .into_iter()
                .collect();
            assert!(read_payload::<Statement>(&payload(&statement)).is_err());
            let mut statement = full();
            statement.suspended = [ShortId([first; 16]), ShortId([second; 16])]
                .into_iter()
                .collect();
            assert!(read_payload::<Statement>(&payload(&statement)).is_err());
        }
    }

    #[test]
    fn a_list_has_at_most_sixty_four_ids() {
        for (count, expected) in [(63, true), (64, true)] {
            let mut statement = full();
            statement.suspended.clear();
            statement.revoked = ids(count);
            let sealed = seal(&statement, &owner(), NO_REST).unwrap();
            assert_eq!(
                Unverified::<Statement>::decode(&sealed.bytes).is_ok(),
                expected
            );
        }
        let mut writer = Writer::new();
        writer.array(65);
        (0..65u8).for_each(|number| {
            writer.bytes(&[number; 16]);
        });
        let refused = read_ids(&mut Reader::new(&writer.into_bytes()));
        assert!(matches!(refused, Err(DecodeError::TooLarge(_))));
        assert_eq!(id_list((0..65).map(|number| ShortId([number; 16]))), None);
    }

    #[test]
    fn a_list_is_sorted_and_without_doubles() {
        let list = id_list([3, 1, 3, 2].map(|number| ShortId([number; 16])));
        assert_eq!(
            list.unwrap()[..],
            [1, 2, 3].map(|number| ShortId([number; 16]))
        );
    }
}

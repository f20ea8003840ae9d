//! M1: what a gateway asks a phone to sign over.

use alloc::vec::Vec;

use arrayvec::{ArrayString, ArrayVec};

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::{Body, Context, HintRule};
use crate::id::{BootEpoch, Nonce, VehicleId};
use crate::limits;
use crate::link::read_time;
use crate::time::ClockInterval;

/// The protocol version this crate speaks.
pub const VERSION: u64 = 1;
/// Most versions a challenge lists.
const VERSIONS: usize = 4;
/// Longest life of a challenge, ms: five minutes, for a deposited pool.
pub const LONGEST_TTL_MS: u64 = 300_000;

/// Where a browser returns to: text of at most [`limits::ORIGIN_BYTES`], without heap.
pub type Origin = ArrayString<{ limits::ORIGIN_BYTES }>;

/// The sequence numbers of what a gateway holds; 0 = nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seqs {
    /// Newest owner statement.
    pub owner: u64,
    /// Newest platform statement.
    pub platform: u64,
    /// Bundle.
    pub bundle: u64,
}

impl Seqs {
    /// Writes `[owner, platform, bundle]`.
    pub(crate) fn write(self, writer: &mut Writer) {
        writer
            .array(3)
            .uint(self.owner)
            .uint(self.platform)
            .uint(self.bundle);
    }

    /// Reads `[owner, platform, bundle]`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(3, 3)?;
        Ok(Self {
            owner: reader.uint()?,
            platform: reader.uint()?,
            bundle: reader.uint()?,
        })
    }
}

/// A challenge (M1), signed by the gateway key under `ck1:chal`. Shape: ck1 section 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// 1: counter (8) ‖ HMAC (8).
    pub nonce: Nonce,
    /// 2: the vehicle.
    pub vehicle: VehicleId,
    /// 3: echoed from the phone.
    pub phone_nonce: Option<[u8; 16]>,
    /// 4: X25519 share of the gateway.
    pub share: [u8; 32],
    /// 5: what the gateway knows of the time.
    pub clock: ClockInterval,
    /// 6: random at each start of the gateway.
    pub boot_epoch: BootEpoch,
    /// 7: what the gateway holds, so that a phone carries what is newer.
    pub seqs: Seqs,
    /// 8: life in ms, on the gateway's monotonic clock.
    pub ttl_ms: u64,
    /// 9: protocol versions the gateway speaks.
    pub versions: ArrayVec<u64, VERSIONS>,
    /// 10: origin a browser hand-off returns to.
    pub return_origin: Option<Origin>,
    /// 11: ms since the gateway started, when it made this.
    pub boot_ms: u64,
}

impl Challenge {
    /// The payload without its nonce: what the nonce's HMAC covers, after the counter.
    #[must_use]
    pub fn nonce_input(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write_entries(&mut writer, false);
        writer.into_bytes()
    }

    fn write_entries(&self, writer: &mut Writer, with_nonce: bool) {
        let optional = [
            with_nonce,
            self.phone_nonce.is_some(),
            self.return_origin.is_some(),
        ];
        writer.map(8 + optional.into_iter().filter(|stated| *stated).count());
        if with_nonce {
            writer.uint(1).bytes(&self.nonce.0);
        }
        writer.uint(2).text(&self.vehicle.to_aud());
        if let Some(nonce) = &self.phone_nonce {
            writer.uint(3).bytes(nonce);
        }
        writer.uint(4).bytes(&self.share);
        writer
            .uint(5)
            .array(2)
            .uint(self.clock.lo.0)
            .uint(self.clock.hi.0);
        writer.uint(6).bytes(&self.boot_epoch.0).uint(7);
        self.seqs.write(writer);
        writer
            .uint(8)
            .uint(self.ttl_ms)
            .uint(9)
            .array(self.versions.len());
        self.versions.iter().for_each(|version| {
            writer.uint(*version);
        });
        if let Some(origin) = &self.return_origin {
            writer.uint(10).text(origin);
        }
        writer.uint(11).uint(self.boot_ms);
    }
}

impl Body for Challenge {
    const CONTEXT: Context = Context(b"ck1:chal");
    const MAX_BYTES: usize = 768;
    const HINT: HintRule = HintRule::Required;

    fn write(&self, writer: &mut Writer) {
        self.write_entries(writer, true);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const INCOMPLETE: DecodeError = DecodeError::Malformed("a challenge lacks a field");
        let (mut nonce, mut vehicle, mut phone_nonce, mut share, mut clock) =
            (None, None, None, None, None);
        let (mut boot_epoch, mut seqs, mut ttl_ms, mut return_origin, mut boot_ms) =
            (None, None, None, None, None);
        let mut versions = ArrayVec::new();
        let mut map = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                1 => nonce = Some(Nonce(*reader.bytes_exact()?)),
                2 => vehicle = Some(VehicleId::from_aud(reader.text(limits::AUD_BYTES)?)?),
                3 => phone_nonce = Some(*reader.bytes_exact()?),
                4 => share = Some(*reader.bytes_exact()?),
                5 => clock = Some(read_clock(reader)?),
                6 => boot_epoch = Some(BootEpoch(*reader.bytes_exact()?)),
                7 => seqs = Some(Seqs::read(reader)?),
                8 => ttl_ms = Some(reader.uint_up_to(LONGEST_TTL_MS)?),
                9 => {
                    for _ in 0..reader.array_of(1, VERSIONS)? {
                        versions.push(reader.uint()?);
                    }
                }
                10 => return_origin = Some(read_origin(reader)?),
                11 => boot_ms = Some(reader.uint()?),
                _ => return Err(DecodeError::Malformed("unknown challenge field")),
            }
        }
        if versions.is_empty() {
            return Err(INCOMPLETE);
        }
        Ok(Self {
            nonce: nonce.ok_or(INCOMPLETE)?,
            vehicle: vehicle.ok_or(INCOMPLETE)?,
            phone_nonce,
            share: share.ok_or(INCOMPLETE)?,
            clock: clock.ok_or(INCOMPLETE)?,
            boot_epoch: boot_epoch.ok_or(INCOMPLETE)?,
            seqs: seqs.ok_or(INCOMPLETE)?,
            ttl_ms: ttl_ms.ok_or(INCOMPLETE)?,
            versions,
            return_origin,
            boot_ms: boot_ms.ok_or(INCOMPLETE)?,
        })
    }
}

fn read_origin(reader: &mut Reader<'_>) -> Result<Origin, DecodeError> {
    Origin::from(reader.text(limits::ORIGIN_BYTES)?)
        .map_err(|_full| DecodeError::Malformed("text is too long"))
}

fn read_clock(reader: &mut Reader<'_>) -> Result<ClockInterval, DecodeError> {
    reader.array_of(2, 2)?;
    let clock = ClockInterval {
        lo: read_time(reader)?,
        hi: read_time(reader)?,
    };
    if clock.lo > clock.hi {
        Err(DecodeError::Malformed("the clock interval is inverted"))
    } else {
        Ok(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::{assert_body, payload, read_payload};
    use crate::envelope::Unverified;
    use crate::proof::speaks_this_version;
    use crate::testing::{NOW, challenge};
    use crate::time::Timestamp;

    fn full() -> Challenge {
        let sealed = challenge(1).bytes;
        let mut body = Unverified::<Challenge>::decode(&sealed)
            .unwrap()
            .unverified_body()
            .clone();
        body.phone_nonce = Some([5; 16]);
        body.return_origin = Origin::from("https://keys.example").ok();
        body.versions.push(2);
        body
    }

    #[test]
    fn a_challenge_comes_back_as_written_and_nothing_else_is_read() {
        let harmless = ["remove /3", "remove /10", "pop /9", "push /9"];
        assert_body(&full(), &harmless);
    }

    #[test]
    fn a_challenge_lives_at_most_five_minutes() {
        for (ttl_ms, expected) in [(299_999, true), (300_000, true), (300_001, false)] {
            let mut body = full();
            body.ttl_ms = ttl_ms;
            assert_eq!(read_payload::<Challenge>(&payload(&body)).is_ok(), expected);
        }
    }

    #[test]
    fn one_to_four_versions_are_listed_and_one_of_them_must_be_ours() {
        let mut body = full();
        body.versions = [1, 2, 3, 4].into_iter().collect();
        assert_body(&body, &["remove /3", "remove /10", "pop /9"]);
        assert!(speaks_this_version(&body));
        body.versions = [2].into_iter().collect();
        assert!(!speaks_this_version(&body));
        body.versions.clear();
        assert!(read_payload::<Challenge>(&payload(&body)).is_err());
    }

    #[test]
    fn a_clock_interval_may_be_open_but_not_inverted() {
        let mut body = full();
        body.clock = ClockInterval::at_least(NOW);
        assert!(read_payload::<Challenge>(&payload(&body)).is_ok());
        body.clock = ClockInterval {
            lo: NOW,
            hi: Timestamp(NOW.0 - 1),
        };
        assert!(read_payload::<Challenge>(&payload(&body)).is_err());
        body.clock.hi = Timestamp(limits::TIME_LIMIT);
        assert!(read_payload::<Challenge>(&payload(&body)).is_err());
    }

    #[test]
    fn the_nonce_is_the_only_thing_its_own_input_leaves_out() {
        let first = full();
        let mut second = full();
        second.nonce = Nonce([0xee; 16]);
        assert_eq!(first.nonce_input(), second.nonce_input());
        second.boot_ms += 1;
        assert_ne!(first.nonce_input(), second.nonce_input());
    }
}

//! The trust bundle: whom a car believes, signed by its owner.

use alloc::string::String;

use arrayvec::ArrayVec;

use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::{Body, Context, HintRule};
use crate::id::VehicleId;
use crate::limits;
use crate::link::read_time;
use crate::receipt::read_flag;
use crate::signature::VerifyingKey;
use crate::time::Timestamp;
use crate::trust::Roots;

const BUNDLE: i64 = -65540;

/// The owner keys of a bundle.
pub type OwnerKeys = ArrayVec<VerifyingKey, { limits::OWNER_KEYS }>;

/// A trust bundle, signed under `ck1:bndl` by an owner key of the bundle held. Shape: ck1 section 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// 3: the vehicle.
    pub vehicle: VehicleId,
    /// 6: when it was signed.
    pub issued_at: Timestamp,
    /// -65540 / 1: sequence; only a higher one is taken.
    pub seq: u64,
    /// 2: one to four owner keys.
    pub owner_keys: OwnerKeys,
    /// 3: the platform root, if the owner works with a platform.
    pub platform_root: Option<VerifyingKey>,
    /// 4: the gateway key.
    pub gateway_key: VerifyingKey,
    /// 5: whether the platform may hold a mandate.
    pub mandate_allowed: bool,
    /// 6: least generation of first links.
    pub least_generation: u64,
    /// 7: whether the platform runs the gateway.
    pub platform_operated: bool,
    /// 8: https origin of the renter page.
    pub page_origin: Option<String>,
}

impl Bundle {
    /// Whom links may start from.
    #[must_use]
    pub fn roots(&self) -> Roots {
        Roots {
            owner_keys: self.owner_keys.clone(),
            platform_root: self.platform_root,
            mandate_allowed: self.mandate_allowed,
        }
    }

    /// Whether moving to `next` needs the presence code at the car, or a wait of 72 h.
    #[must_use]
    pub fn needs_presence(&self, next: &Self) -> bool {
        self.owner_keys != next.owner_keys || self.gateway_key != next.gateway_key
    }
}

impl Body for Bundle {
    const CONTEXT: Context = Context(b"ck1:bndl");
    const MAX_BYTES: usize = limits::CARRIED_BYTES;
    const HINT: HintRule = HintRule::Required;

    fn write(&self, writer: &mut Writer) {
        writer
            .map(3)
            .uint(3)
            .text(&self.vehicle.to_aud())
            .uint(6)
            .uint(self.issued_at.0);
        writer.int(BUNDLE).map(
            6 + usize::from(self.platform_root.is_some()) + usize::from(self.page_origin.is_some()),
        );
        writer
            .uint(1)
            .uint(self.seq)
            .uint(2)
            .array(self.owner_keys.len());
        self.owner_keys.iter().for_each(|key| {
            writer.bytes(key.as_bytes());
        });
        if let Some(root) = &self.platform_root {
            writer.uint(3).bytes(root.as_bytes());
        }
        writer
            .uint(4)
            .bytes(self.gateway_key.as_bytes())
            .uint(5)
            .uint(u64::from(self.mandate_allowed));
        writer
            .uint(6)
            .uint(self.least_generation)
            .uint(7)
            .uint(u64::from(self.platform_operated));
        if let Some(origin) = &self.page_origin {
            writer.uint(8).text(origin);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const SHAPE: DecodeError =
            DecodeError::Malformed("a bundle is {3: aud, 6: iat, -65540: {…}}");
        let mut map = reader.map()?;
        if map.next_key(reader)? != Some(3) {
            return Err(SHAPE);
        }
        let vehicle = VehicleId::from_aud(reader.text(limits::AUD_BYTES)?)?;
        if map.next_key(reader)? != Some(6) {
            return Err(SHAPE);
        }
        let issued_at = read_time(reader)?;
        if map.next_key(reader)? != Some(BUNDLE) {
            return Err(SHAPE);
        }
        let bundle = read_contents(vehicle, issued_at, reader)?;
        if map.next_key(reader)?.is_some() {
            Err(SHAPE)
        } else {
            Ok(bundle)
        }
    }
}

fn read_contents(
    vehicle: VehicleId,
    issued_at: Timestamp,
    reader: &mut Reader<'_>,
) -> Result<Bundle, DecodeError> {
    const INCOMPLETE: DecodeError = DecodeError::Malformed("a bundle lacks a field");
    let (mut seq, mut owner_keys, mut platform_root, mut gateway_key) =
        (None, OwnerKeys::new(), None, None);
    let (mut mandate_allowed, mut least_generation, mut platform_operated, mut page_origin) =
        (None, None, None, None);
    let mut map = reader.map()?;
    while let Some(key) = map.next_key(reader)? {
        match key {
            1 => seq = Some(reader.uint()?),
            2 => {
                for _ in 0..reader.array_of(1, limits::OWNER_KEYS)? {
                    owner_keys.push(read_key(reader)?);
                }
            }
            3 => platform_root = Some(read_key(reader)?),
            4 => gateway_key = Some(read_key(reader)?),
            5 => mandate_allowed = Some(read_flag(reader)?),
            6 => least_generation = Some(reader.uint()?),
            7 => platform_operated = Some(read_flag(reader)?),
            8 => page_origin = Some(reader.text(limits::ORIGIN_BYTES)?.into()),
            _ => return Err(DecodeError::Malformed("unknown bundle field")),
        }
    }
    if owner_keys.is_empty() {
        return Err(INCOMPLETE);
    }
    Ok(Bundle {
        vehicle,
        issued_at,
        seq: seq.ok_or(INCOMPLETE)?,
        owner_keys,
        platform_root,
        gateway_key: gateway_key.ok_or(INCOMPLETE)?,
        mandate_allowed: mandate_allowed.ok_or(INCOMPLETE)?,
        least_generation: least_generation.ok_or(INCOMPLETE)?,
        platform_operated: platform_operated.ok_or(INCOMPLETE)?,
        page_origin,
    })
}

fn read_key(reader: &mut Reader<'_>) -> Result<VerifyingKey, DecodeError> {
    VerifyingKey::decode(reader.bytes_exact()?)
        .map_err(|_| DecodeError::Malformed("not a usable public key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::edits::{assert_body, payload, read_payload};
    use crate::envelope::{NO_REST, Unverified, seal};
    use crate::refusal::Refusal;
    use crate::signature::Signer as _;
    use crate::testing::{bundle, gateway, owner, second_owner};

    fn full() -> Bundle {
        let mut bundle = bundle(7);
        bundle.owner_keys.push(*second_owner().verifying_key());
        bundle.page_origin = Some("https://keys.example".into());
        bundle
    }

    #[test]
    fn a_bundle_comes_back_as_written_and_nothing_else_is_read() {
        let optional = ["remove /-65540/3", "remove /-65540/8", "pop /-65540/2"];
        assert_body(&full(), &optional);
        let mut least = bundle(0);
        least.platform_root = None;
        assert_body(&least, &[]);
    }

    #[test]
    fn a_bundle_names_one_to_four_owners() {
        let mut bundle = full();
        bundle.owner_keys.clear();
        assert!(read_payload::<Bundle>(&payload(&bundle)).is_err());
        bundle.owner_keys.extend([*owner().verifying_key(); 4]);
        let four = payload(&bundle);
        assert!(read_payload::<Bundle>(&four).is_ok());
        let list = four
            .windows(3)
            .position(|bytes| bytes == [0x84, 0x58, 0x20]);
        let list = list.unwrap();
        let mut five = four.clone();
        five[list] = 0x85;
        five.splice(list + 1..list + 1, four[list + 1..list + 35].to_vec());
        assert!(read_payload::<Bundle>(&five).is_err());
    }

    #[test]
    fn a_bundle_with_an_unusable_key_or_a_flag_above_one_is_refused() {
        let encoded = payload(&full());
        for key in [owner().verifying_key(), gateway().verifying_key()] {
            let at = encoded
                .windows(32)
                .position(|bytes| bytes == key.as_bytes());
            let at = at.unwrap();
            let mut spoilt = encoded.clone();
            spoilt[at..at + 32].fill(0);
            assert!(read_payload::<Bundle>(&spoilt).is_err());
        }
        for flag in [[5, 1, 6, 0], [7, 0, 8, 0x74]] {
            let at = encoded.windows(4).position(|bytes| bytes == flag).unwrap();
            let mut spoilt = encoded.clone();
            spoilt[at + 1] = 2;
            assert!(read_payload::<Bundle>(&spoilt).is_err());
        }
    }

    #[test]
    fn a_bundle_counts_if_a_known_owner_signed_it() {
        let sealed = seal(&full(), &owner(), NO_REST).unwrap();
        let verify = |keys: &[VerifyingKey]| {
            let bundle = Unverified::<Bundle>::decode(&sealed.bytes).unwrap();
            bundle.verify_any(keys, NO_REST).map(|_| ())
        };
        assert_eq!(verify(&full().owner_keys), Ok(()));
        let stranger = [*second_owner().verifying_key()];
        assert_eq!(verify(&stranger), Err(Refusal::UnknownSigner));
    }

    #[test]
    fn new_owners_or_another_gateway_need_presence_and_the_rest_does_not() {
        let held = full();
        let mut next = full();
        next.seq += 1;
        next.mandate_allowed = false;
        next.platform_root = None;
        next.least_generation = 3;
        assert!(!held.needs_presence(&next));
        next.owner_keys.pop();
        assert!(held.needs_presence(&next));
        let mut next = full();
        next.gateway_key = *owner().verifying_key();
        assert!(held.needs_presence(&next));
    }
}

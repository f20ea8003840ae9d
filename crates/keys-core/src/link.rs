//! One link of a key: who may do what, when, and under which conditions.

use crate::codec::{DecodeError, Reader, Writer};
use crate::entitlement::Entitlements;
use crate::envelope::{Body, Context, HintRule, Sealed, seal_with_hint};
use crate::id::{GrantId, ObjectId, VehicleId};
use crate::limits;
use crate::policy::Policy;
use crate::signature::{SignError, Signer};
use crate::time::{Timestamp, Validity};

/// The claims of a link, before they are believed.
///
/// Shape: ck1 section 2, `claims`. Times in whole seconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// 3 (`aud`): the vehicle; in the first link only, and there always.
    pub vehicle: Option<VehicleId>,
    /// 5 and 4 (`nbf`, `exp`): half-open window.
    pub validity: Validity,
    /// 7 (`cti`): grant id; absent = the parent's.
    pub grant_id: Option<GrantId>,
    /// 8 (`cnf`): the holder's public key, 32 bytes, not yet decoded.
    pub holder: [u8; 32],
    /// -65537: the policy.
    pub policy: Policy,
    /// -65539: SHA-256(salt || booking reference), first 16 bytes.
    pub booking_hash: Option<[u8; 16]>,
}

const POLICY: i64 = -65537;
const BOOKING: i64 = -65539;
const INCOMPLETE: DecodeError = DecodeError::Malformed("a link states exp, nbf, cnf and policy");

impl Body for Claims {
    const CONTEXT: Context = Context(b"ck1:link");
    const MAX_BYTES: usize = limits::LINK_BYTES;
    const HINT: HintRule = HintRule::ByPosition;

    fn write(&self, writer: &mut Writer) {
        let optional = [
            self.vehicle.is_some(),
            self.grant_id.is_some(),
            self.booking_hash.is_some(),
        ];
        writer.map(4 + optional.into_iter().filter(|stated| *stated).count());
        if let Some(vehicle) = &self.vehicle {
            writer.uint(3).text(&vehicle.to_aud());
        }
        writer
            .uint(4)
            .uint(self.validity.until.0)
            .uint(5)
            .uint(self.validity.from.0);
        if let Some(grant) = &self.grant_id {
            writer.uint(7).bytes(&grant.0);
        }
        writer
            .uint(8)
            .map(1)
            .uint(1)
            .map(3)
            .uint(1)
            .uint(1)
            .int(-1)
            .uint(6)
            .int(-2)
            .bytes(&self.holder);
        writer.int(POLICY);
        self.policy.write(writer);
        if let Some(hash) = &self.booking_hash {
            writer.int(BOOKING).bytes(hash);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // Read in place: claims are 2 KB, most of it room for areas.
        let mut claims = Self::blank();
        let (mut until, mut from, mut holder, mut has_policy) = (None, None, None, false);
        let mut map = reader.map()?;
        while let Some(key) = map.next_key(reader)? {
            match key {
                3 => claims.vehicle = Some(VehicleId::from_aud(reader.text(limits::AUD_BYTES)?)?),
                4 => until = Some(read_time(reader)?),
                5 => from = Some(read_time(reader)?),
                7 => claims.grant_id = Some(GrantId(*reader.bytes_exact()?)),
                8 => holder = Some(read_holder(reader)?),
                POLICY => {
                    claims.policy.read_into(reader)?;
                    has_policy = true;
                }
                BOOKING => claims.booking_hash = Some(*reader.bytes_exact()?),
                _ => return Err(DecodeError::Malformed("unknown claim")),
            }
        }
        let (Some(from), Some(until), Some(holder), true) = (from, until, holder, has_policy)
        else {
            return Err(INCOMPLETE);
        };
        if until <= from {
            return Err(DecodeError::Malformed("the window ends before it begins"));
        }
        claims.validity = Validity { from, until };
        claims.holder = holder;
        Ok(claims)
    }
}

impl Claims {
    /// Claims that state nothing, to be read into.
    fn blank() -> Self {
        Self {
            vehicle: None,
            validity: Validity {
                from: Timestamp(0),
                until: Timestamp(0),
            },
            grant_id: None,
            holder: [0; 32],
            policy: Policy::of(Entitlements::NONE),
            booking_hash: None,
        }
    }
}

/// Reads a time below 2^40 seconds.
pub(crate) fn read_time(reader: &mut Reader<'_>) -> Result<Timestamp, DecodeError> {
    reader.uint_up_to(limits::TIME_LIMIT - 1).map(Timestamp)
}

/// Reads `{1: {1: 1, -1: 6, -2: bstr .size 32}}`, a COSE_Key for Ed25519.
fn read_holder(reader: &mut Reader<'_>) -> Result<[u8; 32], DecodeError> {
    const BAD: DecodeError = DecodeError::Malformed("cnf holds one Ed25519 COSE_Key");
    let mut outer = reader.map()?;
    if outer.next_key(reader)? != Some(1) {
        return Err(BAD);
    }
    let mut key = reader.map()?;
    if key.next_key(reader)? != Some(1) || reader.uint()? != 1 {
        return Err(BAD);
    }
    if key.next_key(reader)? != Some(-1) || reader.uint()? != 6 {
        return Err(BAD);
    }
    if key.next_key(reader)? != Some(-2) {
        return Err(BAD);
    }
    let holder = *reader.bytes_exact()?;
    if key.next_key(reader)?.is_some() || outer.next_key(reader)?.is_some() {
        return Err(BAD);
    }
    Ok(holder)
}

/// Signs a link: under `parent`, or as a first link if there is none.
///
/// # Errors
/// [`SignError`] if the signer cannot sign now.
pub fn sign_link(
    claims: &Claims,
    signer: &dyn Signer,
    parent: Option<&ObjectId>,
) -> Result<Sealed, SignError> {
    seal_with_hint(claims, signer, parent_rest(parent), parent.is_none())
}

/// What a link is signed under: the parent's id, or 32 zero bytes.
pub(crate) fn parent_rest(parent: Option<&ObjectId>) -> [&[u8]; 3] {
    const FIRST: &[u8] = &[0; 32];
    [parent.map_or(FIRST, |id| &id.0), &[], &[]]
}

#[cfg(test)]
mod tests;

//! A key as it travels: `[first, *4 link]`, root-most first.

use alloc::vec::Vec;

use arrayvec::ArrayVec;

use crate::chain::LinkIds;
use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::{Body as _, Envelope, Unverified};
use crate::id::{ObjectId, VehicleId};
use crate::limits;
use crate::link::{Claims, parent_rest};

/// A link that was parsed and not verified.
pub type UnverifiedLink<'a> = Unverified<'a, Claims>;

/// A parsed key. Only [`UnverifiedKey::verify`](crate::chain) makes a [`DigitalKey`](crate::chain::DigitalKey) of it.
///
/// It keeps where its links stand, not their claims: those of five links take 12 KB, and moving them
/// about would cost more than reading them a second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedKey<'a> {
    anchor: Option<ObjectId>,
    vehicle: Option<VehicleId>,
    links: ArrayVec<Envelope<'a>, { limits::LINKS }>,
}

impl<'a> UnverifiedKey<'a> {
    /// Parses a whole key.
    ///
    /// # Errors
    /// [`DecodeError`] if it is too long or does not follow ck1 section 2.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::KEY_BYTES {
            return Err(DecodeError::TooLarge("key"));
        }
        let mut reader = Reader::new(bytes);
        let key = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(key)
    }

    /// Reads a key that stands inside another item.
    ///
    /// # Errors
    /// As [`UnverifiedKey::parse`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.position();
        let count = reader.array()?;
        if count == 0 {
            return Err(DecodeError::Malformed("a key has at least one link"));
        }
        if count > limits::LINKS {
            return Err(DecodeError::TooLarge("more than 5 links"));
        }
        let anchor = if reader.next_is_bytes() {
            Some(ObjectId(*reader.bytes_exact()?))
        } else {
            None
        };
        let mut vehicle = None;
        let mut links = ArrayVec::new();
        for index in usize::from(anchor.is_some())..count {
            let envelope = Envelope::read(reader)?;
            let mut payload = envelope.payload_of::<Claims>()?;
            let claims = Claims::read(&mut payload)?;
            payload.finish()?;
            check_place(&envelope, &claims, index == 0)?;
            vehicle = vehicle.or(claims.vehicle);
            links.push(envelope);
        }
        if reader.since(start).len() > limits::KEY_BYTES {
            return Err(DecodeError::TooLarge("key"));
        }
        Ok(Self {
            anchor,
            vehicle,
            links,
        })
    }

    /// The stored anchor the key starts from, if it does.
    #[must_use]
    pub fn anchor(&self) -> Option<ObjectId> {
        self.anchor
    }

    /// The vehicle the first link names, **not yet believed**; `None` if the key starts from an anchor.
    #[must_use]
    pub fn unverified_vehicle(&self) -> Option<VehicleId> {
        self.vehicle
    }

    /// Where the links stand that the key carries.
    #[must_use]
    pub fn envelopes(&self) -> &[Envelope<'a>] {
        &self.links
    }

    /// Ids of the links, from the owner, **not yet believed**; of a stored anchor only its own.
    #[must_use]
    pub fn unverified_ids(&self) -> LinkIds {
        let mut ids: LinkIds = self.anchor.into_iter().collect();
        for link in &self.links {
            let id = link.id::<Claims>(parent_rest(ids.last()));
            ids.push(id);
        }
        ids
    }

    /// The links the key carries, read again; what was parsed once parses again.
    pub fn links(&self) -> impl Iterator<Item = Result<UnverifiedLink<'a>, DecodeError>> {
        self.links.iter().map(|link| UnverifiedLink::open(*link))
    }
}

/// What a link's place demands of its header and claims.
pub(crate) fn check_place(
    envelope: &Envelope<'_>,
    claims: &Claims,
    is_first: bool,
) -> Result<(), DecodeError> {
    match (is_first, envelope.hint(), claims.vehicle) {
        (true, Some(_), Some(_)) => Ok(()),
        (true, ..) => Err(DecodeError::Malformed(
            "the first link names its signer and its vehicle",
        )),
        (false, None, None) if claims.policy.generation.is_none() => Ok(()),
        (false, ..) => Err(DecodeError::Malformed(
            "kid, aud and generation stand in the first link only",
        )),
    }
}

/// Where a key starts.
#[derive(Debug, Clone, Copy)]
pub enum First<'a> {
    /// At a link that travels with it.
    Link(&'a [u8]),
    /// At an anchor the gateway stores.
    Anchor(ObjectId),
}

/// Encodes a key from its first item and the links after it.
#[must_use]
pub fn encode_key(first: First<'_>, links: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(1 + links.len());
    match first {
        First::Link(link) => writer.raw(link),
        First::Anchor(id) => writer.bytes(&id.0),
    };
    links.iter().for_each(|link| {
        writer.raw(link);
    });
    writer.into_bytes()
}

/// Appends a delegated link to an encoded key.
///
/// # Errors
/// [`DecodeError`] if `key` does not parse or the result would be too long.
pub fn append_link(key: &[u8], link: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let parsed = UnverifiedKey::parse(key)?;
    let carried: Vec<&[u8]> = parsed
        .links
        .iter()
        .map(Envelope::bytes)
        .chain([link])
        .collect();
    let longer = match parsed.anchor {
        Some(anchor) => encode_key(First::Anchor(anchor), &carried),
        None => {
            let (first, rest) = carried
                .split_first()
                .ok_or(DecodeError::Malformed("a key has at least one link"))?;
            encode_key(First::Link(first), rest)
        }
    };
    UnverifiedKey::parse(&longer)?;
    Ok(longer)
}

#[cfg(test)]
mod tests;

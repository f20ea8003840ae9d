//! RFC 8949 core deterministic CBOR, read strictly and never re-encoded.

use alloc::vec::Vec;

use crate::refusal::Refusal;

const UINT: u8 = 0;
const NINT: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;

/// Largest integer an object may carry: 2^53 − 1, exact in every language's numbers.
pub(crate) const MAX_UINT: u64 = (1 << 53) - 1;

/// Why bytes are not the object they claim to be. Carries a static hint for tools, never input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes do not follow the format.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The bytes are longer than the object may be.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// The bytes ask for an algorithm or version that is not spoken here.
    #[error("unsupported: {0}")]
    Unsupported(&'static str),
}

impl DecodeError {
    /// The refusal code a gateway answers with.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Malformed(_) => Refusal::Malformed,
            Self::TooLarge(_) => Refusal::TooLarge,
            Self::Unsupported(_) => Refusal::Unsupported,
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        error.refusal()
    }
}

const TRUNCATED: DecodeError = DecodeError::Malformed("input ends inside an item");

/// Reads deterministic CBOR items from a slice, refusing every other encoding.
///
/// Source: ck1 section 1; RFC 8949 section 4.2.1.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset in bytes of the next item.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// The bytes read since `start`, an earlier [`Reader::position`].
    #[must_use]
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or(&[])
    }

    /// Ends reading; trailing bytes are an error.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(DecodeError::Malformed("trailing bytes"))
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(count).ok_or(TRUNCATED)?;
        let slice = self.bytes.get(self.at..end).ok_or(TRUNCATED)?;
        self.at = end;
        Ok(slice)
    }

    fn take_array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        self.take(N)?.first_chunk::<N>().ok_or(TRUNCATED)
    }

    /// Major type of the next item, without reading it.
    fn peek_major(&self) -> Result<u8, DecodeError> {
        self.bytes
            .get(self.at)
            .map(|byte| byte >> 5)
            .ok_or(TRUNCATED)
    }

    /// Whether the next item is a byte string.
    #[must_use]
    pub fn next_is_bytes(&self) -> bool {
        self.peek_major() == Ok(BYTES)
    }

    /// Reads a head in its shortest form: (major type, argument).
    fn head(&mut self) -> Result<(u8, u64), DecodeError> {
        const LONG: DecodeError = DecodeError::Malformed("number is not in its shortest form");
        let first = self.take_array::<1>()?[0];
        let major = first >> 5;
        if major > MAP {
            return Err(DecodeError::Malformed(
                "tags, floats and simple values are not used",
            ));
        }
        let argument = match first & 0x1f {
            small @ 0..=23 => u64::from(small),
            24 => {
                let value = u64::from(self.take_array::<1>()?[0]);
                if value < 24 {
                    return Err(LONG);
                }
                value
            }
            25 => {
                let value = u64::from(u16::from_be_bytes(*self.take_array()?));
                if value <= 0xff {
                    return Err(LONG);
                }
                value
            }
            26 => {
                let value = u64::from(u32::from_be_bytes(*self.take_array()?));
                if value <= 0xffff {
                    return Err(LONG);
                }
                value
            }
            27 => {
                let value = u64::from_be_bytes(*self.take_array()?);
                if value <= 0xffff_ffff {
                    return Err(LONG);
                }
                value
            }
            _ => return Err(DecodeError::Malformed("indefinite or reserved length")),
        };
        Ok((major, argument))
    }

    fn expect(&mut self, major: u8, otherwise: &'static str) -> Result<u64, DecodeError> {
        match self.head()? {
            (found, argument) if found == major => Ok(argument),
            _ => Err(DecodeError::Malformed(otherwise)),
        }
    }

    fn length(&mut self, major: u8, otherwise: &'static str) -> Result<usize, DecodeError> {
        usize::try_from(self.expect(major, otherwise)?).map_err(|_| TRUNCATED)
    }

    /// Reads an unsigned integer of at most 2^53 − 1.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn uint(&mut self) -> Result<u64, DecodeError> {
        let value = self.expect(UINT, "expected an unsigned integer")?;
        if value > MAX_UINT {
            Err(DecodeError::Malformed("integer above 2^53 - 1"))
        } else {
            Ok(value)
        }
    }

    /// Reads an unsigned integer of at most `max`.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if it is larger or no unsigned integer.
    pub fn uint_up_to(&mut self, max: u64) -> Result<u64, DecodeError> {
        let value = self.uint()?;
        if value > max {
            Err(DecodeError::Malformed("integer out of range"))
        } else {
            Ok(value)
        }
    }

    /// Reads an unsigned integer that fits `u8` and is at most `max`.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if it is larger or no unsigned integer.
    pub fn byte_up_to(&mut self, max: u8) -> Result<u8, DecodeError> {
        let value = self.uint_up_to(u64::from(max))?;
        u8::try_from(value).map_err(|_| DecodeError::Malformed("integer out of range"))
    }

    /// Reads a signed integer within ±(2^53 − 1).
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn int(&mut self) -> Result<i64, DecodeError> {
        integer(self.head()?)
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.length(BYTES, "expected a byte string")?;
        self.take(length)
    }

    /// Reads a byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn bytes_exact<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        self.bytes()?
            .try_into()
            .map_err(|_| DecodeError::Malformed("byte string of the wrong length"))
    }

    /// Reads a UTF-8 text string of at most `max` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn text(&mut self, max: usize) -> Result<&'a str, DecodeError> {
        let length = self.length(TEXT, "expected a text string")?;
        if length > max {
            return Err(DecodeError::Malformed("text is too long"));
        }
        core::str::from_utf8(self.take(length)?)
            .map_err(|_| DecodeError::Malformed("text is not UTF-8"))
    }

    /// Reads the head of an array and gives its number of items.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn array(&mut self) -> Result<usize, DecodeError> {
        self.length(ARRAY, "expected an array")
    }

    /// Reads the head of an array with `least..=most` items.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for another number of items or no array.
    pub fn array_of(&mut self, least: usize, most: usize) -> Result<usize, DecodeError> {
        let count = self.array()?;
        if (least..=most).contains(&count) {
            Ok(count)
        } else {
            Err(DecodeError::Malformed("wrong number of items"))
        }
    }

    /// Reads the head of a map whose keys are integers; take them with [`MapReader::next_key`].
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn map(&mut self) -> Result<MapReader, DecodeError> {
        let left = self.length(MAP, "expected a map")?;
        Ok(MapReader { left, last: None })
    }
}

/// The keys of a map in progress: strictly ascending by their encoded bytes, no duplicates.
///
/// Heads are in their shortest form, so bytes are ordered as (major type, argument) is.
#[derive(Debug)]
pub struct MapReader {
    left: usize,
    last: Option<(u8, u64)>,
}

impl MapReader {
    /// The next integer key, or `None` at the end of the map.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if keys are not strictly ascending integers.
    pub fn next_key(&mut self, reader: &mut Reader<'_>) -> Result<Option<i64>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let head = reader.head()?;
        let key = integer(head)?;
        if self.last.is_some_and(|last| last >= head) {
            return Err(DecodeError::Malformed(
                "map keys are not in ascending order",
            ));
        }
        self.last = Some(head);
        Ok(Some(key))
    }
}

/// The integer of a head, within ±(2^53 − 1).
fn integer((major, argument): (u8, u64)) -> Result<i64, DecodeError> {
    const RANGE: DecodeError = DecodeError::Malformed("integer out of range");
    if argument > MAX_UINT {
        return Err(RANGE);
    }
    let value = i64::try_from(argument).map_err(|_| RANGE)?;
    match major {
        UINT => Ok(value),
        NINT if argument < MAX_UINT => Ok(-1 - value),
        NINT => Err(RANGE),
        _ => Err(DecodeError::Malformed("expected an integer")),
    }
}

/// Encodes a CBOR head in its shortest form: the bytes and how many of them count.
#[must_use]
pub fn head(major: u8, argument: u64) -> ([u8; 9], usize) {
    let mut out = [0u8; 9];
    let bytes = argument.to_be_bytes();
    let top = major << 5;
    let (info, used) = match argument {
        0..=23 => (bytes[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    out[0] = top | info;
    out[1..=used].copy_from_slice(&bytes[8 - used..]);
    (out, used + 1)
}

/// Writes deterministic CBOR. The caller gives map keys in ascending order.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        let (bytes, used) = head(major, argument);
        self.out.extend_from_slice(&bytes[..used]);
        self
    }

    /// Writes an unsigned integer.
    pub fn uint(&mut self, value: u64) -> &mut Self {
        self.head(UINT, value)
    }

    /// Writes a signed integer.
    pub fn int(&mut self, value: i64) -> &mut Self {
        if value < 0 {
            self.head(NINT, value.unsigned_abs() - 1)
        } else {
            self.head(UINT, value.unsigned_abs())
        }
    }

    /// Writes a byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(BYTES, value.len() as u64);
        self.out.extend_from_slice(value);
        self
    }

    /// Writes a text string.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.head(TEXT, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    /// Writes the head of an array of `count` items.
    pub fn array(&mut self, count: usize) -> &mut Self {
        self.head(ARRAY, count as u64)
    }

    /// Writes the head of a map of `count` entries.
    pub fn map(&mut self, count: usize) -> &mut Self {
        self.head(MAP, count as u64)
    }

    /// Appends an item that is encoded already.
    pub fn raw(&mut self, encoded: &[u8]) -> &mut Self {
        self.out.extend_from_slice(encoded);
        self
    }

    /// The bytes written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_than_needed_heads_are_refused() {
        for bytes in [
            &[0x18, 0x17][..],
            &[0x19, 0x00, 0xff],
            &[0x1a, 0, 0, 0xff, 0xff],
            &[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(Reader::new(bytes).uint().is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn indefinite_lengths_tags_floats_and_simple_values_are_refused() {
        for bytes in [
            &[0x5f, 0x41, 0, 0xff][..],
            &[0x9f, 0xff],
            &[0xc0, 0],
            &[0xf5],
            &[0xf6],
            &[0xf9, 0, 0],
            &[0x1c],
        ] {
            assert!(Reader::new(bytes).head().is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn map_keys_must_strictly_ascend() {
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let mut map = reader.map()?;
            while map.next_key(&mut reader)?.is_some() {
                reader.uint()?;
            }
            reader.finish()
        };
        assert!(read(&[0xa2, 1, 0, 2, 0]).is_ok());
        assert!(
            read(&[0xa2, 1, 0, 0x20, 0]).is_ok(),
            "negative keys come after positive ones"
        );
        assert!(read(&[0xa2, 2, 0, 1, 0]).is_err());
        assert!(read(&[0xa2, 1, 0, 1, 0]).is_err());
    }

    #[test]
    fn a_length_beyond_the_input_is_refused_without_reading() {
        assert!(
            Reader::new(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                .bytes()
                .is_err()
        );
        assert!(Reader::new(&[0x44, 1, 2]).bytes().is_err());
    }

    proptest::proptest! {
        #[test]
        fn integers_come_back_as_written(value in -(1i64 << 53) + 1..(1i64 << 53) - 1) {
            let mut writer = Writer::new();
            writer.int(value);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            proptest::prop_assert_eq!(reader.int(), Ok(value));
            proptest::prop_assert!(reader.finish().is_ok());
        }

        #[test]
        fn no_input_panics_the_reader(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let mut reader = Reader::new(&bytes);
            let _ = reader.clone().bytes();
            let _ = reader.clone().text(16);
            let _ = reader.clone().int();
            if let Ok(mut map) = reader.map() {
                while let Ok(Some(_)) = map.next_key(&mut reader) {}
            }
        }
    }
}

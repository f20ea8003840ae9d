//! Numbers at the ends of what may be written.

use super::{DecodeError, Reader, Writer};

const MOST: i64 = (1 << 53) - 1;

fn int(bytes: &[u8]) -> Result<i64, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = reader.int()?;
    reader.finish()?;
    Ok(value)
}

/// A head with eight bytes of argument.
fn long(first: u8, argument: u64) -> [u8; 9] {
    let mut bytes = [first; 9];
    bytes[1..].copy_from_slice(&argument.to_be_bytes());
    bytes
}

#[test]
fn integers_end_at_two_to_the_fifty_three_on_both_sides() {
    for value in [MOST, MOST - 1, 1, 0, -1, 1 - MOST, -MOST] {
        let mut writer = Writer::new();
        writer.int(value);
        assert_eq!(int(&writer.into_bytes()), Ok(value));
    }
    let most = MOST.unsigned_abs();
    let range = Err(DecodeError::Malformed("integer out of range"));
    for argument in [most + 1, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX] {
        assert_eq!(int(&long(0x1b, argument)), range, "{argument}");
        assert_eq!(int(&long(0x3b, argument)), range, "-1 - {argument}");
    }
    assert_eq!(int(&long(0x3b, most)), range, "-2^53");
    assert_eq!(Reader::new(&long(0x1b, most)).uint(), Ok(most));
    assert!(Reader::new(&long(0x1b, most + 1)).uint().is_err());
}

#[test]
fn what_is_no_integer_is_none_whatever_its_length() {
    let expected = Err(DecodeError::Malformed("expected an integer"));
    for bytes in [&[0x40][..], &[0x60], &[0x80], &[0xa0], &[0x41, 0]] {
        assert_eq!(int(bytes), expected, "{bytes:02x?}");
    }
}

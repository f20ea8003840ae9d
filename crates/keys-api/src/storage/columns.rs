//! Conversions that many tables share.

use super::StorageError;

/// Exactly `N` bytes out of a blob column.
pub(super) fn array<const N: usize>(
    bytes: Vec<u8>,
    column: &'static str,
) -> Result<[u8; N], StorageError> {
    bytes.try_into().map_err(|_| StorageError::damaged(column))
}

/// A number as the database stores it.
pub(super) fn to_number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number out of a `BIGINT` column.
pub(super) fn number<T: TryFrom<i64>>(value: i64, column: &'static str) -> Result<T, StorageError> {
    T::try_from(value).map_err(|_| StorageError::damaged(column))
}

//! Times on the wire: RFC 3339, UTC, whole seconds.

use chrono::{DateTime, FixedOffset};
use keys_core::limits;
use keys_core::time::Timestamp;

/// A time as the API writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(pub Timestamp);

impl From<Timestamp> for Rfc3339 {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl serde::Serialize for Rfc3339 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl utoipa::PartialSchema for Rfc3339 {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-11-23T08:00:00Z"])
            .into()
    }
}

impl utoipa::ToSchema for Rfc3339 {
    fn name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
}

/// Reads an RFC 3339 time with any offset; fractions of a second and times outside ck1's range are
/// refused.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    if text.len() > 40 {
        return None;
    }
    let time: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(text).ok()?;
    let seconds = u64::try_from(time.timestamp()).ok()?;
    (time.timestamp_subsec_nanos() == 0 && seconds < limits::TIME_LIMIT)
        .then_some(Timestamp(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_any_offset_and_written_in_utc() {
        let time = parse("2026-11-23T09:30:00+01:30").unwrap();
        assert_eq!(
            serde_json::to_string(&Rfc3339(time)).unwrap(),
            "\"2026-11-23T08:00:00Z\""
        );
        // JavaScript's toISOString writes milliseconds; zero ones are whole seconds.
        assert!(parse("2026-11-23T09:30:00.000Z").is_some());
        for wrong in [
            "",
            "2026-11-23",
            "2026-11-23T08:00:00",
            "2026-11-23T08:00:00.5Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

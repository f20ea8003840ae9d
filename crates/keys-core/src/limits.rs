//! Sizes and counts, named once. Source: ck1 sections 1, 2 and 4.

/// One link, bytes.
pub const LINK_BYTES: usize = 640;
/// Links of a key counted from the owner, anchors included.
pub const LINKS: usize = 5;
/// A whole key, bytes.
pub const KEY_BYTES: usize = 2_560;
/// A presentation, bytes.
pub const PRESENTATION_BYTES: usize = 4_096;
/// A carried object, bytes.
pub const CARRIED_BYTES: usize = 2_048;
/// A vehicle id in text form, bytes.
pub const AUD_BYTES: usize = 22;
/// Areas over a whole chain.
pub const AREAS: usize = 8;
/// Corners of a polygon.
pub const POLYGON_POINTS: usize = 16;
/// Ids in one list of a statement.
pub const STATEMENT_IDS: usize = 64;
/// Anchors a gateway keeps: mandates, issuer and status links, each with its renewals.
pub const ANCHORS: usize = 64;
/// Ids a gateway remembers as revoked by status keys. Beyond it their statements are not taken.
pub const PLATFORM_REVOKED_IDS: usize = 4_096;
/// Verified keys a gateway remembers.
pub const CACHED_KEYS: usize = 64;
/// Trusted keys tried for one key hint.
pub const HINT_TRIES: usize = 4;
/// Owner keys in a bundle.
pub const OWNER_KEYS: usize = 4;
/// Longest window of a mandate or owner-device link, seconds (400 days).
pub const LONG_WINDOW_S: u64 = 400 * 86_400;
/// Longest window of any other link, seconds (92 days).
pub const WINDOW_S: u64 = 92 * 86_400;
/// Times are below this: 2^40 seconds.
pub const TIME_LIMIT: u64 = 1 << 40;
/// Further delegations a link may allow.
pub const DEPTH: u8 = 4;
/// A statement from the future beyond this is refused while the clock is trusted, seconds.
pub const STATEMENT_AHEAD_S: u64 = 600;
/// Greatest statement age for a key not begun while the car is in contact, seconds.
pub const CONTACT_STATEMENT_AGE_S: u64 = 900;
/// A command's not-after lies at most this long after the phone's time, seconds.
pub const COMMAND_LIFE_S: u64 = 30;
/// Text of a zone name, bytes.
pub const ZONE_BYTES: usize = 64;
/// Text of an origin, bytes.
pub const ORIGIN_BYTES: usize = 256;

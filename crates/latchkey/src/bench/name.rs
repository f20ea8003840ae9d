//! Names of the works, as the rounds and the report know them.

pub(super) const VERIFY: &str = "one bare signature";
pub(super) const BARE_ONE: &str = "bare work of one hop";
pub(super) const BARE_THREE: &str = "bare work of three hops";
pub(super) const ONE_HOP: &str = "check of one hop";
pub(super) const THREE_HOPS: &str = "check of three hops";
pub(super) const CACHED_LEAF: &str = "check of a cached key by its leaf";
pub(super) const CACHED_HASH: &str = "check of a cached key by its bytes";
pub(super) const PARSE: &str = "parse of a three-hop key";
pub(super) const GARBAGE: &str = "refusal of garbage";
pub(super) const BISCUIT_ONE: &str = "Biscuit of one block";
pub(super) const BISCUIT_THREE: &str = "Biscuit of three blocks";
pub(super) const JWT: &str = "JSON Web Token";
pub(super) const PASETO: &str = "PASETO v4.public";

//! The API through its public HTTP surface, in process, on a scratch database.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    unreachable_pub,
    reason = "nothing outside this binary can reach anything"
)]

mod document;
mod routes;
mod seeding;
mod serving;
mod storage;
mod support;
mod tls;

//! How often one peer address and one bearer token may ask, with `RateLimit` headers.
//!
//! The peer is the address of the connection, never a header a client can write.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::caller;
use super::problem::Problem;
use crate::clock::Clock;
use crate::config::LimitsConfig;
use crate::state::App;

/// Guesses at one account's password per minute.
const SIGN_IN_PER_EMAIL: u32 = 30;
/// Idle entries are dropped once in this many checks.
const SWEEP_EVERY: u32 = 4096;

/// The address of the connection a request came by; put there by [`crate::serve`].
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, LimitClock, StateInformationMiddleware>;

/// The application's monotonic clock, as `governor` wants it.
#[derive(Clone)]
struct LimitClock(Arc<dyn Clock>);

impl governor::clock::Clock for LimitClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.monotonic())
    }
}

impl std::fmt::Debug for LimitClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LimitClock")
    }
}

/// All limits of this node.
#[derive(Debug)]
pub struct RateLimits {
    caller: Limit<[u8; 32]>,
    peer: Limit<IpAddr>,
    sign_in: Limit<IpAddr>,
    email: Limit<[u8; 32]>,
}

#[derive(Debug)]
struct Limit<K: Hash + Eq + Clone> {
    name: &'static str,
    per_minute: u32,
    limiter: Keyed<K>,
    checks: AtomicU32,
}

/// What one limit says about one request.
#[derive(Debug, Clone, Copy)]
struct Standing {
    name: &'static str,
    per_minute: u32,
    remaining: u32,
    wait_s: Option<u64>,
}

impl RateLimits {
    /// Limits as configured.
    #[must_use]
    pub fn new(config: &LimitsConfig, clock: Arc<dyn Clock>) -> Self {
        let clock = LimitClock(clock);
        Self {
            caller: Limit::new("caller", config.per_caller, &clock),
            peer: Limit::new("peer", config.per_peer, &clock),
            sign_in: Limit::new("sign-in", config.sign_in, &clock),
            email: Limit::new("sign-in", SIGN_IN_PER_EMAIL, &clock),
        }
    }

    /// Counts a guess at the password behind `email`.
    ///
    /// # Errors
    /// 429 if there were too many.
    pub fn check_email(&self, email: &str) -> Result<(), Problem> {
        match self
            .email
            .check(&crate::secret::sha256(email.as_bytes()))
            .wait_s
        {
            Some(wait) => Err(Problem::rate_limited(wait)),
            None => Ok(()),
        }
    }

    /// The standing of the tightest limit that applies to a request; refused first.
    fn check(&self, request: &Request) -> Standing {
        let peer = peer_of(request);
        let mut standings = vec![self.peer.check(&peer)];
        if standings[0].wait_s.is_none() {
            let path = request.uri().path();
            if request.method() == Method::POST
                && (path == "/v1/accounts" || path == "/v1/sessions")
            {
                standings.push(self.sign_in.check(&peer));
            }
            if let Some(token) = caller::bearer(request.headers()) {
                standings.push(self.caller.check(&token.hash()));
            }
        }
        let first = standings[0];
        standings
            .into_iter()
            .min_by_key(|standing| (standing.wait_s.is_none(), standing.remaining))
            .unwrap_or(first)
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(name: &'static str, per_minute: u32, clock: &LimitClock) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let store = DefaultKeyedStateStore::default();
        let limiter = Keyed::new(quota, store, clock.clone());
        Self {
            name,
            per_minute,
            limiter,
            checks: AtomicU32::new(0),
        }
    }

    fn check(&self, key: &K) -> Standing {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
        }
        let (name, per_minute) = (self.name, self.per_minute);
        match self.limiter.check_key(key) {
            Ok(state) => Standing {
                name,
                per_minute,
                remaining: state.remaining_burst_capacity(),
                wait_s: None,
            },
            Err(until) => {
                let wait = until.wait_time_from(governor::clock::Clock::now(self.limiter.clock()));
                Standing {
                    name,
                    per_minute,
                    remaining: 0,
                    wait_s: Some(wait.as_secs() + 1),
                }
            }
        }
    }
}

impl Standing {
    fn write(self, headers: &mut HeaderMap) {
        let used = u64::from(self.per_minute.saturating_sub(self.remaining));
        let reset = (used * 60).div_ceil(u64::from(self.per_minute.max(1)));
        let policy = format!("\"{}\";q={};w=60", self.name, self.per_minute);
        let state = format!("\"{}\";r={};t={reset}", self.name, self.remaining);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// One IPv6 subscriber has a whole /64.
fn peer_of(request: &Request) -> IpAddr {
    let Some(Peer(peer)) = request.extensions().get::<Peer>() else {
        return IpAddr::V4(Ipv4Addr::LOCALHOST);
    };
    match peer.ip().to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
        ip => ip,
    }
}

/// Refuses what is over a limit, and says on every answer how much is left.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let standing = app.limits.check(&request);
    let mut response = match standing.wait_s {
        Some(wait) => Problem::rate_limited(wait).into_response(),
        None => next.run(request).await,
    };
    standing.write(response.headers_mut());
    response
}

//! Who is asking. Each caller type is an extractor, so that a handler which names one cannot run
//! without it. 401 without a valid token; 403 with a token of another kind.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::problem::Problem;
use crate::model::holder::HolderSession;
use crate::model::id::{AccountId, ApiTokenId, SessionId};
use crate::secret::{Secret, TokenKind};
use crate::state::App;
use crate::storage::{api_tokens, holder_sessions, sessions};

/// An owner, by session or API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerCaller {
    /// The account.
    pub account: AccountId,
    /// What it came with.
    pub by: OwnerToken,
}

/// What an owner came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerToken {
    /// `lkt_…`
    ApiToken(ApiTokenId),
    /// `lks_…`
    Session(SessionId),
}

/// The holder of one key, by the session its redeem returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderCaller(pub HolderSession);

impl std::ops::Deref for HolderCaller {
    type Target = HolderSession;

    fn deref(&self) -> &HolderSession {
        &self.0
    }
}

/// An owner or a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnyCaller {
    /// See [`HolderCaller`].
    Holder(HolderCaller),
    /// See [`OwnerCaller`].
    Owner(OwnerCaller),
}

impl FromRequestParts<App> for OwnerCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match AnyCaller::from_request_parts(parts, app).await? {
            AnyCaller::Owner(owner) => Ok(owner),
            AnyCaller::Holder(_) => Err(Problem::forbidden(
                "this is for the owner's session or API token",
            )),
        }
    }
}

impl FromRequestParts<App> for HolderCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match AnyCaller::from_request_parts(parts, app).await? {
            AnyCaller::Holder(holder) => Ok(holder),
            AnyCaller::Owner(_) => Err(Problem::forbidden("this is for a key's holder session")),
        }
    }
}

impl FromRequestParts<App> for AnyCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or_else(Problem::unauthenticated)?;
        let kind = TokenKind::of(token.reveal()).ok_or_else(Problem::unauthenticated)?;
        identify(app, kind, &token)
            .await?
            .ok_or_else(Problem::unauthenticated)
    }
}

/// The bearer token of a request, if it has one.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=128).contains(&token.len()))
        .then(|| Secret::new(token.to_owned()))
}

async fn identify(
    app: &App,
    kind: TokenKind,
    token: &Secret,
) -> Result<Option<AnyCaller>, Problem> {
    let (db, hash, now) = (app.db.read(), token.hash(), app.clock.now());
    Ok(match kind {
        TokenKind::ApiToken => api_tokens::find_by_hash(db, &hash, now)
            .await?
            .map(|token| {
                AnyCaller::Owner(OwnerCaller {
                    account: token.account_id,
                    by: OwnerToken::ApiToken(token.id),
                })
            }),
        TokenKind::Session => sessions::find_by_hash(db, &hash, now)
            .await?
            .map(|session| {
                AnyCaller::Owner(OwnerCaller {
                    account: session.account_id,
                    by: OwnerToken::Session(session.id),
                })
            }),
        TokenKind::Holder => holder_sessions::find_by_hash(db, &hash)
            .await?
            .map(|session| AnyCaller::Holder(HolderCaller(session))),
    })
}

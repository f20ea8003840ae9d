//! Room in a full list of denied links: the issuer's links are denied instead of the keys below them.
//!
//! A statement lists 64 ids at most. When a vehicle has more keys revoked and not yet over, one denied
//! issuer link stands for all of them. The keys that still hold get a new link below a new issuer link,
//! which their phones fetch; until then those do not open either. So this comes only when the owner did
//! not raise the generation in time, see [`super::statements::FILLING`].

use keys_core::id::{ObjectId, ShortId};

use super::anchors;
use super::statements::StatementError;
use crate::model::statement::{Authority, DenialKind, DeniedLink, LinkKind};
use crate::model::vehicle::Vehicle;
use crate::state::App;
use crate::storage::{Tx, denied_links, keys, links};

/// Puts the issuer's links on the platform's list in place of the keys below them, and has those keys
/// that still hold wait for a new signature, which the job gives within a minute.
///
/// # Errors
/// [`StatementError::Full`] if there is no issuer link to deny, or the root is away and cannot sign a
/// new one.
pub async fn make_room(app: &App, tx: &Tx, vehicle: &Vehicle) -> Result<(), StatementError> {
    let now = app.clock.now();
    let authority = Authority::Platform;
    let issuers = anchors::standing_issuers(app, tx, vehicle.id, now).await?;
    if issuers.is_empty() || app.platform().root_key().is_none() {
        return Err(StatementError::Full);
    }
    for issuer in &issuers {
        let entry = DeniedLink {
            short: issuer.id.short(),
            kind: DenialKind::Revoked,
            keep_until: issuer.window.until,
        };
        denied_links::put(tx, vehicle.id, authority, entry, now).await?;
    }
    let rolled: Vec<ObjectId> = issuers.iter().map(|issuer| issuer.id).collect();
    let listed = denied_links::listed(tx, vehicle.id, authority, now).await?;
    let known = links::by_short(tx, vehicle.id, listed.iter().map(|link| link.short)).await?;
    let covered: Vec<ShortId> = known
        .iter()
        .filter(|link| link.kind == LinkKind::Key)
        .filter(|link| link.parent.is_some_and(|parent| rolled.contains(&parent)))
        .map(|link| link.id.short())
        .collect();
    denied_links::delete(tx, vehicle.id, authority, &covered).await?;
    for mut key in keys::live_of_vehicle(tx, vehicle.id, now).await? {
        if key.mandate.is_some() && key.chain.is_some() {
            key.signed_until = None;
            key.updated_at = now;
            keys::update(tx, &key).await?;
        }
    }
    anchors::ensure(app, tx, vehicle).await?;
    tracing::warn!(vehicle = %vehicle.id, "issuer links rolled: too many keys were revoked");
    Ok(())
}

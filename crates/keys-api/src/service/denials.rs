//! Ending and pausing: which links go on whose list, and what an owner's statement means for keys.
//!
//! A key below a mandate is denied by the platform's statement, a key the owner signed by the owner's.
//! For a sovereign owner that statement waits for the owner's device; until then the key still opens,
//! and every view says so.

use keys_core::id::{ObjectId, ShortId};
use keys_core::statement::Statement;
use keys_core::time::Timestamp;
use serde_json::json;

use super::anchors::generation_of;
use super::issuer_roll;
use super::statements::{self, StatementError};
use crate::model::id::MandateId;
use crate::model::key::{Denial, Key, KeyState};
use crate::model::statement::{Authority, DenialKind, DeniedLink, LinkKind, StoredLink};
use crate::model::vehicle::Vehicle;
use crate::outbox::{self, EventKind};
use crate::state::App;
use crate::storage::{StorageError, Tx, denied_links, keys, links, mandates, slots};

/// Who can deny a key's links.
#[must_use]
pub fn authority_over(key: &Key) -> Authority {
    if key.mandate.is_some() {
        Authority::Platform
    } else {
        Authority::Owner
    }
}

/// Puts the links of a key on the list of who can deny them, signs the statement if it can be signed
/// here, and stores the key. A key without a signed link needs no statement.
///
/// # Errors
/// [`StatementError`]
pub async fn deny(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
    kind: DenialKind,
    but: Option<ObjectId>,
) -> Result<(), StatementError> {
    let now = app.clock.now();
    let live = live_links(tx, key, now).await?;
    let denied: Vec<&StoredLink> = live.iter().filter(|link| Some(link.id) != but).collect();
    if denied.is_empty() {
        keys::update(tx, key).await?;
        return Ok(());
    }
    let by = authority_over(key);
    for link in denied {
        let entry = DeniedLink {
            short: link.id.short(),
            kind,
            keep_until: link.window.until,
        };
        denied_links::put(tx, vehicle.id, by, entry, now).await?;
    }
    key.denial = Some(Denial {
        by,
        at: now,
        seq: None,
        acknowledged_at: None,
    });
    keys::update(tx, key).await?;
    tell(app, tx, vehicle, by).await?;
    reload(tx, key).await
}

/// Takes the suspended links of a key off the list, and stores the key.
///
/// # Errors
/// [`StatementError`]
pub async fn undeny(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    key: &mut Key,
) -> Result<(), StatementError> {
    let by = authority_over(key);
    let live = live_links(tx, key, app.clock.now()).await?;
    let shorts: Vec<ShortId> = live.iter().map(|link| link.id.short()).collect();
    denied_links::resume(tx, vehicle.id, by, &shorts).await?;
    key.denial = None;
    keys::update(tx, key).await?;
    tell(app, tx, vehicle, by).await
}

async fn tell(app: &App, tx: &Tx, vehicle: &Vehicle, by: Authority) -> Result<(), StatementError> {
    match by {
        Authority::Platform => match statements::sign_platform(app, tx, vehicle).await {
            Err(StatementError::Full) => {
                issuer_roll::make_room(app, tx, vehicle).await?;
                statements::sign_platform(app, tx, vehicle).await.map(drop)
            }
            signed => signed.map(drop),
        },
        Authority::Owner => statements::sign_owner(app, tx, vehicle).await.map(drop),
    }
}

async fn live_links(tx: &Tx, key: &Key, now: Timestamp) -> Result<Vec<StoredLink>, StorageError> {
    let mut all = links::of_keys(tx, [key.id], LinkKind::Key).await?;
    all.retain(|link| link.window.until > now);
    Ok(all)
}

async fn reload(tx: &Tx, key: &mut Key) -> Result<(), StatementError> {
    let stored = keys::find_unscoped(tx, key.id).await?;
    *key = stored.ok_or(StorageError::damaged("keys.id"))?;
    Ok(())
}

/// Ends the keys signed below a mandate whose denial `denial` tells.
///
/// # Errors
/// [`StorageError`]
pub async fn end_below(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    mandate: MandateId,
    denial: Denial,
) -> Result<(), StorageError> {
    let now = app.clock.now();
    for mut key in keys::live_of_vehicle(tx, vehicle.id, now).await? {
        if key.mandate == Some(mandate) && key.chain.is_some() {
            end(app, tx, &mut key, denial).await?;
        }
    }
    Ok(())
}

async fn end(app: &App, tx: &Tx, key: &mut Key, denial: Denial) -> Result<(), StorageError> {
    let now = app.clock.now();
    key.state = KeyState::Revoked;
    key.ended_at = Some(now);
    key.updated_at = now;
    key.to_sign = None;
    key.denial = Some(denial);
    keys::update(tx, key).await?;
    slots::free(tx, key.id).await?;
    let about = (Some(key.account), key.vehicle);
    outbox::enqueue(app, tx, EventKind::KeyRevoked, about, &key.id, json!({})).await
}

/// Carries out what a verified owner statement means for mandates and keys, and has the platform's
/// next statement name it.
///
/// # Errors
/// [`StatementError`]
pub async fn apply_owner_word(
    app: &App,
    tx: &Tx,
    vehicle: &Vehicle,
    body: &Statement,
) -> Result<(), StatementError> {
    let now = app.clock.now();
    let denial = Denial {
        by: Authority::Owner,
        at: now,
        seq: Some(body.seq),
        acknowledged_at: None,
    };
    for mandate in mandates::live(tx, vehicle.id, now).await? {
        let link = links::find(tx, mandate.link).await?;
        let old = link
            .is_some_and(|link| generation_of(&link.bytes).unwrap_or(0) < body.least_generation);
        if old || body.revoked.contains(&mandate.link.short()) {
            mandates::revoke(tx, vehicle.id, &[mandate.link], now).await?;
            end_below(app, tx, vehicle, mandate.id, denial).await?;
        }
    }
    for mut key in keys::live_of_vehicle(tx, vehicle.id, now).await? {
        if key.chain.is_some() {
            apply_to_key(app, tx, &mut key, body, denial).await?;
        }
    }
    number_ended(tx, vehicle, body).await?;
    statements::sign_platform(app, tx, vehicle).await?;
    Ok(())
}

async fn apply_to_key(
    app: &App,
    tx: &Tx,
    key: &mut Key,
    body: &Statement,
    denial: Denial,
) -> Result<(), StatementError> {
    let now = app.clock.now();
    let live = live_links(tx, key, now).await?;
    let all_in = |list: &keys_core::statement::IdList| {
        !live.is_empty() && live.iter().all(|link| list.contains(&link.id.short()))
    };
    let old = key.mandate.is_none()
        && live
            .iter()
            .all(|link| generation_of(&link.bytes).unwrap_or(0) < body.least_generation);
    if all_in(&body.revoked) || old {
        return Ok(end(app, tx, key, denial).await?);
    }
    let by_owner = key
        .denial
        .is_some_and(|denial| denial.by == Authority::Owner);
    let suspended = all_in(&body.suspended);
    match (key.state, suspended) {
        (KeyState::Active, true) => {
            key.state = KeyState::Suspended;
            key.suspended_at = Some(now);
            key.denial = Some(denial);
        }
        (KeyState::Suspended, true) if by_owner => key.denial = Some(denial),
        (KeyState::Suspended, false) if by_owner => {
            key.state = KeyState::Active;
            key.suspended_at = None;
            key.denial = None;
        }
        _ => return Ok(()),
    }
    key.updated_at = now;
    keys::update(tx, key).await?;
    Ok(())
}

/// Keys that were ended here before the owner's device signed: the statement that lists their links
/// gives their end its number.
async fn number_ended(tx: &Tx, vehicle: &Vehicle, body: &Statement) -> Result<(), StatementError> {
    let listed = links::by_short(
        tx,
        vehicle.id,
        body.revoked.iter().chain(&body.suspended).copied(),
    )
    .await?;
    for link in listed.iter().filter(|link| link.kind == LinkKind::Key) {
        let Some(id) = link.key else { continue };
        let Some(mut key) = keys::find_unscoped(tx, id).await? else {
            continue;
        };
        if let Some(denial) = key.denial.as_mut()
            && denial.by == Authority::Owner
            && denial.seq.is_none()
        {
            denial.seq = Some(body.seq);
            keys::update(tx, &key).await?;
        }
    }
    Ok(())
}

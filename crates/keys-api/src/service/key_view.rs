//! What is shown about a key beyond its row: tier, by when it is dead, who drives below it.

use std::collections::HashMap;

use keys_core::effective::Effective;
use keys_core::freshness::{Ending, dead_by, locks_until};
use keys_core::key::UnverifiedKey;
use keys_core::policy::{ClockRule, DEFAULT_BEGUN_LIMIT_S};
use keys_core::time::Timestamp;

use super::issuing;
use super::trust::{self, TrustTier};
use crate::model::id::{KeyId, VehicleId};
use crate::model::key::{Key, KeyState};
use crate::model::statement::{LinkKind, StoredLink};
use crate::state::App;
use crate::storage::{Conn, StorageError, gateways, links, mandates, vehicles};

/// A key with everything its views show.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// The key, its state brought up to now.
    pub key: Key,
    /// How far the owner trusts the platform with it.
    pub tier: TrustTier,
    /// When it opens nothing any more, whatever anybody carries.
    pub dead_by: Result<Timestamp, NoDeadline>,
    /// Until when it may still lock a standing car, if it may at all.
    pub locks_until: Option<Timestamp>,
    /// Reported co-drivers, parents before children.
    pub delegates: Vec<StoredLink>,
}

/// Why there is no `dead_by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoDeadline {
    /// The car does not know the time.
    ClockUntrusted,
    /// It is over for us, but the owner's device has not signed the statement: until then it opens.
    OwnerSignatureNeeded,
}

/// What keys of one vehicle share.
#[derive(Debug, Clone, Copy)]
struct OfVehicle {
    tier: TrustTier,
    clock_trusted: bool,
}

/// Completes keys for showing.
///
/// # Errors
/// [`StorageError`]
pub async fn show(app: &App, db: &impl Conn, keys: Vec<Key>) -> Result<Vec<KeyView>, StorageError> {
    let now = app.clock.now();
    let mut shared: HashMap<VehicleId, OfVehicle> = HashMap::new();
    let mut delegates: HashMap<KeyId, Vec<StoredLink>> = HashMap::new();
    let ids = keys.iter().map(|key| key.id);
    for link in links::of_keys(db, ids, LinkKind::Delegation).await? {
        if let Some(key) = link.key {
            delegates.entry(key).or_default().push(link);
        }
    }
    let mut views = Vec::with_capacity(keys.len());
    for mut key in keys {
        let of_vehicle = match shared.get(&key.vehicle) {
            Some(known) => *known,
            None => {
                let loaded = load_vehicle(db, key.vehicle, now).await?;
                shared.insert(key.vehicle, loaded);
                loaded
            }
        };
        key.state = key.state_at(now);
        let limits = Limits::of(db, &key).await?;
        views.push(KeyView {
            tier: if key.server_held {
                TrustTier::PlatformTrusted
            } else {
                of_vehicle.tier
            },
            dead_by: deadline(db, &key, limits, of_vehicle.clock_trusted, now).await?,
            locks_until: (limits.grace_s > 0)
                .then(|| locks_until(key.window.until, limits.grace_s)),
            delegates: delegates.remove(&key.id).unwrap_or_default(),
            key,
        });
    }
    Ok(views)
}

/// One key for showing.
///
/// # Errors
/// [`StorageError`]
pub async fn show_one(app: &App, db: &impl Conn, key: Key) -> Result<KeyView, StorageError> {
    let mut views = show(app, db, vec![key]).await?;
    views.pop().ok_or(StorageError::damaged("keys.id"))
}

async fn load_vehicle(
    db: &impl Conn,
    vehicle: VehicleId,
    now: Timestamp,
) -> Result<OfVehicle, StorageError> {
    let tier = match vehicles::find_unscoped(db, vehicle).await? {
        Some(vehicle) => trust::tier(db, &vehicle, now).await?,
        None => TrustTier::PlatformTrusted,
    };
    let gateway = gateways::find(db, vehicle).await?;
    // Nothing heard to the contrary counts as trusted: every paired gateway is told the time.
    let clock_trusted = gateway.and_then(|gateway| gateway.clock_trusted) != Some(false);
    Ok(OfVehicle {
        tier,
        clock_trusted,
    })
}

/// The limits that hold for a key in the end.
#[derive(Debug, Clone, Copy)]
struct Limits {
    outage_s: Option<u32>,
    begun_s: Option<u32>,
    grace_s: u32,
    clock_rule: ClockRule,
}

impl Limits {
    async fn of(db: &impl Conn, key: &Key) -> Result<Self, StorageError> {
        if let Some(effective) = key.chain.as_deref().and_then(effective_of) {
            return Ok(Self {
                outage_s: effective.outage_limit_s(),
                begun_s: effective.begun_limit_s(),
                grace_s: effective.grace_s(),
                clock_rule: effective.clock_rule(),
            });
        }
        let mandate = match key.mandate {
            Some(id) => mandates::find(db, id).await?,
            None => None,
        };
        Ok(Self {
            outage_s: issuing::outage_limit_s(&key.policy, mandate.as_ref()),
            begun_s: Some(key.policy.begun_limit_s.unwrap_or(DEFAULT_BEGUN_LIMIT_S)),
            grace_s: key.policy.grace_s.unwrap_or(0),
            clock_rule: key.policy.clock_rule.unwrap_or_default(),
        })
    }
}

/// What a chain that was verified or signed here gives.
fn effective_of(chain: &[u8]) -> Option<Effective> {
    let key = UnverifiedKey::parse(chain).ok()?;
    let mut links = key.links();
    let mut effective = Effective::root(links.next()?.ok()?.unverified_body()).ok()?;
    for link in links {
        effective = effective.attenuate(link.ok()?.unverified_body()).ok()?;
    }
    Some(effective)
}

async fn deadline(
    db: &impl Conn,
    key: &Key,
    limits: Limits,
    clock_trusted: bool,
    now: Timestamp,
) -> Result<Result<Timestamp, NoDeadline>, StorageError> {
    let denied = key.state.is_over() || key.state == KeyState::Suspended;
    let Some(denial) = key.denial.filter(|_| key.state != KeyState::Expired) else {
        // Never signed and over: it never opened anything. Else it ends with its window.
        let at = match key.ended_at {
            Some(at) if denied && key.chain.is_none() => at,
            _ => key.window.until,
        };
        return Ok(Ok(at));
    };
    // A shortened key is alive; what is denied is its older, longer links.
    let until = if denied {
        key.window.until
    } else {
        longest_link(db, key).await?
    };
    if denial.seq.is_none() && denial.by == crate::model::statement::Authority::Owner {
        return Ok(Err(NoDeadline::OwnerSignatureNeeded));
    }
    let ending = Ending {
        now,
        acknowledged_at: denial.acknowledged_at,
        valid_until: until,
        valid_from: key.window.from,
        newest_unlisting_at: denial.at,
        outage_limit_s: limits.outage_s,
        begun_limit_s: limits.begun_s,
        clock_rule: limits.clock_rule,
        clock_trusted,
    };
    let at = dead_by(&ending).map_err(|_| NoDeadline::ClockUntrusted);
    Ok(at.map(|at| if denied { at } else { at.max(key.window.until) }))
}

async fn longest_link(db: &impl Conn, key: &Key) -> Result<Timestamp, StorageError> {
    let links = links::of_keys(db, [key.id], LinkKind::Key).await?;
    let longest = links.iter().map(|link| link.window.until).max();
    Ok(longest.unwrap_or(key.window.until))
}

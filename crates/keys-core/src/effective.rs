//! What a chain of links gives in the end: each link can only narrow.
//!
//! [`Effective`] has private fields and two constructors, so a right that skipped the rule cannot
//! exist as a value. Source: ck1 section 2, "Narrowing".

use arrayvec::ArrayVec;

use crate::area::Area;
use crate::entitlement::Entitlements;
use crate::hours::WeeklyHours;
use crate::id::{GrantId, VehicleId};
use crate::limits;
use crate::link::Claims;
use crate::policy::{
    Areas, CarConditions, ClockRule, DEFAULT_BEGUN_LIMIT_S, DEFAULT_OUTAGE_LIMIT_S,
    NO_OUTAGE_LIMIT, Policy, Presence, Proximity,
};
use crate::refusal::Refusal;
use crate::time::Validity;

/// One link's limit on uses (policy 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UseLimit {
    /// The grant the uses are counted for: the stating link's, or the first below it that has one.
    pub grant_id: Option<GrantId>,
    /// Greatest number of uses.
    pub max_uses: u64,
}

/// The meet of all links of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    vehicle: VehicleId,
    validity: Validity,
    grant_id: Option<GrantId>,
    entitlements: Entitlements,
    delegations: u8,
    areas: Areas,
    outage_limit_s: u32,
    generation: u64,
    proximity: Proximity,
    clock_rule: ClockRule,
    hours: ArrayVec<WeeklyHours, { limits::LINKS }>,
    use_limits: ArrayVec<UseLimit, { limits::LINKS }>,
    max_window_s: Option<u64>,
    begun_limit_s: Option<u32>,
    grace_s: u32,
    car_conditions: CarConditions,
    presence: Presence,
    return_areas: Areas,
    return_lists: ArrayVec<u8, { limits::LINKS }>,
}

impl Effective {
    /// What a first link gives.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if it names no vehicle.
    pub fn root(claims: &Claims) -> Result<Self, Refusal> {
        let policy = &claims.policy;
        let mut effective = Self {
            vehicle: claims.vehicle.ok_or(Refusal::Malformed)?,
            validity: claims.validity,
            grant_id: claims.grant_id,
            entitlements: policy.entitlements,
            delegations: policy.delegations,
            areas: Areas::new(),
            outage_limit_s: policy.outage_limit_s.unwrap_or(DEFAULT_OUTAGE_LIMIT_S),
            generation: policy.generation.unwrap_or(0),
            proximity: policy.proximity.unwrap_or_default(),
            clock_rule: policy.clock_rule.unwrap_or_default(),
            hours: ArrayVec::new(),
            use_limits: ArrayVec::new(),
            max_window_s: policy.max_window_s,
            begun_limit_s: policy.begun_limit_s,
            grace_s: policy.grace_s.unwrap_or(0),
            car_conditions: policy.car_conditions.unwrap_or_default(),
            presence: policy.presence.unwrap_or_default(),
            return_areas: Areas::new(),
            return_lists: ArrayVec::new(),
        };
        effective.accumulate(claims)?;
        Ok(effective)
    }

    /// What a further link gives under this one.
    ///
    /// # Errors
    /// [`Refusal::Widened`] if the link states more than it was given, [`Refusal::TooLarge`] if the
    /// chain has too many links or areas.
    pub fn attenuate(&self, claims: &Claims) -> Result<Self, Refusal> {
        let policy = &claims.policy;
        let inside = self.validity.covers(&claims.validity)
            && policy.entitlements.is_subset_of(self.entitlements)
            && !policy.entitlements.contains(Entitlements::SIGN_STATUS)
            && policy.delegations < self.delegations;
        if !inside {
            return Err(Refusal::Widened);
        }
        let mut narrower = self.clone();
        narrower.validity = claims.validity;
        narrower.grant_id = claims.grant_id.or(self.grant_id);
        narrower.entitlements = policy.entitlements;
        narrower.delegations = policy.delegations;
        narrower.outage_limit_s = at_most(policy.outage_limit_s, self.outage_limit_s)?;
        narrower.proximity = at_least(policy.proximity, self.proximity)?;
        narrower.clock_rule = self.narrow_clock_rule(policy)?;
        narrower.max_window_s = at_most_optional(policy.max_window_s, self.max_window_s)?;
        narrower.begun_limit_s = at_most_optional(policy.begun_limit_s, self.begun_limit_s)?;
        narrower.grace_s = at_most(policy.grace_s, self.grace_s)?;
        narrower.car_conditions = self
            .car_conditions
            .union(policy.car_conditions.unwrap_or_default());
        narrower.presence = at_least(policy.presence, self.presence)?;
        narrower.accumulate(claims)?;
        Ok(narrower)
    }

    /// Rule 2 speaks for links an owner signed directly; below them it counts as rule 1.
    fn narrow_clock_rule(&self, policy: &Policy) -> Result<ClockRule, Refusal> {
        match policy.clock_rule {
            Some(ClockRule::Ignore) => Err(Refusal::Widened),
            stated => Ok(at_most(stated, self.clock_rule)?.min(ClockRule::Floor)),
        }
    }

    /// Adds what accumulates: areas, hours, uses and return areas.
    fn accumulate(&mut self, claims: &Claims) -> Result<(), Refusal> {
        let policy = &claims.policy;
        self.areas.try_extend_from(&policy.areas)?;
        self.return_areas.try_extend_from(&policy.return_areas)?;
        if !policy.return_areas.is_empty() {
            let count = u8::try_from(policy.return_areas.len()).map_err(|_| Refusal::TooLarge)?;
            self.return_lists
                .try_push(count)
                .map_err(|_| Refusal::TooLarge)?;
        }
        if let Some(hours) = &policy.hours {
            self.hours
                .try_push(hours.clone())
                .map_err(|_| Refusal::TooLarge)?;
        }
        if let Some(max_uses) = policy.max_uses {
            let limit = UseLimit {
                grant_id: self.grant_id,
                max_uses,
            };
            self.use_limits
                .try_push(limit)
                .map_err(|_| Refusal::TooLarge)?;
        }
        for limit in &mut self.use_limits {
            limit.grant_id = limit.grant_id.or(self.grant_id);
        }
        Ok(())
    }

    /// The vehicle.
    #[must_use]
    pub fn vehicle(&self) -> VehicleId {
        self.vehicle
    }

    /// The window of the last link, which lies inside all others.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The grant id that holds at the last link.
    #[must_use]
    pub fn grant_id(&self) -> Option<GrantId> {
        self.grant_id
    }

    /// What the holder may do.
    #[must_use]
    pub fn entitlements(&self) -> Entitlements {
        self.entitlements
    }

    /// Further delegations allowed.
    #[must_use]
    pub fn delegations(&self) -> u8 {
        self.delegations
    }

    /// Areas that must all hold.
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// Greatest statement age before the trip began, seconds; `None` = no limit.
    #[must_use]
    pub fn outage_limit_s(&self) -> Option<u32> {
        (self.outage_limit_s != NO_OUTAGE_LIMIT).then_some(self.outage_limit_s)
    }

    /// Greatest statement age after the trip began, seconds; `None` = no limit, which holds only
    /// where there is none before either and no link states one.
    #[must_use]
    pub fn begun_limit_s(&self) -> Option<u32> {
        match (self.begun_limit_s, self.outage_limit_s()) {
            (None, None) => None,
            (stated, _) => Some(stated.unwrap_or(DEFAULT_BEGUN_LIMIT_S)),
        }
    }

    /// Generation of the first link.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Proximity needed.
    #[must_use]
    pub fn proximity(&self) -> Proximity {
        self.proximity
    }

    /// What to do while the time is not known.
    #[must_use]
    pub fn clock_rule(&self) -> ClockRule {
        self.clock_rule
    }

    /// Weekly hours that must all hold.
    #[must_use]
    pub fn hours(&self) -> &[WeeklyHours] {
        &self.hours
    }

    /// Limits on uses that must all hold.
    #[must_use]
    pub fn use_limits(&self) -> &[UseLimit] {
        &self.use_limits
    }

    /// Greatest window of the leaf, seconds.
    #[must_use]
    pub fn max_window_s(&self) -> Option<u64> {
        self.max_window_s
    }

    /// Lock-only grace after the end, seconds.
    #[must_use]
    pub fn grace_s(&self) -> u32 {
        self.grace_s
    }

    /// What the car must be doing.
    #[must_use]
    pub fn car_conditions(&self) -> CarConditions {
        self.car_conditions
    }

    /// User presence needed.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// Return areas, one list per link that states any; a return fits if each list has an area around it.
    pub fn return_lists(&self) -> impl Iterator<Item = &[Area]> {
        let mut rest = &self.return_areas[..];
        self.return_lists.iter().map(move |count| {
            let (list, after) = rest.split_at(usize::from(*count).min(rest.len()));
            rest = after;
            list
        })
    }
}

trait ExtendBounded {
    fn try_extend_from(&mut self, other: &Self) -> Result<(), Refusal>;
}

impl ExtendBounded for Areas {
    fn try_extend_from(&mut self, other: &Self) -> Result<(), Refusal> {
        if self.len() + other.len() > self.capacity() {
            return Err(Refusal::TooLarge);
        }
        self.extend(other.iter().cloned());
        Ok(())
    }
}

fn at_most<T: Ord + Copy>(stated: Option<T>, given: T) -> Result<T, Refusal> {
    match stated {
        None => Ok(given),
        Some(value) if value <= given => Ok(value),
        Some(_) => Err(Refusal::Widened),
    }
}

fn at_most_optional<T: Ord + Copy>(
    stated: Option<T>,
    given: Option<T>,
) -> Result<Option<T>, Refusal> {
    match given {
        None => Ok(stated),
        Some(given) => at_most(stated, given).map(Some),
    }
}

fn at_least<T: Ord + Copy>(stated: Option<T>, given: T) -> Result<T, Refusal> {
    match stated {
        None => Ok(given),
        Some(value) if value >= given => Ok(value),
        Some(_) => Err(Refusal::Widened),
    }
}

#[cfg(test)]
mod tests;

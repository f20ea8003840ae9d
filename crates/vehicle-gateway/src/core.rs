//! The gateway's inside: what every road through it shares.
//!
//! Two locks order everything that matters. The *gate* is held while something is decided and its
//! intent written, and while what is believed changes: no act is decided on a word that was overtaken
//! by one already acknowledged. *One command* is held from the decision to the outcome.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use keys_core::cache::KeyCache;
use keys_core::challenge::{Origin, Seqs};
use keys_core::id::VehicleId;
use keys_core::journal::{Entry, EntryKind, GENESIS};
use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use keys_core::time::ClockInterval;
use tokio::sync::{Notify, watch};

use crate::challenge::{Challenges, Facts};
use crate::clock::{Clock, Timekeeper};
use crate::connector::Connectors;
use crate::dispatch::InFlight;
use crate::rate::{Peer, RateLimit};
use crate::refusals::{RefusalLimit, Unsigned};
use crate::settle::Reference;
use crate::store::{FloorAdmissions, Store, StoreError, TrustChange};
use crate::trust::Trust;

/// What the configuration says about acting and answering.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// How long the car has for a command.
    pub(crate) command_deadline: Duration,
    /// Where a browser returns to.
    pub(crate) return_origin: Option<Origin>,
    /// Whether receipts go to an API.
    pub(crate) reports: bool,
}

/// What is believed, and the keys verified under it. Whatever changes the belief begins a new cache.
#[derive(Debug, Clone)]
pub(crate) struct Belief {
    pub(crate) trust: Arc<Trust>,
    pub(crate) cache: Arc<Mutex<KeyCache>>,
}

impl Belief {
    /// Believes this from now on; nothing was verified under it yet.
    fn new(trust: Trust) -> Self {
        Self {
            trust: Arc::new(trust),
            cache: Arc::default(),
        }
    }

    /// Whether a key verified under the other belief verifies under this one: neither bundle nor
    /// anchors changed in between.
    pub(crate) fn has_same_roots(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.trust, &other.trust);
        Arc::ptr_eq(ours, theirs)
            || (ours.bundle == theirs.bundle && ours.anchors == theirs.anchors)
    }
}

/// Tries per peer: challenges 5/s, carried objects 10/s, presentations 10/s.
#[derive(Debug)]
pub(crate) struct Rates {
    pub(crate) challenges: RateLimit<Peer>,
    /// Challenges for phones behind the API, which has limits of its own for each of them.
    pub(crate) relayed: RateLimit<Peer>,
    pub(crate) carried: RateLimit<Peer>,
    pub(crate) presented: RateLimit<Peer>,
}

/// What tells others that there is news.
#[derive(Debug)]
pub(crate) struct News {
    /// The journal has grown.
    pub(crate) journal: Arc<Notify>,
    /// The outbox has another receipt.
    pub(crate) receipts: Arc<Notify>,
    /// A command's outcome is unknown.
    pub(crate) unsettled: Notify,
    /// The car's state may have changed.
    pub(crate) car: Notify,
    /// Something that `status` shows has changed.
    pub(crate) status: Notify,
    /// Which vehicle this is, once paired.
    pub(crate) vehicle: watch::Sender<Option<VehicleId>>,
}

/// Everything the roads share.
pub(crate) struct Core {
    pub(crate) store: Arc<Store>,
    pub(crate) key: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) connectors: Connectors,
    pub(crate) rules: Rules,
    pub(crate) news: News,
    pub(crate) unsigned: Unsigned,
    pub(crate) gate: tokio::sync::Mutex<()>,
    pub(crate) one_command: Arc<tokio::sync::Mutex<()>>,
    pub(crate) in_flight: Mutex<Option<InFlight>>,
    pub(crate) references: Mutex<Vec<Reference>>,
    pub(crate) rates: Mutex<Rates>,
    pub(crate) refusals: Mutex<RefusalLimit>,
    pub(crate) challenges: Mutex<Challenges>,
    time: Mutex<Timekeeper>,
    belief: RwLock<Option<Belief>>,
    /// What is counted since the clock was lost, and when it was last written down.
    admissions: Mutex<(FloorAdmissions, u64)>,
}

/// Parts that are made before the core.
pub(crate) struct Start {
    pub(crate) store: Store,
    pub(crate) key: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) connectors: Connectors,
    pub(crate) challenges: Challenges,
    pub(crate) rules: Rules,
}

impl Core {
    /// Takes up what the store remembers.
    pub(crate) fn new(start: Start) -> Result<Self, StoreError> {
        let trust = Trust::load(start.store.trust()?)?;
        let now_ms = start.clock.now_ms();
        let floor = start.store.floor()?;
        let admissions = start.store.clock_lost()?;
        let vehicle = watch::Sender::new(trust.as_ref().map(|trust| trust.vehicle));
        let belief = trust.map(Belief::new);
        Ok(Self {
            store: Arc::new(start.store),
            key: start.key,
            clock: start.clock,
            connectors: start.connectors,
            rules: start.rules,
            news: News {
                journal: Arc::default(),
                receipts: Arc::default(),
                unsettled: Notify::new(),
                car: Notify::new(),
                status: Notify::new(),
                vehicle,
            },
            unsigned: Unsigned::default(),
            gate: tokio::sync::Mutex::default(),
            one_command: Arc::default(),
            in_flight: Mutex::default(),
            references: Mutex::default(),
            rates: Mutex::new(Rates {
                challenges: RateLimit::per_second(5),
                relayed: RateLimit::per_second(20),
                carried: RateLimit::per_second(10),
                presented: RateLimit::per_second(10),
            }),
            refusals: Mutex::default(),
            challenges: Mutex::new(start.challenges),
            time: Mutex::new(Timekeeper::new(floor, now_ms)),
            belief: RwLock::new(belief),
            admissions: Mutex::new((admissions, now_ms)),
        })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// What is known of the time.
    pub(crate) fn interval(&self) -> ClockInterval {
        lock(&self.time).interval(self.now_ms())
    }

    pub(crate) fn in_contact(&self) -> bool {
        lock(&self.time).in_contact(self.now_ms())
    }

    pub(crate) fn time(&self) -> MutexGuard<'_, Timekeeper> {
        lock(&self.time)
    }

    /// Admissions since the clock was lost, and for how long it has been.
    pub(crate) fn admissions(&self) -> FloorAdmissions {
        let (held, at_ms) = *lock(&self.admissions);
        let since_s = self.now_ms().saturating_sub(at_ms) / 1_000;
        FloorAdmissions {
            lost_for_s: held.lost_for_s.saturating_add(since_s),
            ..held
        }
    }

    pub(crate) fn count_admission(&self) {
        lock(&self.admissions).0.count += 1;
    }

    /// What is believed now, if the car is paired.
    pub(crate) fn belief(&self) -> Option<Belief> {
        self.belief
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn vehicle(&self) -> Option<VehicleId> {
        self.belief().map(|belief| belief.trust.vehicle)
    }

    /// Whether the bundle in force names another gateway: then this one opens nothing any more.
    pub(crate) fn is_replaced(&self, trust: &Trust) -> bool {
        trust.bundle.gateway_key != *self.gateway_key()
    }

    pub(crate) fn gateway_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    pub(crate) fn seqs(&self) -> Seqs {
        self.belief()
            .map(|belief| belief.trust.seqs())
            .unwrap_or_default()
    }

    /// An entry of the journal at this moment.
    pub(crate) fn entry(&self, kind: EntryKind) -> Entry {
        let clock = self.interval();
        Entry::new(0, GENESIS, kind, clock.lo, clock.is_trusted())
    }

    /// What a challenge says now; `None` if the car is not paired.
    pub(crate) fn challenge_facts(&self) -> Option<Facts> {
        let belief = self.belief()?;
        Some(Facts {
            vehicle: belief.trust.vehicle,
            clock: self.interval(),
            seqs: belief.trust.seqs(),
            return_origin: self.rules.return_origin,
            now_ms: self.now_ms(),
        })
    }

    /// Does a step of the store where waiting for the disk holds nobody up.
    pub(crate) async fn stored<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || step(&store))
            .await
            .unwrap_or(Err(StoreError::Stopped))
    }

    /// Stores a change, then believes the value. The caller holds the gate.
    pub(crate) async fn believe(&self, next: Trust, change: TrustChange) -> Result<(), StoreError> {
        let (floor, resets) = (change.floor, change.resets_floor);
        self.stored(move |store| store.change_trust(change)).await?;
        let now_ms = self.now_ms();
        match floor {
            Some(floor) if resets => {
                self.time().reset(floor, now_ms);
                *lock(&self.admissions) = (FloorAdmissions::default(), now_ms);
            }
            Some(floor) => {
                self.time().raise(floor, now_ms);
            }
            None => {}
        }
        let vehicle = next.vehicle;
        *self.belief.write().unwrap_or_else(PoisonError::into_inner) = Some(Belief::new(next));
        self.news
            .vehicle
            .send_if_modified(|held| held.replace(vehicle) != Some(vehicle));
        self.news.journal.notify_one();
        self.news.status.notify_one();
        Ok(())
    }
}

/// Locks what is never left half changed, so a panic elsewhere does no harm.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

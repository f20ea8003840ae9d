//! Every chain of a small universe against a plain oracle: up to four links, each with any of three
//! entitlements, any window between four times, up to three delegations, and any of two areas or none.
//!
//! There are 10^11 such chains, 124 million up to the first link that widens. They are walked by what a
//! chain comes to: chains of one length with the same sum of rights, window, depth and areas are told
//! apart by nothing that follows, which the walk proves each time it meets one again (their
//! [`Effective`]s are equal). So every link is tried below every chain that differs.

#![cfg(feature = "testing")]

mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use keys_core::anchors::AnchorStore;
use keys_core::area::{Area, Point};
use keys_core::chain::DigitalKey;
use keys_core::challenge::Challenge;
use keys_core::command::VehicleCommand;
use keys_core::decide::{Ask, CarFacts, Channel, Situation, decide};
use keys_core::effective::Effective;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::freshness::Contact;
use keys_core::id::GrantId;
use keys_core::link::Claims;
use keys_core::policy::{NO_OUTAGE_LIMIT, Presence, Proximity};
use keys_core::presentation::{Presentation, PresentedKey, encode_presentation};
use keys_core::proof::challenge_hash;
use keys_core::refusal::Refusal;
use keys_core::signature::Signer;
use keys_core::status::StatusBoard;
use keys_core::testing::{self, KeyBuilder, NOW, holder, roots, vehicle};
use keys_core::time::{ClockInterval, Timestamp, Validity};
use oracle::{Link, Request};

const LINKS: usize = 4;
const RIGHTS: [VehicleCommand; 3] = [
    VehicleCommand::Unlock,
    VehicleCommand::Lock,
    VehicleCommand::OpenTrunk,
];
/// Seconds after [`NOW`] between which windows lie.
const TIMES: [u64; 4] = [100, 200, 300, 400];

/// The two areas: a kilometer around two places 1.8 km apart, so that they overlap.
fn area(number: usize) -> Area {
    let lat = [0, 160_000][number];
    Area::circle(Point::new(lat, 0).expect("in range"), 1_000).expect("in range")
}

/// A place that is inside exactly these areas.
fn place(inside: &BTreeSet<usize>) -> Point {
    let lat = match (inside.contains(&0), inside.contains(&1)) {
        (true, true) => 80_000,
        (true, false) => -50_000,
        (false, true) => 210_000,
        (false, false) => 900_000,
    };
    Point::new(lat, 0).expect("in range")
}

fn subsets(count: usize) -> Vec<BTreeSet<usize>> {
    (0..1usize << count)
        .map(|bits| (0..count).filter(|bit| bits >> bit & 1 == 1).collect())
        .collect()
}

/// Every link there is.
fn links() -> Vec<Link> {
    let mut links = Vec::new();
    for rights in subsets(RIGHTS.len()) {
        for (start, from) in TIMES.iter().enumerate() {
            for until in &TIMES[start + 1..] {
                for depth in 0..=3 {
                    for areas in [vec![], vec![0], vec![1]] {
                        links.push(Link {
                            rights: rights.clone(),
                            from: *from,
                            until: *until,
                            depth,
                            areas,
                        });
                    }
                }
            }
        }
    }
    links
}

/// Every request there is.
fn requests() -> Vec<Request> {
    let seconds: Vec<u64> = TIMES.iter().flat_map(|time| [time - 1, *time]).collect();
    let mut requests = Vec::new();
    for right in 0..RIGHTS.len() {
        for at in &seconds {
            for inside in subsets(2) {
                requests.push(Request {
                    right,
                    at: *at,
                    inside,
                });
            }
        }
    }
    requests
}

/// The link as the crate has it, for the holder of this place in the chain.
fn claims(link: &Link, place: usize) -> Claims {
    let rights = link.rights.iter().map(|right| RIGHTS[*right].entitlement());
    let entitlements = rights.fold(Entitlements::NONE, |all, one| all | one);
    let validity = Validity {
        from: NOW.plus(link.from),
        until: NOW.plus(link.until),
    };
    let number = u8::try_from(place).expect("few") + 1;
    let mut claims = testing::claims(&holder(number), validity, entitlements);
    claims.policy.delegations = u8::try_from(link.depth).expect("at most three");
    claims.policy.areas = link.areas.iter().map(|number| area(*number)).collect();
    if place == 0 {
        claims.grant_id = Some(GrantId([1; 8]));
        claims.policy.outage_limit_s = Some(NO_OUTAGE_LIMIT);
    }
    claims
}

/// What a chain comes to, by the oracle's own sums.
fn sum(chain: &[Link]) -> Link {
    let mut sum = chain[0].clone();
    for link in &chain[1..] {
        sum.rights = &sum.rights & &link.rights;
        sum.from = sum.from.max(link.from);
        sum.until = sum.until.min(link.until);
        sum.depth = link.depth;
        sum.areas.extend(&link.areas);
    }
    sum
}

/// A chain that stands for all of the same sum, and how many those are.
struct Reached {
    chain: Vec<Link>,
    effective: Effective,
    count: u64,
}

/// How the chains of one length fared.
#[derive(Default)]
struct Walk {
    reached: BTreeMap<Link, Reached>,
    /// Chains whose last link widens.
    widened: u64,
    /// Some of them.
    examples: Vec<Vec<Link>>,
    judged: u64,
}

impl Walk {
    fn first(links: &[Link]) -> Self {
        let mut walk = Self::default();
        for link in links {
            let effective = Effective::root(&claims(link, 0)).expect("names its vehicle");
            walk.reach(std::slice::from_ref(link), &effective, 1);
        }
        walk
    }

    /// Tries every link below every chain of this walk.
    fn next(&self, links: &[Link]) -> Self {
        let mut walk = Self::default();
        for parent in self.reached.values() {
            let place = parent.chain.len();
            for link in links {
                let mut chain = parent.chain.clone();
                chain.push(link.clone());
                walk.judged += 1;
                let judged = parent.effective.attenuate(&claims(link, place));
                let refusal = judged.as_ref().err().map(|refusal| refusal.code());
                assert_eq!(refusal, oracle::refusal(&chain), "{chain:?}");
                match judged {
                    Ok(effective) => walk.reach(&chain, &effective, parent.count),
                    Err(_) => walk.refuse(chain, parent.count),
                }
            }
        }
        walk
    }

    fn reach(&mut self, chain: &[Link], effective: &Effective, count: u64) {
        let known = self.reached.entry(sum(chain)).or_insert_with(|| Reached {
            chain: chain.to_vec(),
            effective: effective.clone(),
            count: 0,
        });
        assert_eq!(
            &known.effective, effective,
            "{chain:?} and {:?}",
            known.chain
        );
        known.count += count;
    }

    /// Keeps every 500th chain, to be signed.
    fn refuse(&mut self, chain: Vec<Link>, count: u64) {
        if self.judged.is_multiple_of(500) {
            self.examples.push(chain);
        }
        self.widened += count;
    }

    fn accepted(&self) -> u64 {
        self.reached.values().map(|reached| reached.count).sum()
    }
}

/// The chain signed, link by link.
fn sign(chain: &[Link]) -> KeyBuilder {
    let mut places = chain.iter().enumerate().map(|(place, link)| {
        let number = u8::try_from(place).expect("few") + 1;
        (claims(link, place), holder(number))
    });
    let (first, first_holder) = places.next().expect("at least one link");
    places.fold(
        KeyBuilder::first(&testing::owner(), &first, &first_holder),
        |key, (claims, holder)| key.then(claims, &holder),
    )
}

/// The whole road from the bytes of a presentation to a key.
fn present(chain: &[Link]) -> Result<DigitalKey, Refusal> {
    let key = sign(chain);
    let challenge = testing::challenge(1).bytes;
    let last = holder(u8::try_from(chain.len()).expect("few"));
    let proof = testing::proof(VehicleCommand::Unlock, 1, &last, &challenge, &key.leaf());
    let bytes = encode_presentation(&challenge, &key.encode(), &proof.bytes);
    let presentation = Presentation::parse(&bytes).map_err(|error| error.refusal())?;
    let gateway = testing::gateway();
    let challenge: Unverified<'_, Challenge> = presentation.challenge;
    let hash = challenge_hash(challenge.envelope().bytes());
    challenge.verify(gateway.verifying_key(), NO_REST)?;
    let PresentedKey::Whole(key) = presentation.key else {
        return Err(Refusal::UnknownSigner);
    };
    let key = key.verify(vehicle(), &roots(), &AnchorStore::default())?;
    key.verify_proof(&presentation.proof, &hash)?;
    Ok(key)
}

fn answer(key: &DigitalKey, request: &Request) -> BTreeSet<&'static str> {
    let ask = Ask {
        command: RIGHTS[request.right],
        presence: Presence::Tap,
        not_after: NOW.plus(1_000),
        channel: Channel::Local,
        proximity: Proximity::None,
    };
    let now = Timestamp(NOW.0 + request.at);
    let situation = Situation {
        clock: ClockInterval::exactly(now),
        now: Some(now),
        contact: Contact {
            in_contact: false,
            begun: false,
        },
        status: &StatusBoard::default(),
        car: CarFacts {
            position: Some(place(&request.inside)),
            ..CarFacts::default()
        },
        uses: &|_: GrantId| 0,
        floor_admission_left: false,
    };
    let decision = decide(key, &ask, &situation);
    decision.reasons().iter().map(Refusal::code).collect()
}

#[test]
fn every_chain_of_the_small_universe_is_judged_as_the_oracle_says() {
    let (links, requests) = (links(), requests());
    let mut walk = Walk::first(&links);
    let (mut chains, mut judged, mut decided, mut signed) = (0, 0, 0u64, 0u64);
    for length in 1..=LINKS {
        if length > 1 {
            walk = walk.next(&links);
        }
        chains += walk.accepted() + walk.widened;
        judged += walk.judged;
        for reached in walk.reached.values() {
            let key = present(&reached.chain).expect("judged the same before it was signed");
            assert_eq!(key.effective(), &reached.effective);
            for request in &requests {
                let expected = oracle::reasons(&reached.chain, request);
                assert_eq!(
                    answer(&key, request),
                    expected,
                    "{:?} {request:?}",
                    reached.chain
                );
                decided += 1;
            }
        }
        for refused in &walk.examples {
            let refusal = present(refused).map_err(Refusal::code).err();
            assert_eq!(refusal, oracle::refusal(refused), "{refused:?}");
        }
        signed += (walk.reached.len() + walk.examples.len()) as u64;
    }
    println!(
        "{chains} chains of up to {LINKS} links, {judged} further links judged, \
         {signed} chains signed and presented, {decided} requests decided"
    );
    assert_eq!(links.len(), 576);
    assert!(judged > 1_000_000 && signed > 3_000, "{judged} {signed}");
}

//! Bodies of the usual objects, keys built link by link, and the record a verifier decides about.

use super::cbor::{V, a, b, m, n, t};
use super::json::{J, hex, obj};
use super::signed::{
    CHALLENGE, LINK, NO_PARENT, PROOF, STATEMENT, Signed, Who, gateway, holder, issuer, owner,
    platform, sha256, sign, sign_unnamed, status,
};

/// 2026-07-01T12:00:00Z, a Wednesday.
pub(crate) const NOW: u64 = 1_782_907_200;
pub(crate) const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 86_400;
/// Nothing bounds the time from above.
pub(crate) const UNKNOWN: u64 = (1 << 40) - 1;
pub(crate) const POLICY: i64 = -65537;
pub(crate) const LISTS: i64 = -65538;
pub(crate) const AUD: &str = "AZfA3gAAcACAAAAAAAAAAQ";
pub(crate) const OTHER_AUD: &str = "AZfA3gAAcACAAAAAAAAAAg";
pub(crate) const VEHICLE: &str = "0197c0de-0000-7000-8000-000000000001";
pub(crate) const ALL: u64 = 0x7f;
pub(crate) const SIGN_STATUS: u64 = 0x80;

/// The claim that names a holder.
pub(crate) fn cnf(public: &[u8; 32]) -> V {
    m([(1, m([(1, n(1)), (-1, n(6)), (-2, b(public))]))])
}

/// Claims of a first link over one window with one policy.
pub(crate) fn claims_over(holder: &Who, window: (u64, u64), policy: V) -> V {
    m([
        (3, t(AUD)),
        (4, n(window.1)),
        (5, n(window.0)),
        (8, cnf(&holder.public())),
        (POLICY, policy),
    ])
}

/// From one hour before [`NOW`] to one day after.
pub(crate) const WINDOW: (u64, u64) = (NOW - HOUR, NOW + DAY);

pub(crate) fn policy(rights: u64, delegations: u64) -> V {
    m([(1, n(rights)), (2, n(delegations))])
}

/// Claims over the usual window.
pub(crate) fn claims(holder: &Who, rights: u64, delegations: u64) -> V {
    claims_over(holder, WINDOW, policy(rights, delegations))
}

/// Claims with a grant id, as a leaf needs one.
pub(crate) fn granted(holder: &Who, rights: u64, delegations: u64) -> V {
    claims(holder, rights, delegations).with(7, b(b"booking1"))
}

/// A key under construction.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) links: Vec<Signed>,
    pub(crate) holder: Who,
}

impl Chain {
    pub(crate) fn first(signer: &Who, claims: &V, holder: &Who) -> Self {
        Self {
            links: vec![sign(LINK, &NO_PARENT, claims, signer)],
            holder: holder.clone(),
        }
    }

    /// Adds a link of the holder; `aud` is left out, as it must be.
    pub(crate) fn then(&self, claims: &V, holder: &Who) -> Self {
        let link = sign_unnamed(LINK, &self.leaf(), &claims.without(3), &self.holder);
        self.push(link, holder)
    }

    pub(crate) fn push(&self, link: Signed, holder: &Who) -> Self {
        let mut longer = self.clone();
        longer.links.push(link);
        longer.holder = holder.clone();
        longer
    }

    /// An owner's key of this many links; the holders are 1, 2, …
    pub(crate) fn owned(hops: u8) -> Self {
        let mut chain = Self::first(&owner(), &granted(&holder(1), ALL, 4), &holder(1));
        for hop in 2..=hops {
            chain = chain.then(&claims(&holder(hop), ALL, u64::from(5 - hop)), &holder(hop));
        }
        chain
    }

    /// An owner's key of one link with this policy.
    pub(crate) fn owned_with(policy: V) -> Self {
        Self::first(
            &owner(),
            &granted(&holder(1), ALL, 4).with(POLICY, policy),
            &holder(1),
        )
    }

    /// Mandate and issuer link.
    pub(crate) fn mandate() -> Self {
        Self::first(&owner(), &mandate_claims(), &platform()).then(&issuer_claims(), &issuer())
    }

    /// A key of holder 1 below a mandate.
    pub(crate) fn mandated() -> Self {
        Self::mandate().then(&granted(&holder(1), ALL, 2), &holder(1))
    }

    pub(crate) fn leaf(&self) -> [u8; 32] {
        self.links.last().expect("a chain has a link").id
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        self.key_from(0)
    }

    /// The key with its first links replaced by the id of the anchor they end in.
    pub(crate) fn key_from(&self, anchored: usize) -> Vec<u8> {
        let anchor = anchored.checked_sub(1).map(|last| b(&self.links[last].id));
        let links = self.links[anchored..]
            .iter()
            .map(|link| V::Raw(link.bytes.clone()));
        a(anchor.into_iter().chain(links)).encode()
    }
}

pub(crate) fn mandate_claims() -> V {
    let policy = policy(ALL, 4).with(4, n(DAY)).with(10, n(7 * DAY));
    claims_over(&platform(), (NOW - DAY, NOW + 90 * DAY), policy)
}

pub(crate) fn issuer_claims() -> V {
    claims_over(&issuer(), (NOW - HOUR, NOW + 30 * DAY), policy(ALL, 3))
}

pub(crate) fn status_claims(holder: &Who) -> V {
    claims_over(holder, (NOW - DAY, NOW + 29 * DAY), policy(SIGN_STATUS, 0))
}

pub(crate) fn status_link() -> Signed {
    sign(LINK, &NO_PARENT, &status_claims(&status()), &platform())
}

/// An owner statement that lists nothing.
pub(crate) fn owner_statement(seq: u64, issued_at: u64) -> V {
    m([
        (3, t(AUD)),
        (6, n(issued_at)),
        (LISTS, m([(1, n(seq)), (2, n(0)), (3, a([]))])),
    ])
}

/// A status key's statement that lists nothing and lasts 30 minutes.
pub(crate) fn status_statement(seq: u64, issued_at: u64) -> V {
    owner_statement(seq, issued_at).with(4, n(issued_at + 1_800))
}

/// The statement with a list of revoked links.
pub(crate) fn revoking(statement: &V, ids: &[[u8; 16]]) -> V {
    listing(statement, 3, ids)
}

/// The statement with a list of suspended links.
pub(crate) fn suspending(statement: &V, ids: &[[u8; 16]]) -> V {
    listing(statement, 5, ids)
}

fn listing(statement: &V, field: i64, ids: &[[u8; 16]]) -> V {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    statement.change(LISTS, |lists| {
        lists.with(field, a(ids.iter().map(|id| b(id))))
    })
}

pub(crate) fn by_owner(statement: &V) -> Signed {
    sign(STATEMENT, &[], statement, &owner())
}

pub(crate) fn by_status(statement: &V) -> Signed {
    sign(STATEMENT, &[], statement, &status())
}

pub(crate) fn challenge() -> V {
    m([
        (1, b(&[1; 16])),
        (2, t(AUD)),
        (4, b(&[9; 32])),
        (5, a([n(NOW), n(NOW)])),
        (6, b(&[3; 8])),
        (7, a([n(0), n(0), n(0)])),
        (8, n(30_000)),
        (9, a([n(1)])),
        (11, n(1_000)),
    ])
}

/// A proof with a tap, ten seconds to live.
pub(crate) fn proof(bit: u64) -> V {
    m([
        (1, n(bit)),
        (2, n(NOW)),
        (5, n(1)),
        (7, b(&[1; 16])),
        (8, n(NOW + 10)),
    ])
}

pub(crate) fn bit_of(command: &str) -> u64 {
    match command {
        "unlock" => 0,
        "lock" => 1,
        "enable_driving" => 2,
        "open_trunk" => 3,
        "charge_port" => 4,
        "locate" => 6,
        other => panic!("no command: {other}"),
    }
}

/// A presentation and the situation it arrives in: the record of `latchkey conformance`.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) roots: Vec<[u8; 32]>,
    pub(crate) platform_root: Option<[u8; 32]>,
    pub(crate) anchors: Vec<Vec<u8>>,
    pub(crate) now: u64,
    pub(crate) clock: Option<(u64, u64)>,
    pub(crate) in_contact: bool,
    pub(crate) begun: bool,
    pub(crate) uses: Vec<(&'static str, u64)>,
    pub(crate) channel: &'static str,
    pub(crate) proximity: u64,
    pub(crate) statements: Vec<Vec<u8>>,
    pub(crate) known: (u64, u64, u64),
    pub(crate) gateway_key: [u8; 32],
    pub(crate) key: Vec<u8>,
    pub(crate) challenge: Option<Vec<u8>>,
    pub(crate) proof: Option<Vec<u8>>,
    pub(crate) command: &'static str,
    pub(crate) position: Option<(i64, i64)>,
    pub(crate) state: Option<(bool, bool)>,
}

impl Scene {
    /// Holder of an owner's key at a car that is cut off and has the owner's word of a minute ago.
    pub(crate) fn of(chain: &Chain) -> Self {
        let scene = Self {
            roots: vec![owner().public()],
            platform_root: Some(platform().public()),
            anchors: Vec::new(),
            now: NOW,
            clock: Some((NOW, NOW)),
            in_contact: false,
            begun: false,
            uses: Vec::new(),
            channel: "local",
            proximity: 0,
            statements: vec![by_owner(&owner_statement(1, NOW - 60)).bytes],
            known: (0, 0, 0),
            gateway_key: gateway().public(),
            key: Vec::new(),
            challenge: None,
            proof: None,
            command: "unlock",
            position: None,
            state: None,
        };
        scene.presenting(chain, "unlock")
    }

    /// The same for a key below a mandate: anchors stored, the platform's word of a minute ago.
    pub(crate) fn mandated(chain: &Chain) -> Self {
        let mut scene = Self::of(chain);
        let anchors = Chain::mandate().links.into_iter().chain([status_link()]);
        scene.anchors = anchors.map(|link| link.bytes).collect();
        scene.statements = vec![by_status(&status_statement(1, NOW - 60)).bytes];
        scene.key = chain.key_from(2);
        scene
    }

    pub(crate) fn presenting(&self, chain: &Chain, command: &'static str) -> Self {
        self.presenting_with(chain, command, |proof| proof)
    }

    /// Presents a key for a command with a changed proof.
    pub(crate) fn presenting_with(
        &self,
        chain: &Chain,
        command: &'static str,
        change: impl FnOnce(V) -> V,
    ) -> Self {
        let mut scene = self.clone();
        let challenge = sign(CHALLENGE, &[], &challenge(), &gateway()).bytes;
        let rest = [sha256(&challenge), chain.leaf()].concat();
        let body = change(proof(bit_of(command)));
        scene.proof = Some(sign_unnamed(PROOF, &rest, &body, &chain.holder).bytes);
        scene.challenge = Some(challenge);
        scene.key = chain.key();
        scene.command = command;
        scene
    }

    pub(crate) fn but(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut scene = self.clone();
        change(&mut scene);
        scene
    }

    pub(crate) fn at(&self, now: u64) -> Self {
        self.but(|scene| scene.clock = Some((now, now)))
    }

    pub(crate) fn hearing(&self, statements: &[Signed]) -> Self {
        self.but(|scene| {
            scene.statements = statements
                .iter()
                .map(|statement| statement.bytes.clone())
                .collect();
        })
    }

    pub(crate) fn to_json(&self) -> Vec<(String, J)> {
        let hexes = |list: &[Vec<u8>]| J::list(list.iter().map(|bytes| J::hex(bytes)));
        let optional =
            |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(J::Null, |bytes| J::hex(bytes));
        let uses = J::Obj(
            self.uses
                .iter()
                .map(|(grant, count)| (hex(grant.as_bytes()), J::num(*count)))
                .collect(),
        );
        let known = obj([
            ("owner_seq", J::num(self.known.0)),
            ("platform_seq", J::num(self.known.1)),
            ("generation", J::num(self.known.2)),
        ]);
        let state = |(stationary, ignition_off)| {
            obj([
                ("stationary", J::Bool(stationary)),
                ("ignition_off", J::Bool(ignition_off)),
            ])
        };
        let fields = obj([
            ("vehicle", J::str(VEHICLE)),
            ("roots", J::list(self.roots.iter().map(|key| J::hex(key)))),
            (
                "platform_root",
                self.platform_root.map_or(J::Null, |key| J::hex(&key)),
            ),
            ("anchors", hexes(&self.anchors)),
            ("now", J::num(self.now)),
            (
                "clock",
                self.clock
                    .map_or(J::Null, |(lo, hi)| J::list([J::num(lo), J::num(hi)])),
            ),
            ("in_contact", J::Bool(self.in_contact)),
            ("begun", J::Bool(self.begun)),
            ("uses", uses),
            ("channel", J::str(self.channel)),
            ("proximity", J::num(self.proximity)),
            ("statements", hexes(&self.statements)),
            ("known", known),
            ("gateway_key", J::hex(&self.gateway_key)),
            ("key", J::hex(&self.key)),
            ("challenge", optional(&self.challenge)),
            ("proof", optional(&self.proof)),
            ("command", J::str(self.command)),
            (
                "position",
                self.position
                    .map_or(J::Null, |(lat, lon)| J::list([J::Num(lat), J::Num(lon)])),
            ),
            ("state", self.state.map_or(J::Null, state)),
        ]);
        let J::Obj(fields) = fields else {
            unreachable!("`obj` makes an object")
        };
        fields
    }
}

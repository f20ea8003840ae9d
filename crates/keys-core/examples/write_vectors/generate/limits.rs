//! Sizes and counts at one below, at and one above their limits.

use super::cbor::{V, a, n};
use super::group::Group;
use super::policies::ring;
use super::scene::{ALL, Chain, POLICY, Scene, claims, granted, policy};
use super::signed::{LINK, NO_PARENT, Signed, holder, owner, sign, sign_unnamed};

pub(crate) fn groups() -> Vec<Group> {
    vec![sizes(), counts()]
}

/// Where every area of this file is.
const HERE: (i64, i64) = (500_000_000, 900_000_000);

fn circle(radius: u64) -> V {
    a([V::Int(HERE.0), V::Int(HERE.1), n(radius)])
}

fn polygon(corners: u32) -> V {
    let points = ring(corners, HERE, 1e6);
    a([a(points
        .iter()
        .map(|(lat, lon)| a([V::Int(*lat), V::Int(*lon)])))])
}

/// At most `slots` areas of `bytes` bytes together.
fn fill(bytes: usize, slots: usize) -> Option<Vec<V>> {
    if bytes == 0 {
        return Some(Vec::new());
    }
    let polygons = (3..=16).rev().map(polygon);
    let pieces = polygons.chain([10_000_000_000, 100_000, 1_000, 100, 1].map(circle));
    pieces.filter(|_| slots > 0).find_map(|piece| {
        let mut rest = fill(bytes.checked_sub(piece.encode().len())?, slots - 1)?;
        rest.push(piece);
        Some(rest)
    })
}

/// The claims with return areas of `bytes` bytes together.
fn padded(claims: &V, bytes: usize, slots: usize) -> Option<V> {
    let areas = fill(bytes, slots).filter(|areas| !areas.is_empty())?;
    Some(claims.change(POLICY, |policy| policy.with(15, a(areas))))
}

/// A link of exactly this many bytes.
fn link_of(bytes: usize, claims: &V, slots: usize, seal: impl Fn(&V) -> Signed) -> Signed {
    let bare = seal(claims).bytes.len();
    (1..=8)
        .filter_map(|overhead| padded(claims, bytes.checked_sub(bare + overhead)?, slots))
        .map(|claims| seal(&claims))
        .find(|link| link.bytes.len() == bytes)
        .unwrap_or_else(|| panic!("no link of {bytes} bytes"))
}

fn first_of(bytes: usize) -> Signed {
    link_of(bytes, &granted(&holder(1), ALL, 4), 8, |claims| {
        sign(LINK, &NO_PARENT, claims, &owner())
    })
}

fn sizes() -> Group {
    let mut group = Group::decisions(900, "sizes", "A link of 640 bytes, a key of 2,560");
    for (bytes, reasons) in [(639, ""), (640, ""), (641, "too-large")] {
        let chain = Chain {
            links: vec![first_of(bytes)],
            holder: holder(1),
        };
        group.answer(
            format!("link-{bytes}"),
            format!("A first link of {bytes} bytes"),
            &Scene::of(&chain),
            reasons,
        );
        let parent = Chain::owned(1);
        let second = claims(&holder(2), ALL, 0).without(3);
        let link = link_of(bytes, &second, 8, |claims| {
            sign_unnamed(LINK, &parent.leaf(), claims, &holder(1))
        });
        let chain = parent.push(link, &holder(2));
        group.answer(
            format!("second-link-{bytes}"),
            format!("A second link of {bytes} bytes"),
            &Scene::of(&chain),
            reasons,
        );
    }
    for (bytes, reasons) in [(2_559, ""), (2_560, ""), (2_561, "too-large")] {
        let scene = Scene::of(&key_of(bytes)).but(|scene| scene.position = Some(HERE));
        assert_eq!(scene.key.len(), bytes, "the key is as long as it says");
        group.answer(
            format!("key-{bytes}"),
            format!("Five links, {bytes} bytes"),
            &scene,
            reasons,
        );
    }
    let scene = Scene::of(&Chain::owned(1)).but(|scene| scene.key = vec![0x80; 2_561]);
    group.refuse(
        "key-before-shape",
        "Lengths come before everything else",
        &scene,
        "too-large",
    );
    group
}

/// A key of five links and this many bytes.
fn key_of(bytes: usize) -> Chain {
    let areas = |policy: V| policy.with(3, a([polygon(16)])).with(15, a([polygon(16)]));
    let mut chain = Chain::first(
        &owner(),
        &granted(&holder(1), ALL, 4).change(POLICY, |_| areas(policy(ALL, 4))),
        &holder(1),
    );
    for hop in 2..=4 {
        let claims =
            claims(&holder(hop), ALL, 0).with(POLICY, areas(policy(ALL, u64::from(5 - hop))));
        chain = chain.then(&claims, &holder(hop));
    }
    let last = claims(&holder(5), ALL, 0)
        .without(3)
        .with(POLICY, policy(ALL, 0).with(3, a([polygon(12)])));
    let left = bytes - chain.key().len();
    let link = link_of(left, &last, 4, |claims| {
        sign_unnamed(LINK, &chain.leaf(), claims, &holder(4))
    });
    chain.push(link, &holder(5))
}

fn counts() -> Group {
    let mut group = Group::decisions(910, "counts", "Five links, eight areas of each kind");
    let six = {
        let mut six = Chain::owned(5);
        let link = sign_unnamed(
            LINK,
            &six.leaf(),
            &claims(&holder(6), ALL, 0).without(3),
            &holder(5),
        );
        six = six.push(link, &holder(6));
        Scene::of(&six)
    };
    group.refuse(
        "6-links",
        "Counted before anything is verified",
        &six,
        "too-large",
    );
    let mut chain = Chain::mandated();
    for hop in 2..=3 {
        chain = chain.then(&claims(&holder(hop), ALL, u64::from(3 - hop)), &holder(hop));
    }
    group.allow(
        "5-links-anchored",
        "Two of them are stored",
        &Scene::mandated(&chain),
    );
    let link = sign_unnamed(
        LINK,
        &chain.leaf(),
        &claims(&holder(4), ALL, 0).without(3),
        &holder(3),
    );
    let longer = chain.push(link, &holder(4));
    group.refuse(
        "6-links-anchored",
        "Two of them are stored: the links count from the owner",
        &Scene::mandated(&longer),
        "too-large",
    );
    let forged = sign_unnamed(
        LINK,
        &chain.leaf(),
        &claims(&holder(4), ALL, 0).without(3),
        &holder(5),
    );
    group.refuse(
        "6-links-anchored-forged",
        "They are counted before any signature is looked at",
        &Scene::mandated(&chain.push(forged, &holder(4))),
        "too-large",
    );
    for item in [3, 15] {
        let list = |count: usize| a(vec![circle(1); count]);
        let at = |chain: &Chain| Scene::of(chain).but(|scene| scene.position = Some(HERE));
        for (count, reasons) in [(7, ""), (8, ""), (9, "too-large")] {
            let chain = Chain::owned_with(policy(ALL, 4).with(item, list(count)));
            group.answer(
                format!("item-{item}-{count}"),
                format!("Policy {item}: {count} areas in one link"),
                &at(&chain),
                reasons,
            );
        }
        for (first, second, third, reasons) in [
            (3, 3, 1, ""),
            (3, 3, 2, ""),
            (3, 3, 3, "too-large"),
            (8, 0, 1, "too-large"),
        ] {
            let with = |base: V, count: usize| {
                if count == 0 {
                    base
                } else {
                    base.with(item, list(count))
                }
            };
            let chain = Chain::owned_with(with(policy(ALL, 4), first))
                .then(
                    &claims(&holder(2), ALL, 0).with(POLICY, with(policy(ALL, 3), second)),
                    &holder(2),
                )
                .then(
                    &claims(&holder(3), ALL, 0).with(POLICY, with(policy(ALL, 2), third)),
                    &holder(3),
                );
            let name = format!("item-{item}-{first}+{second}+{third}");
            let note = format!(
                "Policy {item}: {} areas over three links, equal ones counted each",
                first + second + third
            );
            group.answer(name, note, &at(&chain), reasons);
        }
    }
    let both = policy(ALL, 4)
        .with(3, a(vec![circle(1); 8]))
        .with(15, a(vec![circle(2); 8]));
    let scene = Scene::of(&Chain::owned_with(both)).but(|scene| scene.position = Some(HERE));
    group.allow(
        "8-of-each",
        "Areas and return areas are counted apart",
        &scene,
    );
    group
}

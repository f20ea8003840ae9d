//! Bytes that do not follow the format, correctly signed all the same.

use super::cbor::{V, a, b, long, m, n, raw, t};
use super::group::Group;
use super::scene::{
    ALL, AUD, Chain, DAY, NOW, OTHER_AUD, POLICY, Scene, UNKNOWN, claims, granted, policy,
};
use super::signed::{
    LINK, NO_PARENT, Signed, holder, named, owner, sign, sign_bytes, sign_unnamed, unnamed,
};

pub(crate) fn groups() -> Vec<Group> {
    vec![encodings(), claims_shapes(), envelopes()]
}

/// A key of one link whose payload is these bytes.
fn with_payload(payload: &[u8]) -> Scene {
    let link = sign_bytes(&named(&owner()), LINK, &NO_PARENT, payload, &owner());
    Scene::of(&chain_of(link))
}

fn chain_of(link: Signed) -> Chain {
    Chain {
        links: vec![link],
        holder: holder(1),
    }
}

pub(crate) fn with_claims(claims: &V) -> Scene {
    with_payload(&claims.encode())
}

pub(crate) fn usual() -> V {
    granted(&holder(1), ALL, 0)
}

pub(crate) fn with_policy(policy: V) -> Scene {
    with_claims(&usual().with(POLICY, policy))
}

fn encodings() -> Group {
    let mut group = Group::decisions(
        200,
        "encodings",
        "CBOR that is not in the core deterministic form",
    );
    numbers(&mut group);
    map_keys(&mut group);
    lengths(&mut group);
    whole_keys(&mut group);
    group
}

fn malformed(group: &mut Group, name: &str, note: &str, scene: &Scene) {
    group.refuse(name, note, scene, "malformed");
}

fn numbers(group: &mut Group) {
    let exp = |value: V| with_claims(&usual().with(4, value));
    malformed(
        group,
        "long-number",
        "exp in 8 bytes where 4 suffice",
        &exp(long(NOW + DAY)),
    );
    malformed(
        group,
        "number-2-53",
        "A number of 2^53",
        &with_policy(policy(ALL, 0).with(9, n(1 << 53))),
    );
    malformed(group, "false", "A simple value", &exp(raw(&[0xf4])));
    malformed(group, "null", "A simple value", &exp(raw(&[0xf6])));
    malformed(
        group,
        "float",
        "A float",
        &exp(raw(&[0xfb, 0x41, 0xda, 0x91, 0x14, 0xb0, 0, 0, 0])),
    );
    malformed(
        group,
        "tag",
        "A tagged time",
        &exp(raw(&[&[0xc1][..], &n(NOW + DAY).encode()].concat())),
    );
    malformed(group, "negative", "A negative time", &exp(V::Int(-1)));
    malformed(
        group,
        "text-for-number",
        "A time as text",
        &exp(t("1782993600")),
    );
    let grant = |value: V| with_claims(&usual().with(7, value));
    malformed(
        group,
        "indefinite-bytes",
        "A byte string in pieces",
        &grant(raw(b"\x5f\x44book\x44ing1\xff")),
    );
    malformed(
        group,
        "indefinite-map",
        "The claims as a map without a length",
        &{
            let claims = usual().encode();
            with_payload(&[&[0xbf], &claims[1..], &[0xff]].concat())
        },
    );
    malformed(
        group,
        "indefinite-array",
        "An area list without a length",
        &{
            let list = raw(&[&[0x9f][..], &a([n(1), n(1), n(1)]).encode(), &[0xff]].concat());
            with_policy(policy(ALL, 0).with(15, list))
        },
    );
    malformed(
        group,
        "reserved-length",
        "A head with the reserved value 28",
        &exp(raw(&[0x1c])),
    );
}

fn map_keys(group: &mut Group) {
    let entries = |order: &[i64]| {
        let claims = usual();
        V::Map(
            order
                .iter()
                .map(|key| (*key, claims.get(*key).clone()))
                .collect(),
        )
    };
    malformed(
        group,
        "keys-descend",
        "exp after nbf",
        &with_claims(&entries(&[3, 5, 4, 7, 8, POLICY])),
    );
    malformed(
        group,
        "negative-key-first",
        "The policy before aud",
        &with_claims(&entries(&[POLICY, 3, 4, 5, 7, 8])),
    );
    malformed(
        group,
        "key-twice",
        "exp twice",
        &with_claims(&entries(&[3, 4, 4, 5, 7, 8, POLICY])),
    );
    malformed(group, "text-key", "A map key that is text", &{
        let claims = usual().encode();
        let longer = [&[claims[0] + 1], &claims[1..], &t("x").encode()[..], &[0]].concat();
        with_payload(&longer)
    });
}

fn lengths(group: &mut Group) {
    let grant = |value: V| with_claims(&usual().with(7, value));
    malformed(
        group,
        "trailing-in-payload",
        "A byte after the claims",
        &with_payload(&[&usual().encode()[..], &[0]].concat()),
    );
    malformed(group, "cut-payload", "The claims end early", &{
        let claims = usual().encode();
        with_payload(&claims[..claims.len() - 1])
    });
    malformed(
        group,
        "huge-length",
        "A byte string of 2^63 bytes",
        &grant(raw(&[0x5b, 0x80, 0, 0, 0, 0, 0, 0, 0])),
    );
    let huge = raw(&[0x9b, 0, 0, 0, 1, 0, 0, 0, 0]);
    malformed(group, "huge-list", "Hours of 2^32 entries", &{
        with_policy(policy(ALL, 0).with(8, a([t("Etc/UTC"), huge.clone()])))
    });
    let scene = with_policy(policy(ALL, 0).with(15, huge));
    group.refuse("huge-area-list", "2^32 areas", &scene, "too-large");
}

fn whole_keys(group: &mut Group) {
    let scene = Scene::of(&Chain::owned(1));
    malformed(
        group,
        "trailing-after-key",
        "A byte after the key",
        &scene.but(|scene| scene.key.push(0)),
    );
    malformed(
        group,
        "cut-key",
        "The key ends early",
        &scene.but(|scene| {
            scene.key.pop();
        }),
    );
    malformed(
        group,
        "empty-key",
        "No bytes",
        &scene.but(|scene| scene.key.clear()),
    );
    malformed(
        group,
        "no-links",
        "A key of no link",
        &scene.but(|scene| scene.key = vec![0x80]),
    );
    malformed(
        group,
        "deep-nesting",
        "A thousand arrays in each other",
        &scene.but(|scene| scene.key = vec![0x81; 1_000]),
    );
    malformed(
        group,
        "key-is-a-map",
        "A map instead of a list",
        &scene.but(|scene| scene.key[0] = 0xa1),
    );
    let short = a([b(&[7; 31])]).encode();
    malformed(
        group,
        "short-anchor-id",
        "An anchor id of 31 bytes",
        &scene.but(|scene| scene.key = short.clone()),
    );
    let second = a([V::Raw(Chain::owned(1).links[0].bytes.clone()), b(&[7; 32])]).encode();
    malformed(
        group,
        "anchor-id-second",
        "An anchor id in second place",
        &scene.but(|scene| scene.key = second.clone()),
    );
}

fn claims_shapes() -> Group {
    let mut group = Group::decisions(
        210,
        "claims",
        "Claims that a link must, may or must not have",
    );
    let mut bad =
        |name: &str, note: &str, scene: &Scene| group.refuse(name, note, scene, "malformed");
    for (key, name) in [
        (3, "aud"),
        (4, "exp"),
        (5, "nbf"),
        (8, "cnf"),
        (POLICY, "policy"),
    ] {
        bad(
            &format!("without-{name}"),
            "The claim is missing",
            &with_claims(&usual().without(key)),
        );
    }
    bad(
        "leaf-without-grant-id",
        "No link has a grant id",
        &with_claims(&usual().without(7)),
    );
    for key in [1, 2, 6, 9, -1, -65536, -65538, -65540] {
        bad(
            &format!("unknown-claim-{key}"),
            "A claim that is not known",
            &with_claims(&usual().with(key, n(1))),
        );
    }
    for (name, aud) in [
        ("aud-21", &AUD[..21]),
        ("aud-23", "AZfA3gAAcACAAAAAAAAAAQA"),
        ("aud-padded-bits", "AZfA3gAAcACAAAAAAAAAAR"),
        ("aud-plus", "+ZfA3gAAcACAAAAAAAAAAQ"),
        ("aud-uuid", "0197c0de-0000-7000-8000-000000000001"),
    ] {
        bad(
            name,
            "Not the base64url form of 16 bytes",
            &with_claims(&usual().with(3, t(aud))),
        );
    }
    bad(
        "empty-window",
        "exp equals nbf",
        &with_claims(&usual().with(4, n(NOW)).with(5, n(NOW))),
    );
    bad(
        "inverted-window",
        "exp before nbf",
        &with_claims(&usual().with(4, n(NOW)).with(5, n(NOW + 1))),
    );
    bad(
        "exp-2-40",
        "A time of 2^40",
        &with_claims(&usual().with(4, n(UNKNOWN + 1)).with(5, n(UNKNOWN - DAY))),
    );
    for length in [7, 9] {
        let claims = usual().with(7, b(&vec![1; length]));
        bad(
            &format!("grant-id-{length}"),
            "A grant id has 8 bytes",
            &with_claims(&claims),
        );
    }
    for length in [15, 17] {
        let claims = usual().with(-65539, b(&vec![1; length]));
        bad(
            &format!("booking-hash-{length}"),
            "A booking hash has 16 bytes",
            &with_claims(&claims),
        );
    }
    let key = m([(1, n(1)), (-1, n(6)), (-2, b(&holder(1).public()))]);
    for (name, note, cose_key) in [
        ("cnf-kty-2", "Another key type", key.with(1, n(2))),
        ("cnf-crv-4", "Another curve", key.with(-1, n(4))),
        ("cnf-without-kty", "No key type", key.without(1)),
        ("cnf-without-crv", "No curve", key.without(-1)),
        ("cnf-without-x", "No key", key.without(-2)),
        (
            "cnf-with-alg",
            "An algorithm beside the key",
            key.with(3, V::Int(-19)),
        ),
        (
            "cnf-31-bytes",
            "A key of 31 bytes",
            key.with(-2, b(&[5; 31])),
        ),
    ] {
        bad(
            name,
            note,
            &with_claims(&usual().with(8, m([(1, cose_key)]))),
        );
    }
    bad(
        "cnf-kid",
        "A key named by its id",
        &with_claims(&usual().with(8, m([(3, b(&[1; 8]))]))),
    );
    bad(
        "cnf-two",
        "A second member in cnf",
        &with_claims(&usual().change(8, |cnf| cnf.with(3, b(&[1; 8])))),
    );
    let later = |claims: &V| {
        let parent = Chain::owned(1);
        let link = sign_unnamed(LINK, &parent.leaf(), claims, &holder(1));
        Scene::of(&parent.push(link, &holder(2)))
    };
    bad(
        "aud-in-second-link",
        "aud in a later link",
        &later(&claims(&holder(2), ALL, 0)),
    );
    let second = claims(&holder(2), ALL, 0).without(3);
    bad(
        "generation-in-second-link",
        "A generation in a later link",
        &{ later(&second.change(POLICY, |policy| policy.with(5, n(0)))) },
    );
    let wrong = usual().with(3, t(OTHER_AUD));
    group.refuse(
        "other-vehicle",
        "A key of another car",
        &with_claims(&wrong),
        "wrong-vehicle",
    );
    let unsigned = Scene::of(&Chain::first(&holder(9), &wrong, &holder(1)));
    group.refuse(
        "other-vehicle-and-unknown-signer",
        "The vehicle is looked at before any signature",
        &unsigned,
        "wrong-vehicle",
    );
    group
}

fn envelopes() -> Group {
    let mut group = Group::decisions(250, "envelopes", "Headers and envelopes of a link");
    let header = |protected: &[u8]| {
        let link = sign_bytes(protected, LINK, &NO_PARENT, &usual().encode(), &owner());
        Scene::of(&chain_of(link))
    };
    let kid = b(&owner().kid());
    for (name, alg, code) in [
        ("alg-eddsa", V::Int(-8), "unsupported"),
        ("alg-esp256", V::Int(-9), "unsupported"),
        ("alg-es256", V::Int(-7), "unsupported"),
        ("alg-0", n(0), "unsupported"),
        ("alg-text", t("Ed25519"), "malformed"),
    ] {
        let scene = header(&m([(1, alg), (4, kid.clone())]).encode());
        group.refuse(name, "Another algorithm than -19", &scene, code);
    }
    let mut bad =
        |name: &str, note: &str, scene: &Scene| group.refuse(name, note, scene, "malformed");
    bad("empty-header", "A zero-length header", &header(&[]));
    bad(
        "no-alg",
        "A header without an algorithm",
        &header(&m([(4, kid.clone())]).encode()),
    );
    bad(
        "no-kid",
        "A first link that does not name its signer",
        &header(&unnamed()),
    );
    bad(
        "kid-7",
        "A kid has 8 bytes",
        &header(&m([(1, V::Int(-19)), (4, b(&[1; 7]))]).encode()),
    );
    bad(
        "unknown-header",
        "A content type",
        &header(&m([(1, V::Int(-19)), (3, n(0)), (4, kid.clone())]).encode()),
    );
    bad(
        "header-after-kid",
        "A header after kid",
        &header(&m([(1, V::Int(-19)), (4, kid), (5, n(0))]).encode()),
    );
    bad(
        "trailing-in-header",
        "A byte after the header",
        &header(&[named(&owner()), vec![0]].concat()),
    );
    let usual_link = Chain::owned(1).links[0].bytes.clone();
    let rebuilt = |items: Vec<V>| {
        let key = a([a(items)]).encode();
        Scene::of(&Chain::owned(1)).but(|scene| scene.key = key)
    };
    let signature = b(&usual_link[usual_link.len() - 64..]);
    let (protected, payload) = (b(&named(&owner())), b(&usual().encode()));
    bad("unprotected", "An unprotected header", &{
        rebuilt(vec![
            protected.clone(),
            m([(4, n(1))]),
            payload.clone(),
            signature.clone(),
        ])
    });
    bad("signature-63", "A signature of 63 bytes", &{
        rebuilt(vec![protected.clone(), m([]), payload.clone(), b(&[1; 63])])
    });
    bad("signature-65", "A signature of 65 bytes", &{
        rebuilt(vec![protected.clone(), m([]), payload.clone(), b(&[1; 65])])
    });
    bad(
        "three-items",
        "No signature",
        &rebuilt(vec![protected.clone(), m([]), payload.clone()]),
    );
    bad("five-items", "One item more", &{
        rebuilt(vec![protected, m([]), payload, signature, n(0)])
    });
    bad("tagged", "The tag of COSE_Sign1", &{
        let key = a([raw(&[&[0xd2][..], &usual_link].concat())]).encode();
        Scene::of(&Chain::owned(1)).but(|scene| scene.key = key)
    });
    let parent = Chain::owned(1);
    let second = claims(&holder(2), ALL, 0).without(3);
    let link = sign(LINK, &parent.leaf(), &second, &holder(1));
    bad(
        "kid-in-second-link",
        "A later link that names its signer",
        &Scene::of(&parent.push(link, &holder(2))),
    );
    group
}

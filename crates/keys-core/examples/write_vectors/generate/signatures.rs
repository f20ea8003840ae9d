//! Signatures that do not hold, keys that nobody trusts, links in the wrong place.

use super::cbor::{a, b};
use super::group::Group;
use super::scene::{ALL, Chain, Scene, claims, granted, proof};
use super::signed::{
    BUNDLE, LINK, NO_PARENT, PROOF, Signed, Who, holder, named, owner, platform, second_owner,
    sha256, sign, sign_bytes, sign_unnamed, stranger,
};

pub(crate) fn groups() -> Vec<Group> {
    vec![flipped(), trust(), places()]
}

/// The scene with a bit of the key flipped, counted in bytes from the end of its link `index`.
fn flip(chain: &Chain, index: usize, from_end: usize) -> Scene {
    let mut broken = chain.clone();
    let bytes = &mut broken.links[index].bytes;
    let place = bytes.len() - from_end;
    bytes[place] ^= 1;
    Scene::of(chain).but(|scene| scene.key = broken.key())
}

fn flipped() -> Group {
    let mut group = Group::decisions(300, "flipped-bits", "One bit is another");
    let chain = Chain::owned(3);
    for index in 0..3 {
        let link = index + 1;
        group.refuse(
            format!("link-{link}-s"),
            "In the last byte of S",
            &flip(&chain, index, 1),
            "bad-signature",
        );
        group.refuse(
            format!("link-{link}-r"),
            "In the first byte of R",
            &flip(&chain, index, 64),
            "bad-signature",
        );
        // Before the signature and its head: the policy, whose last bytes are rights, 02, delegations.
        let rights = 64 + 2 + 3;
        let scene = flip(&chain, index, rights);
        group.refuse(
            format!("link-{link}-payload"),
            "In the rights",
            &scene,
            "bad-signature",
        );
    }
    let mut scene = Scene::of(&chain);
    if let Some(proof) = &mut scene.proof {
        proof[30] ^= 1;
    }
    group.refuse(
        "proof-payload",
        "In the command id of the proof",
        &scene,
        "bad-signature",
    );
    let mut scene = Scene::of(&chain);
    if let Some(proof) = &mut scene.proof {
        let last = proof.len() - 1;
        proof[last] ^= 0x10;
    }
    group.refuse(
        "proof-s",
        "In the proof's S, which is then above L",
        &scene,
        "bad-signature",
    );
    let kid = {
        let mut header = named(&owner());
        header[6] ^= 1;
        let link = sign_bytes(
            &header,
            LINK,
            &NO_PARENT,
            &granted(&holder(1), ALL, 0).encode(),
            &owner(),
        );
        Scene::of(&Chain {
            links: vec![link],
            holder: holder(1),
        })
    };
    group.refuse(
        "kid",
        "In the kid: no trusted key has it",
        &kid,
        "unknown-signer",
    );
    group
}

fn trust() -> Group {
    let mut group = Group::decisions(310, "trust", "Who signs the first link");
    let usual = granted(&holder(1), ALL, 0);
    let by = |signer: &Who| Scene::of(&Chain::first(signer, &usual, &holder(1)));
    group.refuse(
        "stranger",
        "A key that nobody knows",
        &by(&stranger()),
        "unknown-signer",
    );
    group.refuse(
        "platform",
        "The platform root is no owner",
        &by(&platform()),
        "unknown-signer",
    );
    group.refuse(
        "second-owner",
        "An owner key that is not in the bundle",
        &by(&second_owner()),
        "unknown-signer",
    );
    let no_roots = by(&owner()).but(|scene| scene.roots.clear());
    group.refuse(
        "no-owner",
        "The car has no owner key",
        &no_roots,
        "unknown-signer",
    );
    let borrowed = sign_bytes(
        &named(&owner()),
        LINK,
        &NO_PARENT,
        &usual.encode(),
        &second_owner(),
    );
    let scene = Scene::of(&Chain {
        links: vec![borrowed],
        holder: holder(1),
    });
    group.refuse(
        "borrowed-kid",
        "Another key under the owner's kid",
        &scene,
        "bad-signature",
    );
    let both = scene.but(|scene| scene.roots.push(second_owner().public()));
    group.refuse(
        "borrowed-kid-of-two",
        "The kid is the first owner's, the signature the second's",
        &both,
        "bad-signature",
    );
    let anchor = a([b(&[7; 32])]).encode();
    let unknown = Scene::of(&Chain::owned(1)).but(|scene| scene.key = anchor);
    group.refuse(
        "unknown-anchor",
        "The id of no stored link",
        &unknown,
        "unknown-signer",
    );
    group
}

fn places() -> Group {
    let mut group = Group::decisions(
        320,
        "places",
        "Links and proofs in a place they were not signed for",
    );
    let chain = Chain::owned(3);
    let scene = Scene::of(&chain);
    let mut bad = |name: &str, note: &str, links: Vec<Signed>| {
        let holder = chain.holder.clone();
        let key = Chain { links, holder }.key();
        group.refuse(
            name,
            note,
            &scene.but(|scene| scene.key = key),
            "bad-signature",
        );
    };
    let [one, two, three] = [0, 1, 2].map(|index| chain.links[index].clone());
    bad(
        "second-removed",
        "The third link right below the first",
        vec![one.clone(), three.clone()],
    );
    bad(
        "swapped",
        "The third link before the second",
        vec![one.clone(), three.clone(), two.clone()],
    );
    bad(
        "repeated",
        "The second link twice",
        vec![one.clone(), two.clone(), two.clone(), three],
    );
    let other = Chain::first(&owner(), &granted(&holder(1), ALL, 3), &holder(1));
    bad(
        "other-parent",
        "A link to the same holder, but another one than it was signed under",
        vec![other.links[0].clone(), two],
    );
    let by_owner = sign_unnamed(
        LINK,
        &one.id,
        &claims(&holder(2), ALL, 0).without(3),
        &owner(),
    );
    bad(
        "signed-by-the-owner",
        "The owner signs below a holder",
        vec![one.clone(), by_owner],
    );
    let no_parent = sign_unnamed(
        LINK,
        &NO_PARENT,
        &claims(&holder(2), ALL, 0).without(3),
        &holder(1),
    );
    bad(
        "signed-under-nothing",
        "The second link is signed as if it were a first",
        vec![one.clone(), no_parent],
    );
    let first_under = sign(LINK, &one.id, &granted(&holder(1), ALL, 3), &owner());
    bad(
        "first-under-another",
        "The first link is signed as if it were a second",
        vec![first_under],
    );
    let as_bundle = sign(BUNDLE, &NO_PARENT, &granted(&holder(1), ALL, 3), &owner());
    bad(
        "other-context",
        "The claims are signed as a bundle",
        vec![as_bundle],
    );
    let mut answer = |name: &str, note: &str, proof: Vec<u8>| {
        group.refuse(
            name,
            note,
            &scene.but(|scene| scene.proof = Some(proof)),
            "bad-signature",
        );
    };
    let hash = sha256(
        scene
            .challenge
            .as_deref()
            .expect("the scene has a challenge"),
    );
    let rest = |leaf: &[u8; 32]| [hash, *leaf].concat();
    let of = |context, rest: &[u8], who: &Who| sign_unnamed(context, rest, &proof(0), who).bytes;
    answer(
        "proof-for-parent",
        "The proof names the second link",
        of(PROOF, &rest(&chain.links[1].id), &holder(3)),
    );
    answer(
        "proof-of-parent",
        "The holder of the second link signs",
        of(PROOF, &rest(&chain.leaf()), &holder(2)),
    );
    answer(
        "proof-without-leaf",
        "The proof names the challenge only",
        of(PROOF, &hash, &holder(3)),
    );
    answer(
        "proof-without-challenge",
        "The proof names the leaf only",
        of(PROOF, &chain.leaf(), &holder(3)),
    );
    answer(
        "proof-as-link",
        "The proof is signed as a link",
        of(LINK, &rest(&chain.leaf()), &holder(3)),
    );
    let shorter = scene.but(|scene| {
        scene.key = Chain {
            links: chain.links[..2].to_vec(),
            holder: holder(2),
        }
        .key();
    });
    group.refuse(
        "last-link-removed",
        "Somebody cuts off the holder's own link",
        &shorter,
        "bad-signature",
    );
    group
}

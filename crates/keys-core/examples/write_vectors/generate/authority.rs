//! Who may sign what: status links and mandates.

use super::cbor::{V, b, n};
use super::group::Group;
use super::scene::{
    ALL, Chain, DAY, HOUR, NOW, POLICY, SIGN_STATUS, Scene, claims, claims_over, granted,
    issuer_claims, mandate_claims, policy, status_claims,
};
use super::signed::{Who, holder, issuer, owner, platform, status};

pub(crate) fn groups() -> Vec<Group> {
    vec![status_links(), mandates()]
}

fn status_links() -> Group {
    let mut group = Group::decisions(
        340,
        "sign-status",
        "The right to sign statements comes from the platform root, alone",
    );
    let usual = status_claims(&holder(1)).with(7, b(b"statuskb"));
    let by = |signer: &Who, claims: &V| Scene::of(&Chain::first(signer, claims, &holder(1)));
    let rights = |rights: u64, depth: u64| usual.with(POLICY, policy(rights, depth));
    group.refuse(
        "is-no-car-key",
        "A status link opens nothing",
        &by(&platform(), &usual),
        "not-entitled",
    );
    group.refuse(
        "from-an-owner",
        "An owner cannot give it",
        &by(&owner(), &usual),
        "unknown-signer",
    );
    group.refuse(
        "from-an-owner-with-more",
        "Nor beside other rights",
        &by(&owner(), &rights(0x81, 0)),
        "widened",
    );
    group.refuse(
        "from-the-root-with-more",
        "The root cannot give it beside others",
        &by(&platform(), &rights(0x81, 0)),
        "unknown-signer",
    );
    group.refuse(
        "with-delegation",
        "It cannot be passed on",
        &by(&platform(), &rights(SIGN_STATUS, 1)),
        "widened",
    );
    let no_platform = by(&platform(), &usual).but(|scene| scene.platform_root = None);
    group.refuse(
        "no-platform",
        "The car has no platform root",
        &no_platform,
        "unknown-signer",
    );
    let below = Chain::owned(1).then(&claims(&holder(2), SIGN_STATUS, 0), &holder(2));
    group.refuse(
        "below",
        "A later link cannot give it",
        &Scene::of(&below),
        "widened",
    );
    for (extra, reasons) in [(0, "not-entitled"), (1, "widened")] {
        let window = (NOW - DAY, NOW + 91 * DAY + extra);
        let claims =
            claims_over(&holder(1), window, policy(SIGN_STATUS, 0)).with(7, b(b"statuskb"));
        let note = format!("A window of 92 days and {extra} s");
        group.refuse(
            format!("92-days-{extra}"),
            note,
            &by(&platform(), &claims),
            reasons,
        );
    }
    group.refuse(
        "by-a-status-key",
        "A status key is no root",
        &by(&status(), &usual),
        "unknown-signer",
    );
    group
}

fn mandates() -> Group {
    let mut group = Group::decisions(
        350,
        "mandates",
        "What a mandate must state, and what it caps",
    );
    let with = |mandate: &V, issuer_link: &V, leaf: &V| {
        let chain = Chain::first(&owner(), mandate, &platform())
            .then(issuer_link, &issuer())
            .then(leaf, &holder(1));
        Scene::mandated(&chain).but(|scene| scene.key = chain.key())
    };
    let leaf = granted(&holder(1), ALL, 0);
    let item = |change: &dyn Fn(&V) -> V| {
        with(
            &mandate_claims().change(POLICY, change),
            &issuer_claims(),
            &leaf,
        )
    };
    group.refuse(
        "without-10",
        "No greatest window of the leaf",
        &item(&|policy| policy.without(10)),
        "mandate-exceeded",
    );
    group.refuse(
        "without-4",
        "No outage limit",
        &item(&|policy| policy.without(4)),
        "mandate-exceeded",
    );
    group.refuse(
        "without-both",
        "Neither",
        &item(&|policy| policy.without(4).without(10)),
        "mandate-exceeded",
    );
    group.refuse(
        "outage-limit-none",
        "An outage limit of none",
        &item(&|policy| policy.with(4, n(4_294_967_295))),
        "mandate-exceeded",
    );
    group.allow(
        "outage-limit-least",
        "The loosest that is a limit",
        &item(&|policy| policy.with(4, n(4_294_967_294))),
    );
    for (offset, seconds) in [(1, 25 * HOUR + 1), (0, 25 * HOUR), (-1, 25 * HOUR - 1)] {
        let reasons = if offset < 0 { "mandate-exceeded" } else { "" };
        let note = format!("The leaf lasts 90000 s, the mandate caps at {seconds}");
        group.answer(
            format!("cap-{seconds}"),
            note,
            &item(&|policy| policy.with(10, n(seconds))),
            reasons,
        );
    }
    let long_middle = issuer_claims().with(4, n(NOW + 8 * DAY));
    group.allow(
        "cap-on-the-leaf-alone",
        "The issuer's own window is longer than the cap",
        &with(&mandate_claims(), &long_middle, &leaf),
    );
    for (days, extra, reasons) in [(400, 0, ""), (400, 1, "widened"), (399, 0, "")] {
        let window = (NOW - DAY, NOW - DAY + days * DAY + extra);
        let mandate = claims_over(
            &platform(),
            window,
            policy(ALL, 4).with(4, n(DAY)).with(10, n(7 * DAY)),
        );
        let note = format!("A mandate of {days} days and {extra} s");
        group.answer(
            format!("{days}-days-{extra}"),
            note,
            &with(&mandate, &issuer_claims(), &leaf),
            reasons,
        );
    }
    for (extra, reasons) in [(0, ""), (1, "widened")] {
        let wide = claims_over(
            &platform(),
            (NOW - DAY, NOW + 99 * DAY),
            mandate_claims().get(POLICY).clone(),
        );
        let issuer_link = claims_over(
            &issuer(),
            (NOW - DAY, NOW + 91 * DAY + extra),
            policy(ALL, 3),
        );
        let note = format!("An issuer link of 92 days and {extra} s");
        group.answer(
            format!("issuer-92-days-{extra}"),
            note,
            &with(&wide, &issuer_link, &leaf),
            reasons,
        );
    }
    group
}

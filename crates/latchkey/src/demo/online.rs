//! Signing up, pairing, issuing, inviting, redeeming, and the first commands, all with the network.

use std::path::Path;

use anyhow::{Context, ensure};
use keys_core::bundle::Bundle;
use keys_core::command::VehicleCommand;
use keys_core::envelope::{NO_REST, Unverified};
use keys_core::refusal::Refusal;
use serde_json::json;

use super::gateway::GatewayProcess;
use super::steps::{Failed, Found, Steps, said};
use super::world::{
    self, Booking, Platform, at, bring_time, expect_done, expect_problem, expect_refused, hand_key,
    invite, issue, online,
};
use super::{ANY_PORT, Story};
use crate::clock;
use crate::describe::hex;
use crate::device::api::{self, Api, ApiError};
use crate::device::phone::{InvitationLink, Phone};

/// How long the short booking lasts from its issue, in seconds.
const SHORT_S: i64 = 3;
const PASSWORD: &str = "a demo password nobody else has";
const DAY_S: i64 = 86_400;

/// From nothing to a paired car with a mandate.
pub(super) async fn begin(steps: &mut Steps, scratch: &Path) -> Result<Story, Failed> {
    steps.part("A host and a car");
    let platform = steps
        .step("the API starts on an empty database", async {
            let platform = Platform::start(&scratch.join("api")).await?;
            Api::new(&platform.origin(), None)?.get("/ready").await?;
            let origin = platform.origin();
            Ok(Found(platform, origin))
        })
        .await?;
    let origin = platform.origin();
    let gateway = steps
        .step(
            "a gateway runs as a process of its own, not paired",
            async {
                let data = scratch.join("car");
                let gateway = GatewayProcess::start(&data, ANY_PORT, Some(&origin), "Opel").await?;
                ensure!(gateway.car().health().await?["paired"] == false);
                let process = gateway.process_id().context("it runs")?;
                Ok(Found(gateway, format!("process {process}")))
            },
        )
        .await?;
    let host = steps.step("a host signs up", sign_up(&origin)).await?;
    steps
        .step("an invented bearer token is nobody", async {
            let nobody = Api::new(&origin, Some("lks_invented"))?;
            expect_problem(nobody.get("/v1/vehicles").await, 401)?;
            said("401")
        })
        .await?;
    let vehicle = steps
        .step("the host registers a car", register(&host))
        .await?;
    pair_and_mandate(steps, &host, &vehicle, &gateway).await?;
    let phone = |name: &str| Phone::create(&scratch.join(name));
    let (renter, codriver, tomorrow, short) = steps
        .step("four phones make their own holder keys", async {
            let phones = (
                phone("renter.json")?,
                phone("codriver.json")?,
                phone("tomorrow.json")?,
                phone("short.json")?,
            );
            Ok(Found(
                phones,
                "in files only their owner can read".to_owned(),
            ))
        })
        .await?;
    Ok(Story {
        platform,
        gateway,
        host,
        vehicle,
        renter,
        renter_key: String::new(),
        tomorrow,
        short,
        short_key: String::new(),
        short_ends: clock::now(),
        codriver,
        receipts: Vec::new(),
        done: 0,
    })
}

async fn sign_up(origin: &str) -> anyhow::Result<Found<Api>> {
    let api = Api::new(origin, None)?;
    let body = json!({ "email": "host@demo.example", "password": PASSWORD });
    let answer = api.post("/v1/accounts", &body).await?;
    let host = api.with_token(api::text(&answer, "token")?);
    Ok(Found(host, "host@demo.example".to_owned()))
}

async fn register(host: &Api) -> anyhow::Result<Found<String>> {
    let body = json!({
        "name": "Blue Corsa", "brand": "Opel", "model": "Corsa", "time_zone": "Europe/Berlin",
    });
    let vehicle = host.post("/v1/vehicles", &body).await?;
    let id = api::text(&vehicle, "id")?.to_owned();
    Ok(Found(id.clone(), id))
}

async fn pair_and_mandate(
    steps: &mut Steps,
    host: &Api,
    vehicle: &str,
    gateway: &GatewayProcess,
) -> Result<(), Failed> {
    steps
        .step("the car is paired with the code it shows", async {
            let bundle = world::pair(host, vehicle, gateway).await?;
            let bytes = api::bytes(&bundle, "bundle")?;
            let bundle = Unverified::<Bundle>::decode(&bytes)?;
            let owners = bundle.unverified_body().owner_keys.clone();
            let bundle = bundle
                .verify_any(&owners, NO_REST)
                .map_err(|refusal| anyhow::anyhow!("the bundle: {refusal}"))?;
            world::until_connected(host, vehicle).await?;
            said(format!(
                "bundle {} names gateway key {}…",
                bundle.body().seq,
                &hex(bundle.body().gateway_key.as_bytes())[..8]
            ))
        })
        .await?;
    steps
        .step("the host gives the platform a mandate with limits", async {
            let body = json!({
                "entitlements": ["unlock", "lock", "enable_driving", "open_trunk", "remote"],
                "max_duration_s": 7 * DAY_S,
                "outage_limit_s": DAY_S,
                "delegations": 4,
                "valid_until": at(90 * DAY_S),
            });
            let path = format!("/v1/vehicles/{vehicle}/mandate");
            host.post(&path, &body).await?;
            said("keys up to 7 days, for 90 days")
        })
        .await
}

/// Keys for the renter, for tomorrow and for a short while; the first commands.
pub(super) async fn issue_and_unlock(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps.part("A key, and the car obeys it");
    short_booking(steps, story).await?;
    let link = book(steps, story).await?;
    redeem(steps, story, &link).await?;
    too_early(steps, story).await?;
    for command in [VehicleCommand::Unlock, VehicleCommand::Lock] {
        let answer = steps
            .step(
                format!("{command} through the API: the car decides and signs"),
                async {
                    let answer = online(&story.renter, 0, command).await?;
                    expect_done(&answer)?;
                    Ok(Found(answer, String::new()))
                },
            )
            .await?;
        story.receipts.extend(answer.receipt_bytes);
        story.done += 1;
    }
    Ok(())
}

async fn book(
    steps: &mut Steps,
    story: &mut Story,
) -> Result<(InvitationLink, Option<String>), Failed> {
    let drive = Booking {
        from_s: -60,
        until_s: 3_600,
        may: &["unlock", "lock", "enable_driving", "remote"],
        delegations: 1,
    };
    let (host, vehicle) = (&story.host, &story.vehicle);
    let key = steps
        .step("the host issues a key for the booking", async {
            let key = issue(host, vehicle, &drive).await?;
            ensure!(key["state"] == "awaiting_holder", "state {}", key["state"]);
            let id = api::text(&key, "id")?.to_owned();
            Ok(Found(
                id,
                "nobody holds it yet, so nothing is signed".to_owned(),
            ))
        })
        .await?;
    story.renter_key = key.clone();
    steps
        .step(
            "a booking that overlaps is refused and the other key named",
            async {
                let problem = expect_problem(issue(host, vehicle, &drive).await, 409)?;
                said(format!("409 {}", problem.code))
            },
        )
        .await?;
    steps
        .step(
            "a window that ends before it begins is refused, naming the field",
            async {
                let inverted = Booking {
                    until_s: -60,
                    ..drive
                };
                let problem = expect_problem(issue(host, vehicle, &inverted).await, 422)?;
                ensure!(problem.to_string().contains("/valid_until"), "{problem}");
                said("422 /valid_until")
            },
        )
        .await?;
    steps
        .step("the host makes a link to send", async {
            let (link, code) = invite(host, &key).await?;
            let with = if code.is_some() {
                "with an activation code"
            } else {
                ""
            };
            Ok(Found((link, code), with.to_owned()))
        })
        .await
}

async fn redeem(
    steps: &mut Steps,
    story: &mut Story,
    (link, code): &(InvitationLink, Option<String>),
) -> Result<(), Failed> {
    let code = code.as_deref();
    let renter = &mut story.renter;
    steps
        .step(
            "the renter redeems it: the key is bound to that phone",
            async {
                renter.redeem(link, code, "renter's phone").await?;
                let key = renter.keys()[0].verified()?;
                ensure!(key.holder() == renter.holder_key());
                said(format!(
                    "{} links, every signature checked from the owner down",
                    key.links().len()
                ))
            },
        )
        .await?;
    let second = &mut story.codriver;
    steps
        .step("the same link a second time is refused", async {
            let again = second.redeem(link, code, "another phone").await;
            let error = again.err().context("a link was redeemed twice")?;
            let error = error.downcast::<ApiError>()?;
            let problem = expect_problem::<()>(Err(error), 410)?;
            said(format!("410 {}", problem.code))
        })
        .await
}

async fn too_early(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    let booking = Booking {
        from_s: DAY_S,
        until_s: 2 * DAY_S,
        may: &["unlock", "lock", "remote"],
        delegations: 0,
    };
    let answer = steps
        .step(
            "a key for tomorrow, tried today, is refused by the car",
            async {
                hand_key(&story.host, &story.vehicle, &booking, &mut story.tomorrow).await?;
                let answer = online(&story.tomorrow, 0, VehicleCommand::Unlock).await?;
                expect_refused(&answer, Refusal::NotYetValid)?;
                Ok(Found(answer, "not-yet-valid".to_owned()))
            },
        )
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    Ok(())
}

/// A booking that ends in a few seconds, extended while the network is still there.
async fn short_booking(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    let booking = Booking {
        from_s: -60,
        until_s: SHORT_S,
        may: &["unlock", "lock", "remote"],
        delegations: 0,
    };
    steps
        .step(
            "a booking that ends in seconds is extended; the phone fetches the new key",
            async {
                let key = hand_key(&story.host, &story.vehicle, &booking, &mut story.short).await?;
                bring_time(&story.short, story.gateway.car()).await?;
                let before = story.short.keys()[0].verified()?;
                story.short.keep_copy(0)?;
                let path = format!("/v1/keys/{key}/extend");
                story
                    .host
                    .post(&path, &json!({ "valid_until": at(7_200) }))
                    .await?;
                story.short.refresh(0).await?;
                let after = story.short.keys()[0].verified()?;
                ensure!(after.effective().validity().until > before.effective().validity().until);
                ensure!(after.effective().grant_id() == before.effective().grant_id());
                story.short_key = key;
                story.short_ends = before.effective().validity().until;
                said("same grant, later end; the car has not heard of it")
            },
        )
        .await
}

//! A car whose owner key never leaves the host's device: the platform relays, and can open nothing.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use keys_core::command::VehicleCommand;
use keys_core::id::VehicleId;
use keys_core::refusal::Refusal;
use serde_json::json;

use super::gateway::GatewayProcess;
use super::steps::{Failed, Found, Steps, said};
use super::world::{
    Booking, LOOK_AT_CAR, at_car, bring_time, expect_done, expect_refused, hand_key, until,
    until_connected,
};
use super::{ANY_PORT, Story, forgery};
use crate::clock;
use crate::device::api;
use crate::device::host::Host;
use crate::device::phone::Phone;
use crate::device::random;

/// The sovereign car and its people.
struct Sovereign {
    gateway: GatewayProcess,
    host: Host,
    renter: Phone,
    key: String,
}

/// Walks the part.
pub(super) async fn walk(steps: &mut Steps, story: &Story, scratch: &Path) -> Result<(), Failed> {
    steps.part("A sovereign car: the owner key is a file on the host's own device");
    let mut sovereign = pair(steps, story, scratch).await?;
    let walked = walk_on(steps, story, &mut sovereign).await;
    let _ended = sovereign.gateway.kill().await;
    walked
}

async fn walk_on(
    steps: &mut Steps,
    story: &Story,
    sovereign: &mut Sovereign,
) -> Result<(), Failed> {
    key(steps, sovereign).await?;
    break_in(steps, story, sovereign).await?;
    revoke(steps, sovereign).await
}

async fn pair(steps: &mut Steps, story: &Story, scratch: &Path) -> Result<Sovereign, Failed> {
    let origin = story.platform.origin();
    steps
        .step(
            "the host's device pairs with a second car; the API only relays",
            async {
                let data = scratch.join("sovereign-car");
                let gateway = GatewayProcess::start(&data, ANY_PORT, Some(&origin), "Kia").await?;
                let mut host = Host::create(&scratch.join("host.json"))?;
                host.sign_in(
                    &origin,
                    "sovereign@demo.example",
                    "another demo password",
                    true,
                )
                .await?;
                host.add_car(
                    &json!({ "name": "Own Niro", "brand": "Kia", "time_zone": "Europe/Berlin" }),
                )
                .await?;
                let code = gateway.pairing_code()?.parse()?;
                let bundle = host.pair(0, &code, false, clock::now()).await?;
                ensure!(!bundle.mandate_allowed);
                until_connected(&host.api()?, &host.cars()[0].id).await?;
                let renter = Phone::create(&scratch.join("sovereign-renter.json"))?;
                let sovereign = Sovereign {
                    gateway,
                    host,
                    renter,
                    key: String::new(),
                };
                Ok(Found(sovereign, "the bundle allows no mandate".to_owned()))
            },
        )
        .await
}

async fn key(steps: &mut Steps, sovereign: &mut Sovereign) -> Result<(), Failed> {
    let Sovereign {
        gateway,
        host,
        renter,
        key,
    } = sovereign;
    let booking = Booking {
        from_s: -60,
        until_s: 3_600,
        may: &["unlock", "lock", "remote"],
        delegations: 0,
    };
    steps
        .step(
            "a redeemed key opens nothing until the host's device signs it",
            async {
                let (api, vehicle) = (host.api()?, host.cars()[0].id.clone());
                *key = hand_key(&api, &vehicle, &booking, renter).await?;
                let view = api.get(&format!("/v1/keys/{key}")).await?;
                ensure!(
                    view["state"] == "pending_signature",
                    "state {}",
                    view["state"]
                );
                ensure!(renter.keys()[0].chain().is_err(), "there is a key already");
                said("pending_signature")
            },
        )
        .await?;
    steps
        .step("the host's device signs; the tier says sovereign", async {
            let claims = host.pending_claims(key).await?;
            ensure!(claims.holder == *renter.holder_key().as_bytes());
            let view = host.sign_key(key, &claims).await?;
            let tier = api::text(&view, "trust_tier")?;
            ensure!(tier == "sovereign", "tier {tier}");
            renter.refresh(0).await?;
            bring_time(renter, gateway.car()).await?;
            said(format!(
                "{} link",
                renter.keys()[0].verified()?.links().len()
            ))
        })
        .await?;
    steps
        .step("the sovereign car opens to it", async {
            let answer = at_car(renter, 0, gateway.car(), VehicleCommand::Unlock).await?;
            expect_done(&answer)?;
            said("")
        })
        .await
}

/// The thief has every key the platform has.
async fn break_in(steps: &mut Steps, story: &Story, sovereign: &Sovereign) -> Result<(), Failed> {
    let car = sovereign.gateway.car();
    let thief = &story.tomorrow;
    steps
        .step(
            "everything the platform has is stolen, and opens nothing of this car",
            async {
                let vehicle: VehicleId = sovereign.host.vehicle(0)?;
                let platform = story.platform.app()?.platform();
                let root = platform.root_key().context("the platform's root")?;
                let forged = [
                    forgery::platform_key(vehicle, root, None, thief)?,
                    forgery::platform_key(vehicle, &platform.issuer, None, thief)?,
                    forgery::platform_key(vehicle, &platform.status, None, thief)?,
                    forgery::platform_key(vehicle, &platform.issuer, Some(root), thief)?,
                    forgery::platform_key(vehicle, root, Some(root), thief)?,
                ];
                let challenge = car.challenge(&random::bytes()?).await?;
                let mut refusals = Vec::new();
                for chain in &forged {
                    match forgery::opens(car, &challenge, chain, thief).await? {
                        Err(refusal) => refusals.push(refusal.code()),
                        Ok(()) => bail!("the car opened to a forged key"),
                    }
                }
                refusals.dedup();
                said(format!(
                    "{} forgeries: {}",
                    forged.len(),
                    refusals.join(", ")
                ))
            },
        )
        .await?;
    steps
        .step("a key to the other car is refused here", async {
            let answer =
                forgery::stolen_key(&story.renter, &story.renter, car, VehicleCommand::Unlock)
                    .await?;
            expect_refused(&answer, Refusal::WrongVehicle)?;
            said("wrong-vehicle")
        })
        .await
}

async fn revoke(steps: &mut Steps, sovereign: &mut Sovereign) -> Result<(), Failed> {
    let Sovereign {
        gateway,
        host,
        renter,
        key,
    } = sovereign;
    steps
        .step("the host's own statement revokes that key", async {
            let api = host.api()?;
            api.post(&format!("/v1/keys/{key}/revoke"), &json!({}))
                .await?;
            let signed = host
                .sign_statement(0)
                .await?
                .context("nothing waited to be signed")?;
            ensure!(
                signed.revoked.len() == 1,
                "{} revoked",
                signed.revoked.len()
            );
            until("the car refuses", LOOK_AT_CAR, || async {
                let answer = at_car(renter, 0, gateway.car(), VehicleCommand::Unlock).await?;
                Ok(expect_refused(&answer, Refusal::Revoked).is_ok())
            })
            .await?;
            said(format!("owner statement {}", signed.seq))
        })
        .await
}

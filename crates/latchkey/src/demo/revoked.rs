//! The API is back: revoking, online and on foot; and a gateway killed without warning.

use anyhow::{Context, ensure};
use keys_core::carried::CarriedKind;
use keys_core::command::VehicleCommand;
use keys_core::refusal::Refusal;
use serde_json::{Value, json};

use super::Story;
use super::gateway::GatewayProcess;
use super::steps::{Failed, Found, Steps, said};
use super::world::{at_car, expect_done, expect_refused, online, until_connected};

/// Walks the part.
pub(super) async fn walk(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps.part("The API is back: a key is revoked");
    come_back(steps, story).await?;
    revoke_online(steps, story).await?;
    cut_off(steps, story).await?;
    revoke_on_foot(steps, story).await
}

async fn come_back(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps
        .step("the API starts again, and the gateway finds it", async {
            story.platform.start_again().await?;
            until_connected(&story.host, &story.vehicle).await?;
            said("")
        })
        .await?;
    steps
        .step(
            "the co-driver shows in the host's view once the renter is online",
            async {
                story.renter.refresh(0).await?;
                let key = story
                    .host
                    .get(&format!("/v1/keys/{}", story.renter_key))
                    .await?;
                let delegates = key["delegates"].as_array().map_or(0, Vec::len);
                ensure!(delegates == 1, "{delegates} delegates");
                said("1 delegate")
            },
        )
        .await
}

async fn revoke_online(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps
        .step("the host revokes the renter's key", async {
            let key = revoke(story, &story.renter_key).await?;
            let dead_by = key["dead_by"].as_str().context("no dead_by")?;
            said(format!("dead by {dead_by}"))
        })
        .await?;
    let answer = steps
        .step("the renter is refused online", async {
            let answer = online(&story.renter, 0, VehicleCommand::Unlock).await?;
            expect_refused(&answer, Refusal::Revoked)?;
            Ok(Found(answer, "revoked".to_owned()))
        })
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    let answer = steps
        .step(
            "but whose trip has begun may still lock the standing car, and nothing else",
            async {
                let answer =
                    at_car(&story.renter, 0, story.gateway.car(), VehicleCommand::Lock).await?;
                expect_done(&answer)?;
                ensure!(
                    answer.reasons == [Refusal::Revoked],
                    "reasons {:?}",
                    answer.reasons
                );
                Ok(Found(answer, "lock-only".to_owned()))
            },
        )
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    story.done += 1;
    let answer = steps
        .step(
            "the co-driver below him is refused too, at the car",
            async {
                let car = story.gateway.car();
                let answer = at_car(&story.codriver, 0, car, VehicleCommand::Unlock).await?;
                expect_refused(&answer, Refusal::Revoked)?;
                Ok(Found(answer, "revoked".to_owned()))
            },
        )
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    Ok(())
}

async fn revoke(story: &Story, key: &str) -> anyhow::Result<Value> {
    let path = format!("/v1/keys/{key}/revoke");
    let key = story.host.post(&path, &json!({})).await?;
    ensure!(key["state"] == "revoked", "state {}", key["state"]);
    Ok(key)
}

/// The gateway is killed and comes back in a garage without network.
async fn cut_off(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps
        .step(
            "the gateway is killed, and starts in a garage without network",
            async {
                story.gateway.kill().await?;
                let (data, address) = (story.gateway.data().to_owned(), story.gateway.address());
                story.gateway = GatewayProcess::start(&data, address, None, "Opel").await?;
                ensure!(story.gateway.car().health().await?["paired"] == true);
                said("its trust and its journal are whole")
            },
        )
        .await?;
    let answer = steps
        .step(
            "it lost the time, and refuses until a phone brings it",
            async {
                let car = story.gateway.car();
                let answer = at_car(&story.short, 0, car, VehicleCommand::Unlock).await?;
                expect_refused(&answer, Refusal::ClockUntrusted)?;
                let refusal = story.short.carry_time(0, car).await?;
                ensure!(refusal.is_none(), "the time was not taken: {refusal:?}");
                Ok(Found(
                    answer,
                    "clock-untrusted, then a signed time is carried".to_owned(),
                ))
            },
        )
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    let answer = steps
        .step("then the extended key opens again", async {
            let car = story.gateway.car();
            let answer = at_car(&story.short, 0, car, VehicleCommand::Unlock).await?;
            expect_done(&answer)?;
            Ok(Found(answer, String::new()))
        })
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    story.done += 1;
    Ok(())
}

async fn revoke_on_foot(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps
        .step("the host revokes that key; the car cannot hear it", async {
            let key = revoke(story, &story.short_key).await?;
            let dead_by = key["dead_by"].as_str().context("no dead_by")?;
            said(format!("dead by {dead_by} at the latest"))
        })
        .await?;
    steps
        .step(
            "another renter's phone carries the statement to the car",
            async {
                story.tomorrow.refresh(0).await?;
                let answers = story.tomorrow.carry(0, story.gateway.car()).await?;
                let taken = answers.contains(&(CarriedKind::Statement, None));
                ensure!(taken, "no statement was taken: {answers:?}");
                said("taken")
            },
        )
        .await?;
    let answer = steps
        .step(
            "the revoked key is refused there, with no network at all",
            async {
                let car = story.gateway.car();
                let answer = at_car(&story.short, 0, car, VehicleCommand::Unlock).await?;
                expect_refused(&answer, Refusal::Revoked)?;
                Ok(Found(answer, "revoked".to_owned()))
            },
        )
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    Ok(())
}

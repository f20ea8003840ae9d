//! The API is gone: phone and car alone.

use anyhow::{Context, bail, ensure};
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::refusal::Refusal;
use tokio::net::TcpStream;

use super::steps::{Failed, Found, Steps, said};
use super::world::{LOOK, at_car, expect_done, expect_refused};
use super::{Story, forgery};
use crate::clock;
use crate::device::phone::{CommandAnswer, Delegation};

/// Walks the part.
pub(super) async fn walk(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps.part("No network: the API is stopped");
    stop_api(steps, story).await?;
    let unlocked = unlock_and_replay(steps, story).await?;
    story.receipts.extend(unlocked.receipt_bytes);
    codriver(steps, story).await?;
    thieves(steps, story).await?;
    extension(steps, story).await
}

async fn stop_api(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    let platform = &mut story.platform;
    steps
        .step("the API is stopped: its port refuses connections", async {
            platform.stop().await;
            match TcpStream::connect(platform.address()).await {
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                    said(format!("{}: {error}", platform.address()))
                }
                Err(error) => Err(error.into()),
                Ok(_) => bail!("somebody still answers"),
            }
        })
        .await
}

async fn unlock_and_replay(steps: &mut Steps, story: &mut Story) -> Result<CommandAnswer, Failed> {
    let (car, renter) = (story.gateway.car(), &story.renter);
    let unlocked = steps
        .step("unlock at the car over its own link", async {
            let answer = at_car(renter, 0, car, VehicleCommand::Unlock).await?;
            expect_done(&answer)?;
            Ok(Found(answer, String::new()))
        })
        .await?;
    story.done += 1;
    let acted = story.gateway.executions();
    steps
        .step(
            "the same bytes again give the same receipt, and the car does not act",
            async {
                let again = renter
                    .hand_over(0, car, unlocked.presentation.clone())
                    .await?;
                ensure!(again.repeated, "not marked as repeated");
                ensure!(
                    again.receipt_bytes == unlocked.receipt_bytes,
                    "another receipt"
                );
                ensure!(story.gateway.executions()? == acted?, "the car acted twice");
                said("repeated")
            },
        )
        .await?;
    let refused = steps
        .step(
            "the same challenge for another command is refused as replayed",
            async {
                let other =
                    forgery::same_challenge(renter, &unlocked.presentation, VehicleCommand::Lock)?;
                let answer = renter.hand_over(0, car, other).await?;
                expect_refused(&answer, Refusal::Replayed)?;
                Ok(Found(answer, "replayed".to_owned()))
            },
        )
        .await?;
    story.receipts.extend(refused.receipt_bytes);
    Ok(unlocked)
}

async fn codriver(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    let (car, renter, codriver) = (story.gateway.car(), &mut story.renter, &mut story.codriver);
    steps
        .step(
            "the renter's phone signs a narrower key for a co-driver",
            async {
                let handover = renter.delegate(
                    0,
                    &Delegation {
                        holder: *codriver.holder_key(),
                        entitlements: Entitlements::UNLOCK | Entitlements::LOCK,
                        from: None,
                        until: Some(clock::now().plus(1_800)),
                        delegations: 0,
                    },
                )?;
                codriver.receive(&handover)?;
                said("unlock and lock for half an hour; nobody was asked")
            },
        )
        .await?;
    let answer = steps
        .step("the co-driver unlocks", async {
            let answer = at_car(codriver, 0, car, VehicleCommand::Unlock).await?;
            expect_done(&answer)?;
            Ok(Found(answer, String::new()))
        })
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    story.done += 1;
    let answer = steps
        .step("the co-driver may not drive", async {
            let answer = at_car(codriver, 0, car, VehicleCommand::EnableDriving).await?;
            expect_refused(&answer, Refusal::NotEntitled)?;
            Ok(Found(answer, "not-entitled".to_owned()))
        })
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    steps
        .step("a key wider than the renter's own is refused", async {
            let wider = forgery::wider(renter, codriver)?;
            let at = codriver.receive_unchecked(&wider)?;
            let answer =
                forgery::present_unchecked(codriver, at, car, VehicleCommand::Unlock).await;
            codriver.forget(at)?;
            expect_refused(&answer?, Refusal::Widened)?;
            said("widened")
        })
        .await
}

async fn thieves(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    let car = story.gateway.car();
    steps
        .step(
            "a copied key without the phone's private key is refused",
            async {
                let answer = forgery::stolen_key(
                    &story.renter,
                    &story.codriver,
                    car,
                    VehicleCommand::Unlock,
                )
                .await?;
                expect_refused(&answer, Refusal::BadSignature)?;
                said("bad-signature")
            },
        )
        .await?;
    steps
        .step("without any proof nothing is even answered", async {
            let noise = car.present(vec![0x80]).await;
            ensure!(noise.is_err(), "the car answered noise with a receipt");
            said("malformed")
        })
        .await
}

/// The old key ends; the extended one, which only the phone knows, opens.
async fn extension(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    let (car, short) = (story.gateway.car(), &mut story.short);
    let ends = story.short_ends;
    let answer = steps
        .step("the short booking ends, and its first key with it", async {
            while clock::now() <= ends {
                tokio::time::sleep(LOOK).await;
            }
            let copy = short
                .keys()
                .len()
                .checked_sub(1)
                .context("the first key was kept")?;
            let answer = at_car(short, copy, car, VehicleCommand::Unlock).await?;
            expect_refused(&answer, Refusal::Expired)?;
            short.forget(copy)?;
            Ok(Found(answer, "expired".to_owned()))
        })
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    let answer = steps
        .step("the extension, carried by the phone alone, opens", async {
            let answer = at_car(short, 0, car, VehicleCommand::Unlock).await?;
            expect_done(&answer)?;
            Ok(Found(answer, String::new()))
        })
        .await?;
    story.receipts.extend(answer.receipt_bytes);
    story.done += 1;
    Ok(())
}

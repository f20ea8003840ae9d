//! The API and the gateway, killed at any moment of a stream of work, again and again.
//!
//! What was acknowledged is there afterwards as it was acknowledged; no command runs twice or without
//! an intent in the journal; a revoked key of which the gateway knows never opens again.
//!
//! `LATCHKEY_KILLS` says how often, `LATCHKEY_KILLS_SEED` repeats the choices of a run.

mod check;
mod client;
mod garbage;
mod ledger;
mod phone;
mod program;
mod random;
mod setting;
mod stage;
mod work;

use std::time::Duration;

use tokio::time::sleep;

use self::random::Random;
use self::setting::Setting;
use self::stage::{Stage, becomes, grows};
use self::work::Lane;

/// Kills in an ordinary run.
const KILLS: u64 = 6;
/// Kills of one car; then the next, because what a statement lists is bounded.
const KILLS_OF_A_CAR: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_runs_twice() {
    let kills = from_environment("LATCHKEY_KILLS").unwrap_or(KILLS);
    let seed = from_environment("LATCHKEY_KILLS_SEED").unwrap_or_else(|| stage::now().0);
    println!("LATCHKEY_KILLS={kills} LATCHKEY_KILLS_SEED={seed}");
    let (mut done, mut car) = (0, 0);
    while done < kills {
        let of_this = KILLS_OF_A_CAR.min(kills - done);
        campaign(seed.wrapping_add(car), of_this).await;
        done += of_this;
        car += 1;
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// One car's life.
async fn campaign(seed: u64, kills: u64) {
    let mut setting = Setting::start().await;
    let stage = setting.stage().await;
    {
        let lane = |number| Lane::new(&stage, seed, number);
        let work = async {
            tokio::join!(
                work::guests(lane(11)),
                work::guests(lane(12)),
                work::bookings(lane(13), 1),
                work::bookings(lane(14), 12),
                work::owner(lane(15)),
                work::thief(lane(16)),
            );
        };
        let killer = async {
            kill(&mut setting, &stage, Random::new(seed, 0), kills).await;
            stage.open.send_replace(false);
        };
        tokio::join!(work, killer);
    }
    check::all(setting, &stage, seed).await;
}

/// Kills, each time after some of the work was acknowledged and a moment more.
async fn kill(setting: &mut Setting, stage: &Stage, mut random: Random, kills: u64) {
    let mut joined = true;
    for _ in 0..kills {
        if joined {
            grows(&stage.acts, 1 + random.below(5)).await;
        }
        grows(&stage.progress, 1 + random.below(16)).await;
        // Which moment of the work it hits is left to chance.
        sleep(Duration::from_micros(random.below(30_000))).await;
        let (api, gateway) = *random.pick(&[
            (true, false),
            (true, false),
            (false, true),
            (false, true),
            (true, true),
        ]);
        setting.kill(stage, api, gateway).await;
        if random.one_in(2) {
            sleep(Duration::from_millis(random.below(400))).await;
        }
        setting.start_again(stage, api, gateway).await;
        stage.ledger().kills += u64::from(api) + u64::from(gateway);
        joined = !random.one_in(4);
        if joined {
            let came = becomes(|| setting.is_joined(stage)).await;
            assert!(came, "the gateway does not come back to the API");
        }
    }
}

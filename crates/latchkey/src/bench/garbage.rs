//! What an attacker makes the gateway pay without a signature: bytes that are no presentation.

use anyhow::ensure;
use keys_core::presentation::Presentation;

use super::rounds::Work;
use super::scene::{Car, Scene};
use super::{VARIETY, name};

/// Noise of the size of a presentation, and every other time a sound one cut short.
pub(super) fn refuse(scene: &Scene) -> anyhow::Result<Work<'static>> {
    let mut noise = noise();
    let spoil = |(number, car): (usize, &Car)| -> Vec<u8> {
        let whole = &car.presentation;
        if number % 2 == 0 {
            whole.iter().map(|_| noise()).collect()
        } else {
            whole[..whole.len() * number / VARIETY].to_vec()
        }
    };
    let all: Vec<Vec<u8>> = scene.cars.iter().enumerate().map(spoil).collect();
    let refuses = move |index: usize| Presentation::parse(&all[index]).is_err();
    ensure!(
        (0..VARIETY).all(&refuses),
        "garbage was taken for a presentation"
    );
    Ok(Work::short(name::GARBAGE, refuses))
}

/// Bytes that look like nothing, the same in every run.
fn noise() -> impl FnMut() -> u8 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    }
}

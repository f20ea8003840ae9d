//! What the check is compared with, and the count of its heap allocations.

mod bare;
mod rivals;

use anyhow::ensure;
use keys_core::decide::Decision;

use super::check::{check, check_cached, filled_cache};
use super::rounds::Work;
use super::scene::Scene;
use super::{VARIETY, name};

/// Bare signatures and keys, and tokens of others.
pub(super) fn works() -> anyhow::Result<Vec<Work<'static>>> {
    let mut works = vec![
        bare::verify(),
        bare::signatures_and_keys(name::BARE_ONE, 1),
        bare::signatures_and_keys(name::BARE_THREE, 3),
    ];
    works.extend(rivals::works()?);
    Ok(works)
}

/// Heap allocations of our own checks: fresh with one and three hops, cached by leaf and by bytes.
pub(super) fn allocations(one: &Scene, three: &Scene) -> anyhow::Result<Option<u64>> {
    let cache = filled_cache(three)?;
    let mut allowed = 0;
    let counted = allocation_counter::measure(|| {
        for car in one.cars.iter().chain(&three.cars) {
            allowed += usize::from(check(car) == Ok(Decision::Allow));
        }
        for car in &three.cars {
            for bytes in [&car.short_presentation, &car.presentation] {
                allowed += usize::from(check_cached(bytes, car, &cache) == Ok(Decision::Allow));
            }
        }
    });
    ensure!(
        allowed == 4 * VARIETY,
        "a check refused while it was counted"
    );
    Ok(Some(counted.count_total))
}

//! Built without the feature `bench`: nothing to compare with, and nobody counts allocations.

use super::rounds::Work;
use super::scene::Scene;

pub(super) fn works() -> anyhow::Result<Vec<Work<'static>>> {
    Ok(Vec::new())
}

pub(super) fn allocations(_one: &Scene, _three: &Scene) -> anyhow::Result<Option<u64>> {
    Ok(None)
}

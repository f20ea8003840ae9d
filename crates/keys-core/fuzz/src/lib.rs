//! Fuzz targets of keys-core. `docs/testing.md` says how they are run.

mod targets;

/// Runs the target of this name. The fuzzing programs are named after their targets.
///
/// # Panics
/// If a law of the target does not hold, which is the finding; or if there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = targets::all().find(|target| target.name == name);
    (target.expect("a program is named after a target").run)(data);
}

//! The operating system's randomness.

use anyhow::anyhow;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the operating system gave no randomness: {error}"))?;
    Ok(bytes)
}

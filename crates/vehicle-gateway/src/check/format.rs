//! Sizes and shape, before anything else.

use keys_core::envelope::sha256;
use keys_core::id::CommandId;
use keys_core::presentation::Presentation;
use keys_core::refusal::Refusal;

/// Parses a presentation of at most 4,096 bytes.
pub(super) fn parse(bytes: &[u8]) -> Result<Presentation<'_>, Refusal> {
    Ok(Presentation::parse(bytes)?)
}

/// What is read of a presentation to find out whether it came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// The command id it claims.
    pub command_id: CommandId,
    /// SHA-256 of all its bytes.
    pub hash: [u8; 32],
}

/// Looks at a presentation without believing it.
///
/// # Errors
/// [`Refusal`] if it does not parse.
pub fn glance(bytes: &[u8]) -> Result<Glance, Refusal> {
    let presentation = parse(bytes)?;
    Ok(Glance {
        command_id: presentation.proof.unverified_body().command_id,
        hash: sha256(bytes),
    })
}

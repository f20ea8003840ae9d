//! Wire structs of pairings.

use keys_core::pairing::{KeyFingerprint, PAIR_MESSAGE_BYTES, PairingCode};

use crate::http::fields::{At, Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::id::PairingId;
use crate::model::invitation::PairingRelay;
use crate::routes::encode::base64url;

/// Body of a gateway's offer.
#[derive(Debug, utoipa::ToSchema)]
pub struct OfferBody {
    /// Public half of the pairing code: 16 symbols of base32.
    #[schema(pattern = "^[A-Z2-7]{16}$")]
    pub fingerprint: String,
    /// A `PairOffer`, base64url.
    #[schema(value_type = String)]
    pub offer: Vec<u8>,
}

impl FromFields for OfferBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                fingerprint: required(fingerprint),
                offer: required(read::bytes(1, PAIR_MESSAGE_BYTES)),
            }
        )
    }
}

fn fingerprint(at: At<'_>) -> Option<String> {
    let parsed = at
        .value()
        .as_str()
        .filter(|text| text.len() <= 64)
        .and_then(|text| text.parse::<KeyFingerprint>().ok());
    match parsed {
        Some(fingerprint) => Some(fingerprint.to_string()),
        None => at.refuse("expected the first 16 symbols of a pairing code"),
    }
}

/// Body of a confirmation.
#[derive(Debug, utoipa::ToSchema)]
pub struct ConfirmBody {
    /// A `PairConfirm`, base64url.
    #[schema(value_type = String)]
    pub confirm: Vec<u8>,
}

impl FromFields for ConfirmBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                confirm: required(read::bytes(1, PAIR_MESSAGE_BYTES)),
            }
        )
    }
}

/// Body of an answer.
#[derive(Debug, utoipa::ToSchema)]
pub struct AnswerBody {
    /// A `PairAnswer`, base64url.
    #[schema(value_type = String)]
    pub answer: Vec<u8>,
}

impl FromFields for AnswerBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                answer: required(read::bytes(1, PAIR_MESSAGE_BYTES)),
            }
        )
    }
}

/// Body that pairs a managed vehicle.
#[derive(Debug, utoipa::ToSchema)]
pub struct PairBody {
    /// The code the car shows: 32 symbols of base32, spaces and hyphens allowed.
    #[schema(value_type = String, min_length = 32, max_length = 64)]
    pub code: PairingCode,
}

impl FromFields for PairBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                code: required(code),
            }
        )
    }
}

fn code(at: At<'_>) -> Option<PairingCode> {
    // Read by hand: the refusal must not repeat what was typed.
    let parsed = at
        .value()
        .as_str()
        .filter(|text| text.len() <= 64)
        .and_then(|text| text.parse().ok());
    parsed.or_else(|| at.refuse("expected the 32 symbols that the car shows"))
}

/// Which offers are wanted.
#[derive(Debug)]
pub struct OffersQuery {
    /// Public half of the code.
    pub fingerprint: String,
}

impl FromFields for OffersQuery {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                fingerprint: required(fingerprint),
            }
        )
    }
}

/// A taken offer.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = PairingOffered)]
pub struct OfferedJson {
    /// Names the pairing.
    pub id: PairingId,
    /// Forgotten after this.
    pub expires_at: Rfc3339,
}

/// An offer that waits for its owner.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = PairingOffer)]
pub struct OfferJson {
    id: PairingId,
    /// A `PairOffer`, base64url.
    offer: String,
    expires_at: Rfc3339,
}

impl From<PairingRelay> for OfferJson {
    fn from(pairing: PairingRelay) -> Self {
        Self {
            id: pairing.id,
            offer: base64url(&pairing.offer),
            expires_at: pairing.expires_at.into(),
        }
    }
}

/// Offers under one fingerprint, newest first.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = PairingOffers)]
pub struct OffersJson {
    /// At most eight.
    pub data: Vec<OfferJson>,
}

/// A confirmation.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = PairingConfirm)]
pub struct ConfirmJson {
    /// A `PairConfirm`, base64url.
    pub confirm: String,
}

/// An answer.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = PairingAnswer)]
pub struct AnswerJson {
    /// A `PairAnswer`, base64url.
    pub answer: String,
}

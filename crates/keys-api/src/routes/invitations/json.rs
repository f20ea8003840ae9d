//! Wire structs of invitations.

use keys_core::signature::VerifyingKey;

use crate::http::fields::{Fields, FromFields};
use crate::http::read;
use crate::http::time::Rfc3339;
use crate::model::id::{InvitationId, KeyId};
use crate::model::invitation::InvitationState;
use crate::model::key::KeyState;
use crate::routes::keys::json::KeyJson;
use crate::secret::Secret;

/// Body that makes an invitation.
#[derive(Debug, utoipa::ToSchema)]
pub struct CreateInvitation {
    /// Whether a code from another channel is asked for; by default when the key may drive.
    pub activation_code: Option<bool>,
}

impl FromFields for CreateInvitation {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                activation_code: optional(read::boolean),
            }
        )
    }
}

/// An invitation with what is shown once.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationJson {
    /// Its id.
    pub id: InvitationId,
    /// The key it offers.
    pub key_id: KeyId,
    /// The link to send: the secret stands in the fragment and reaches no server by itself.
    pub url: String,
    /// The secret in the link.
    pub secret: String,
    /// To be sent over another channel.
    pub activation_code: Option<String>,
    /// Not redeemable from here on.
    pub expires_at: Rfc3339,
}

/// Body that looks at an invitation.
#[derive(Debug, utoipa::ToSchema)]
pub struct LookBody {
    /// From the link's fragment.
    #[schema(value_type = String)]
    pub secret: Secret,
}

impl FromFields for LookBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                secret: required(read::secret(1, 128)),
            }
        )
    }
}

/// What somebody with the link may see before redeeming: nothing about the place.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = InvitationLook)]
pub struct LookJson {
    /// Where the invitation is in its life.
    pub state: InvitationState,
    /// Where its key is.
    pub key_state: KeyState,
    /// What is offered.
    pub vehicle: OfferedVehicle,
    /// First second inside the window.
    pub valid_from: Rfc3339,
    /// First second outside.
    pub valid_until: Rfc3339,
    /// What the key allows.
    pub entitlements: Vec<&'static str>,
    /// Whether redeeming asks for a code.
    pub needs_activation_code: bool,
    /// How often the code may still be tried.
    pub tries_left: u8,
}

/// A vehicle as its offer shows it.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct OfferedVehicle {
    /// As the host calls it.
    pub name: String,
    /// Maker.
    pub brand: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// IANA zone of its windows.
    pub time_zone: String,
}

/// Body that redeems an invitation.
#[derive(Debug, utoipa::ToSchema)]
pub struct RedeemBody {
    /// From the link's fragment.
    #[schema(value_type = String)]
    pub secret: Secret,
    /// From the other channel.
    #[schema(value_type = Option<String>)]
    pub activation_code: Option<Secret>,
    /// Ed25519 public key the phone just made, base64url. The private half never leaves it.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{43}$")]
    pub holder_key: VerifyingKey,
    /// What the phone calls itself; the host is told.
    #[schema(min_length = 1, max_length = 80)]
    pub device_name: Option<String>,
}

impl FromFields for RedeemBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                secret: required(read::secret(1, 128)),
                activation_code: optional(read::secret(1, 32)),
                holder_key: required(read::verifying_key),
                device_name: optional(read::text(1, 80)),
            }
        )
    }
}

/// A redeemed key with what is shown once.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Redeemed)]
pub struct RedeemedJson {
    /// The key; `chain` is there once it is signed.
    pub key: KeyJson,
    /// Holder session: views and relays for this key. It opens no car.
    pub holder_token: String,
    /// With the link it suspends the key from any browser, if the phone is lost.
    pub recovery_code: String,
}

/// Body of a lost phone's report.
#[derive(Debug, utoipa::ToSchema)]
pub struct LostBody {
    /// From the link's fragment.
    #[schema(value_type = String)]
    pub secret: Secret,
    /// Shown once at redeeming.
    #[schema(value_type = String)]
    pub recovery_code: Secret,
}

impl FromFields for LostBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        crate::read_fields!(
            fields,
            Self {
                secret: required(read::secret(1, 128)),
                recovery_code: required(read::secret(1, 128)),
            }
        )
    }
}

/// What a lost phone's report did.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Lost)]
pub struct LostJson {
    /// The key's state now.
    pub state: KeyState,
    /// When it opens nothing any more, whatever anybody carries.
    pub dead_by: Option<Rfc3339>,
}

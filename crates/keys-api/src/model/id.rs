//! Row ids: a prefix that says what the id names, and a UUIDv7.
//!
//! The text form is what the API shows and what tables store; parsing accepts nothing else.

use uuid::Uuid;

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}` and a UUID")]
pub struct IdError {
    prefix: &'static str,
}

/// What all row ids have in common.
pub trait RowId: From<Uuid> + Copy {
    /// What the text form begins with.
    const PREFIX: &'static str;
}

macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sea_orm::DeriveValueType)]
        #[sea_orm(value_type = "String")]
        pub struct $name(Uuid);

        impl RowId for $name {
            const PREFIX: &'static str = $prefix;
        }

        impl $name {
            /// The bare UUID.
            #[must_use]
            pub fn uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        // Demanded of primary keys; only databases that count ids call it.
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.as_hyphenated())
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = IdError { prefix: $prefix };
                let rest = text.strip_prefix($prefix).ok_or(wrong.clone())?;
                let id = Self(Uuid::try_parse(rest).map_err(|_| wrong.clone())?);
                // One id has one spelling: upper case and other UUID forms are refused.
                if id.to_string() == text { Ok(id) } else { Err(wrong) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")))
                    .examples([concat!($prefix, "01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e")])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

row_ids! {
    /// An account.
    AccountId = "acc_";
    /// An API token.
    ApiTokenId = "tok_";
    /// A client application.
    ClientAppId = "app_";
    /// A relayed command.
    CommandRowId = "cmd_";
    /// An event in the outbox.
    EventId = "evt_";
    /// A holder session.
    HolderSessionId = "hse_";
    /// An invitation.
    InvitationId = "inv_";
    /// A digital key, as the API knows it.
    KeyId = "key_";
    /// A mandate, as the API knows it.
    MandateId = "man_";
    /// A pairing under way.
    PairingId = "pair_";
    /// A receipt.
    ReceiptId = "rcpt_";
    /// A request; on every answer.
    RequestId = "req_";
    /// An account session.
    SessionId = "ses_";
    /// A signing key in the key store.
    SigningKeyId = "sgk_";
    /// A vehicle.
    VehicleId = "veh_";
}

impl VehicleId {
    /// The same vehicle in the words of the key format.
    #[must_use]
    pub fn core(&self) -> keys_core::id::VehicleId {
        keys_core::id::VehicleId::from_uuid(self.0)
    }
}

impl From<keys_core::id::VehicleId> for VehicleId {
    fn from(id: keys_core::id::VehicleId) -> Self {
        Self(id.uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "veh_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e";
        assert_eq!(text.parse::<VehicleId>().unwrap().to_string(), text);
        for wrong in [
            "",
            "veh_",
            "key_01939f5e-7c1a-7b2c-8d3e-4f5a6b7c8d9e",
            &text.to_uppercase(),
            &text[..30],
        ] {
            assert!(wrong.parse::<VehicleId>().is_err(), "{wrong}");
        }
        assert!(
            "veh_01939F5E-7c1a-7b2c-8d3e-4f5a6b7c8d9e"
                .parse::<VehicleId>()
                .is_err()
        );
        assert!(
            "veh_01939f5e7c1a7b2c8d3e4f5a6b7c8d9e"
                .parse::<VehicleId>()
                .is_err()
        );
    }
}

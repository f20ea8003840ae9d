//! A key to one car, as a phone keeps it, and what the phone checks with it.

use anyhow::{Context, anyhow, bail};
use data_encoding::BASE64URL_NOPAD;
use keys_core::anchors::AnchorStore;
use keys_core::bundle::Bundle;
use keys_core::chain::DigitalKey;
use keys_core::challenge::Challenge;
use keys_core::envelope::{NO_REST, Unverified, Verified};
use keys_core::id::CommandId;
use keys_core::key::UnverifiedKey;
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::api::Api;

/// A key to one car, as the phone keeps it; bytes are base64url.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct HeldKey {
    /// The API's id, if the key came from there.
    pub(crate) id: Option<String>,
    /// What the car is called.
    pub(crate) car: String,
    pub(super) api: Option<String>,
    pub(super) token: Option<String>,
    pub(super) chain: Option<String>,
    pub(super) bundle: Option<String>,
    pub(super) carry: Vec<String>,
    /// Delegated links that were not reported yet.
    #[serde(default)]
    pub(super) unreported: Vec<String>,
}

/// A key handed to somebody: what a co-driver's phone needs to use it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Handover {
    pub(super) car: String,
    pub(super) chain: String,
    pub(super) bundle: String,
    pub(super) carry: Vec<String>,
}

impl Handover {
    pub(super) fn to_held(&self) -> HeldKey {
        HeldKey {
            car: self.car.clone(),
            chain: Some(self.chain.clone()),
            bundle: Some(self.bundle.clone()),
            carry: self.carry.clone(),
            ..HeldKey::default()
        }
    }
}

impl HeldKey {
    /// The API, as this key's holder.
    pub(super) fn api(&self) -> anyhow::Result<Api> {
        let origin = self.api.as_deref().context(
            "this key was handed over and knows no API; use --via with the car's address",
        )?;
        Ok(Api::new(origin, self.token.as_deref())?)
    }

    /// Bytes as the phone keeps them.
    pub(super) fn decode(text: Option<&str>, what: &str) -> anyhow::Result<Vec<u8>> {
        let text = text.with_context(|| format!("this key has no {what} yet; the host may still have to sign: `latchkey phone refresh`"))?;
        BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()
            .with_context(|| format!("the {what} is not base64url"))
    }

    /// The whole key.
    pub(crate) fn chain(&self) -> anyhow::Result<Vec<u8>> {
        Self::decode(self.chain.as_deref(), "signed key")
    }

    /// What the phone carries, encoded.
    pub(super) fn carry_objects(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        self.carry
            .iter()
            .map(|text| Self::decode(Some(text), "carried object"))
            .collect()
    }

    /// The car's bundle, signed by an owner key it names.
    pub(crate) fn bundle(&self) -> anyhow::Result<Bundle> {
        let bytes = Self::decode(self.bundle.as_deref(), "trust bundle")?;
        let bundle = Unverified::<Bundle>::decode(&bytes).context("the car's bundle")?;
        let owner_keys = bundle.unverified_body().owner_keys.clone();
        let bundle = bundle
            .verify_any(&owner_keys, NO_REST)
            .map_err(|refusal| anyhow!("the car's bundle: {refusal}"))?;
        Ok(bundle.into_body())
    }

    /// The key, every signature checked from the owner down.
    pub(crate) fn verified(&self) -> anyhow::Result<DigitalKey> {
        let (bundle, chain) = (self.bundle()?, self.chain()?);
        UnverifiedKey::parse(&chain)
            .map_err(Refusal::from)
            .and_then(|key| key.verify(bundle.vehicle, &bundle.roots(), &AnchorStore::default()))
            .map_err(|refusal| anyhow!("the key does not hold: {refusal}"))
    }

    /// A challenge of this car's gateway that answers this phone.
    pub(super) fn check_challenge(
        &self,
        bytes: &[u8],
        nonce: &[u8; 16],
    ) -> anyhow::Result<Challenge> {
        let bundle = self.bundle()?;
        let challenge = Unverified::<Challenge>::decode(bytes)
            .context("the challenge")?
            .verify(&bundle.gateway_key, NO_REST)
            .map_err(|_| anyhow!("that is not the car this key is for: its challenge is signed by another gateway"))?
            .into_body();
        if challenge.vehicle != bundle.vehicle {
            bail!("the challenge is for another car");
        }
        if challenge.phone_nonce.is_some_and(|echo| echo != *nonce) {
            bail!("the challenge answers another phone");
        }
        Ok(challenge)
    }

    /// A receipt of this car's gateway.
    pub(super) fn receipt_of(&self, bytes: &[u8]) -> anyhow::Result<Verified<Receipt>> {
        let gateway_key = self.bundle()?.gateway_key;
        Unverified::<Receipt>::decode(bytes)
            .context("the receipt")?
            .verify(&gateway_key, NO_REST)
            .map_err(|refusal| anyhow!("the receipt is not this car's: {refusal}"))
    }

    /// A receipt of this car's gateway for one command.
    pub(super) fn check_receipt(
        &self,
        bytes: &[u8],
        command_id: CommandId,
    ) -> anyhow::Result<Verified<Receipt>> {
        let receipt = self.receipt_of(bytes)?;
        if receipt.body().command_id != command_id {
            bail!("the receipt is for another command");
        }
        Ok(receipt)
    }
}

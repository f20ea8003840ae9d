//! The renter's phone: holds the holder key and keys to cars, signs commands and hands on narrower
//! keys.
//!
//! What comes from the API is checked against the car's bundle before anything is signed: the key's
//! own chain, and that a challenge is this car's.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use data_encoding::HEXLOWER;
use keys_core::bundle::Bundle;
use keys_core::carried::{Carried, CarriedKind};
use keys_core::challenge::Seqs;
use keys_core::command::VehicleCommand;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{Unverified, Verified, sha256};
use keys_core::id::CommandId;
use keys_core::key::{UnverifiedKey, append_link};
use keys_core::limits;
use keys_core::link::{Claims, sign_link};
use keys_core::policy::{Policy, Presence};
use keys_core::presentation::encode_presentation;
use keys_core::proof::{Proof, sign_proof};
use keys_core::receipt::Receipt;
use keys_core::refusal::Refusal;
use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use keys_core::statement::Statement;
use keys_core::time::{Timestamp, Validity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{self, Api, ApiError, base64url};
use super::car::{Car, CarError};
use super::held_key::{Handover, HeldKey};
use super::{file, random};

/// A phone and the file it lives in.
#[derive(Debug)]
pub(crate) struct Phone {
    path: PathBuf,
    signing_key: SigningKey,
    keys: Vec<HeldKey>,
}

#[derive(Serialize, Deserialize)]
struct PhoneFile {
    holder_seed: String,
    keys: Vec<HeldKey>,
}

/// An invitation link, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvitationLink {
    /// Origin of the API.
    pub(crate) origin: String,
    /// `inv_…`
    pub(crate) id: String,
    secret: String,
}

impl std::str::FromStr for InvitationLink {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = || {
            let (address, secret) = text.split_once('#')?;
            let (origin, id) = address.split_once("/k/")?;
            let whole = origin.starts_with("http") && id.starts_with("inv_") && !secret.is_empty();
            whole.then(|| Self {
                origin: origin.to_owned(),
                id: id.to_owned(),
                secret: secret.to_owned(),
            })
        };
        parts().ok_or_else(|| {
            "expected the whole link, https://…/k/inv_…#secret; in a shell, put it in quotes"
                .to_owned()
        })
    }
}

/// What became of a command.
#[derive(Debug, Clone)]
pub(crate) struct CommandAnswer {
    /// `done`, `declined`, `unknown`, `refused`, or how far it is.
    pub(crate) state: String,
    /// Why it was refused or is lock-only.
    pub(crate) reasons: Vec<Refusal>,
    /// The gateway's receipt, verified.
    pub(crate) receipt: Option<Verified<Receipt>>,
    /// Its bytes.
    pub(crate) receipt_bytes: Option<Vec<u8>>,
    /// Whether the receipt is that of an earlier, equal presentation.
    pub(crate) repeated: bool,
    /// What was presented.
    pub(crate) presentation: Vec<u8>,
}

impl CommandAnswer {
    /// Whether the car did it.
    pub(crate) fn is_done(&self) -> bool {
        self.state == "done"
    }
}

/// What a delegate shall have.
#[derive(Debug, Clone)]
pub(crate) struct Delegation {
    /// The delegate's public holder key.
    pub(crate) holder: VerifyingKey,
    /// What they may do.
    pub(crate) entitlements: Entitlements,
    /// From when; the key's own start if it is later.
    pub(crate) from: Option<Timestamp>,
    /// Until when; the key's own end if nothing is said.
    pub(crate) until: Option<Timestamp>,
    /// How often it may be handed on.
    pub(crate) delegations: u8,
}

impl Phone {
    /// Makes a phone with a new holder key.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let phone = Self {
            path: path.to_owned(),
            signing_key: SigningKey::from_seed(&random::bytes()?),
            keys: Vec::new(),
        };
        file::create(path, &phone.to_file())?;
        Ok(phone)
    }

    /// Opens a phone's file.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let content: PhoneFile = file::read(path, "latchkey phone init")?;
        let seed: [u8; 32] = HEXLOWER
            .decode(content.holder_seed.as_bytes())
            .ok()
            .and_then(|seed| seed.try_into().ok())
            .with_context(|| format!("`{}` holder_seed: expected 64 hex digits", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            signing_key: SigningKey::from_seed(&seed),
            keys: content.keys,
        })
    }

    fn to_file(&self) -> PhoneFile {
        PhoneFile {
            holder_seed: HEXLOWER.encode(&*self.signing_key.to_seed()),
            keys: self.keys.clone(),
        }
    }

    fn save(&self) -> anyhow::Result<()> {
        file::replace(&self.path, &self.to_file())
    }

    /// The public holder key.
    pub(crate) fn holder_key(&self) -> &VerifyingKey {
        self.signing_key.verifying_key()
    }

    /// The private half, for whoever plays a thief.
    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.signing_key
    }

    /// The keys held.
    pub(crate) fn keys(&self) -> &[HeldKey] {
        &self.keys
    }

    /// Number of the key with this id or car name; the only one if nothing is said.
    pub(crate) fn find(&self, name: Option<&str>) -> anyhow::Result<usize> {
        let fits = |key: &HeldKey| {
            name.is_none_or(|name| key.id.as_deref() == Some(name) || key.car == name)
        };
        let mut found = (0..self.keys.len()).filter(|at| fits(&self.keys[*at]));
        match (found.next(), found.next(), name) {
            (Some(at), None, _) => Ok(at),
            (None, _, None) => bail!("this phone holds no key; `latchkey phone redeem` gets one"),
            (None, _, Some(name)) => {
                bail!("this phone holds no key `{name}`; see `latchkey phone list`")
            }
            (Some(_), Some(_), _) => {
                bail!("this phone holds several keys; name one of `latchkey phone list`")
            }
        }
    }

    /// Redeems an invitation: the key is bound to this phone from then on. Gives the key's number
    /// and the recovery code, which is shown once.
    pub(crate) async fn redeem(
        &mut self,
        link: &InvitationLink,
        activation_code: Option<&str>,
        device_name: &str,
    ) -> anyhow::Result<(usize, String)> {
        let mut body = json!({
            "secret": link.secret,
            "holder_key": base64url(self.holder_key().as_bytes()),
            "device_name": device_name,
        });
        if let Some(code) = activation_code {
            body["activation_code"] = json!(code);
        }
        let path = format!("/v1/invitations/{}/redeem", link.id);
        let answer = Api::new(&link.origin, None)?.post(&path, &body).await?;
        self.keys.push(HeldKey {
            id: answer["key"]["id"].as_str().map(str::to_owned),
            api: Some(link.origin.clone()),
            token: Some(api::text(&answer, "holder_token")?.to_owned()),
            ..HeldKey::default()
        });
        let at = self.keys.len() - 1;
        // The token exists once: it is kept before anything else can fail.
        self.save()?;
        self.refresh(at).await?;
        Ok((at, api::text(&answer, "recovery_code")?.to_owned()))
    }

    /// Fetches the key as it is now, and what the phone shall carry to the car.
    pub(crate) async fn refresh(&mut self, at: usize) -> anyhow::Result<()> {
        let answer = self.keys[at].api()?.get("/v1/holder/key").await?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let held = &mut self.keys[at];
        if let Some(chain) = text(&answer["key"]["chain"]) {
            held.chain = Some(chain);
        }
        if let Some(bundle) = text(&answer["bundle"]) {
            held.bundle = Some(bundle);
        }
        held.car = text(&answer["vehicle"]["name"]).unwrap_or_default();
        held.carry = answer["carry"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| text(&item["carried"]))
            .collect();
        self.report_delegations(at).await?;
        self.save()
    }

    async fn report_delegations(&mut self, at: usize) -> anyhow::Result<()> {
        let api = self.keys[at].api()?;
        while let Some(link) = self.keys[at].unreported.first() {
            match api
                .post("/v1/holder/delegations", &json!({ "link": link }))
                .await
            {
                // Refused for good: reporting it again would change nothing.
                Ok(_) | Err(ApiError::Problem(_)) => self.keys[at].unreported.remove(0),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(())
    }

    /// Takes a key that somebody handed over.
    pub(crate) fn receive(&mut self, handover: &Handover) -> anyhow::Result<usize> {
        let held = handover.to_held();
        let key = held.verified()?;
        if key.holder() != self.holder_key() {
            bail!("that key is for another phone: its holder key is not this phone's");
        }
        self.keys.push(held);
        self.save()?;
        Ok(self.keys.len() - 1)
    }

    /// Takes a key without looking at it, as a thief's phone would.
    pub(crate) fn receive_unchecked(&mut self, handover: &Handover) -> anyhow::Result<usize> {
        self.keys.push(handover.to_held());
        self.save()?;
        Ok(self.keys.len() - 1)
    }

    /// Keeps a key as it is now beside what it becomes.
    pub(crate) fn keep_copy(&mut self, at: usize) -> anyhow::Result<usize> {
        self.keys.push(self.keys[at].clone());
        self.save()?;
        Ok(self.keys.len() - 1)
    }

    /// Forgets a key.
    pub(crate) fn forget(&mut self, at: usize) -> anyhow::Result<()> {
        self.keys.remove(at);
        self.save()
    }

    /// Signs a narrower key for a delegate. Needs no network; it is reported at the next refresh.
    pub(crate) fn delegate(&mut self, at: usize, wish: &Delegation) -> anyhow::Result<Handover> {
        let key = self.keys[at].verified()?;
        let own = key.effective().validity();
        let validity = Validity {
            from: wish.from.unwrap_or(own.from).max(own.from),
            until: wish.until.unwrap_or(own.until),
        };
        let mut policy = Policy::of(wish.entitlements);
        policy.delegations = wish.delegations;
        let claims = Claims {
            vehicle: None,
            validity,
            grant_id: None,
            holder: *wish.holder.as_bytes(),
            policy,
            booking_hash: None,
        };
        if validity.until <= validity.from {
            bail!("the delegate's window would end before it begins");
        }
        key.effective()
            .attenuate(&claims)
            .map_err(|refusal| anyhow!("{refusal}: a delegate's key must be narrower than your own; see `latchkey phone list`"))?;
        let handover = self.sign_delegation(at, &claims)?;
        let whole = HeldKey::decode(Some(&handover.chain), "delegated key")?;
        if let Some(link) = UnverifiedKey::parse(&whole)?.envelopes().last() {
            self.keys[at].unreported.push(base64url(link.bytes()));
        }
        self.save()?;
        Ok(handover)
    }

    /// Signs whatever is asked, wider or not; a car refuses what is wider.
    pub(crate) fn sign_delegation(&self, at: usize, claims: &Claims) -> anyhow::Result<Handover> {
        let held = &self.keys[at];
        let (chain, key) = (held.chain()?, held.verified()?);
        let link = sign_link(claims, &self.signing_key, Some(&key.leaf()))?;
        Ok(Handover {
            car: held.car.clone(),
            chain: base64url(&append_link(&chain, &link.bytes)?),
            bundle: held.bundle.clone().unwrap_or_default(),
            carry: held.carry.clone(),
        })
    }

    /// Sends a command through the API; the car decides.
    pub(crate) async fn command_online(
        &self,
        at: usize,
        command: VehicleCommand,
        now: Timestamp,
    ) -> anyhow::Result<CommandAnswer> {
        let held = &self.keys[at];
        let api = held.api()?;
        let nonce: [u8; 16] = random::bytes()?;
        let answer = api
            .post(
                "/v1/holder/challenges",
                &json!({ "phone_nonce": base64url(&nonce) }),
            )
            .await?;
        let challenge = api::bytes(&answer, "challenge")?;
        let (presentation, id) = self.present(at, &challenge, &nonce, command, now)?;
        let body = json!({ "presentation": base64url(&presentation) });
        let answer = api.post("/v1/holder/commands?wait=25", &body).await?;
        let receipt_bytes = match answer["receipt"].as_str() {
            Some(_) => Some(api::bytes(&answer, "receipt")?),
            None => None,
        };
        let receipt = receipt_bytes
            .as_deref()
            .map(|bytes| held.check_receipt(bytes, id))
            .transpose()?;
        Ok(CommandAnswer {
            state: api::text(&answer, "state")?.to_owned(),
            reasons: api::reasons(&answer),
            receipt,
            receipt_bytes,
            repeated: false,
            presentation,
        })
    }

    /// Sends a command to the car itself, after carrying to it what it lacks. No server is needed.
    pub(crate) async fn command_at(
        &self,
        at: usize,
        car: &Car,
        command: VehicleCommand,
        now: Timestamp,
    ) -> anyhow::Result<CommandAnswer> {
        let nonce: [u8; 16] = random::bytes()?;
        let challenge = car.challenge(&nonce).await?;
        let seqs = self.keys[at].check_challenge(&challenge, &nonce)?.seqs;
        self.carry_newer(at, car, seqs).await?;
        let (presentation, _) = self.present(at, &challenge, &nonce, command, now)?;
        self.hand_over(at, car, presentation).await
    }

    /// Hands a finished presentation to a car and checks the receipt.
    pub(crate) async fn hand_over(
        &self,
        at: usize,
        car: &Car,
        presentation: Vec<u8>,
    ) -> anyhow::Result<CommandAnswer> {
        let refused = |refusal| CommandAnswer {
            state: "refused".to_owned(),
            reasons: vec![refusal],
            receipt: None,
            receipt_bytes: None,
            repeated: false,
            presentation: presentation.clone(),
        };
        let answer = match car.present(presentation.clone()).await {
            Err(CarError::Refused(refusal)) => return Ok(refused(refusal)),
            answer => answer?,
        };
        let hash = sha256(&presentation);
        let receipt = self.keys[at].receipt_of(&answer.receipt)?;
        if receipt.body().presentation != hash
            && !receipt.body().reasons.contains(Refusal::Replayed)
        {
            bail!("the receipt is for another presentation");
        }
        Ok(CommandAnswer {
            state: state_of(receipt.body()).to_owned(),
            reasons: receipt.body().reasons.iter().collect(),
            receipt: Some(receipt),
            receipt_bytes: Some(answer.receipt),
            repeated: answer.repeated,
            presentation,
        })
    }

    /// Signs a command over a challenge that was checked to be this car's.
    pub(crate) fn present(
        &self,
        at: usize,
        challenge: &[u8],
        nonce: &[u8; 16],
        command: VehicleCommand,
        now: Timestamp,
    ) -> anyhow::Result<(Vec<u8>, CommandId)> {
        let held = &self.keys[at];
        held.check_challenge(challenge, nonce)?;
        let key = held.verified()?;
        if key.holder() != self.holder_key() {
            bail!("that key is for another phone: its holder key is not this phone's");
        }
        let proof = Proof {
            command,
            phone_time: now,
            share: None,
            parameters: None,
            presence: Presence::Tap,
            command_id: CommandId(random::bytes()?),
            not_after: now.plus(limits::COMMAND_LIFE_S),
            position: None,
        };
        let sealed = sign_proof(&proof, &self.signing_key, challenge, &key.leaf())?;
        let presentation = encode_presentation(challenge, &held.chain()?, &sealed.bytes);
        Ok((presentation, proof.command_id))
    }

    /// Carries everything to the car that it may lack; what each object was answered.
    pub(crate) async fn carry(
        &self,
        at: usize,
        car: &Car,
    ) -> anyhow::Result<Vec<(CarriedKind, Option<Refusal>)>> {
        self.carry_newer(at, car, Seqs::default()).await
    }

    /// Fetches a time attestation for the car's challenge and carries it, so that a car that lost
    /// its clock knows the time again.
    pub(crate) async fn carry_time(&self, at: usize, car: &Car) -> anyhow::Result<Option<Refusal>> {
        let challenge = car.challenge(&random::bytes()?).await?;
        let body = json!({ "challenge": base64url(&challenge) });
        let answer = self.keys[at].api()?.post("/v1/holder/time", &body).await?;
        Ok(car.carry_encoded(api::bytes(&answer, "carried")?).await?)
    }

    async fn carry_newer(
        &self,
        at: usize,
        car: &Car,
        seqs: Seqs,
    ) -> anyhow::Result<Vec<(CarriedKind, Option<Refusal>)>> {
        let objects = self.keys[at].carry_objects()?;
        let mut answers = Vec::new();
        let newer: Vec<bool> = objects
            .iter()
            .map(|bytes| Ok(is_newer(&Carried::parse(bytes)?, seqs)))
            .collect::<anyhow::Result<_>>()?;
        if !newer.contains(&true) {
            return Ok(answers);
        }
        for (bytes, newer) in objects.iter().zip(newer) {
            let carried = Carried::parse(bytes)?;
            // Statements below a platform need its anchors, which have no number of their own.
            if newer || carried.kind == CarriedKind::Anchor {
                answers.push((carried.kind, car.carry(&carried).await?));
            }
        }
        Ok(answers)
    }
}

fn state_of(receipt: &Receipt) -> &'static str {
    match receipt.outcome {
        _ if !receipt.allowed => "refused",
        Some(outcome) => outcome.as_str(),
        None => "sent",
    }
}

/// Whether a car that holds `seqs` lacks an object that has a number.
fn is_newer(carried: &Carried<'_>, seqs: Seqs) -> bool {
    match carried.kind {
        CarriedKind::Bundle => Unverified::<Bundle>::decode(carried.object)
            .is_ok_and(|bundle| bundle.unverified_body().seq > seqs.bundle),
        CarriedKind::Statement => {
            Unverified::<Statement>::decode(carried.object).is_ok_and(|statement| {
                let body = statement.unverified_body();
                let held = if body.expires_at.is_some() {
                    seqs.platform
                } else {
                    seqs.owner
                };
                body.seq > held
            })
        }
        _ => false,
    }
}

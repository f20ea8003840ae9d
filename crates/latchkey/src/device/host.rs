//! The host's device: holds the owner key, so that no platform has it.
//!
//! It pairs cars over the API's relay, which sees opaque bytes only, and signs what only an owner
//! may sign: the bundle, a mandate, keys and statements. What the API asks it to sign is read and
//! checked first; nothing is signed blindly.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use keys_core::bundle::Bundle;
use keys_core::codec::Reader;
use keys_core::entitlement::Entitlements;
use keys_core::envelope::{Body, NO_REST, Sealed, Unverified, seal};
use keys_core::id::VehicleId;
use keys_core::link::{Claims, sign_link};
use keys_core::pairing::{PairAnswer, PairOffer, PairingCode, check_answer, owner_confirm};
use keys_core::policy::{NO_OUTAGE_LIMIT, Policy};
use keys_core::signature::{Signer, SigningKey, VerifyingKey};
use keys_core::statement::Statement;
use keys_core::time::{Timestamp, Validity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{self, Api, base64url};
use super::{file, random};
use crate::input;

/// Days a mandate lasts if nothing is said, as the pages propose.
pub(crate) const MANDATE_DAYS: u64 = 90;

/// A host's device and the file it lives in.
#[derive(Debug)]
pub(crate) struct Host {
    path: PathBuf,
    owner_key: SigningKey,
    account: Option<Account>,
    cars: Vec<HostCar>,
}

#[derive(Serialize, Deserialize)]
struct HostFile {
    owner_seed: String,
    account: Option<Account>,
    cars: Vec<HostCar>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Account {
    api: String,
    token: String,
}

/// A car as its host's device knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HostCar {
    /// `veh_…`
    pub(crate) id: String,
    /// What the host calls it.
    pub(crate) name: String,
    /// The bundle it was paired with, base64url.
    pub(crate) bundle: Option<String>,
    /// Number of the newest statement signed here.
    #[serde(default)]
    statement_seq: u64,
}

/// Limits of a mandate.
#[derive(Debug, Clone)]
pub(crate) struct MandateWish {
    /// What the platform may hand on.
    pub(crate) entitlements: Entitlements,
    /// Longest key, seconds.
    pub(crate) max_window_s: u64,
    /// Greatest statement age before a trip began, seconds.
    pub(crate) outage_limit_s: u32,
    /// Days from now.
    pub(crate) days: u64,
}

impl Host {
    /// Makes a device with a new owner key.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let host = Self {
            path: path.to_owned(),
            owner_key: SigningKey::from_seed(&random::bytes()?),
            account: None,
            cars: Vec::new(),
        };
        file::create(path, &host.to_file())?;
        Ok(host)
    }

    /// Opens a device's file.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let content: HostFile = file::read(path, "latchkey host init")?;
        let seed: [u8; 32] = HEXLOWER
            .decode(content.owner_seed.as_bytes())
            .ok()
            .and_then(|seed| seed.try_into().ok())
            .with_context(|| format!("`{}` owner_seed: expected 64 hex digits", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            owner_key: SigningKey::from_seed(&seed),
            account: content.account,
            cars: content.cars,
        })
    }

    fn to_file(&self) -> HostFile {
        HostFile {
            owner_seed: HEXLOWER.encode(&*self.owner_key.to_seed()),
            account: self.account.clone(),
            cars: self.cars.clone(),
        }
    }

    fn save(&self) -> anyhow::Result<()> {
        file::replace(&self.path, &self.to_file())
    }

    /// The public owner key.
    pub(crate) fn owner_key(&self) -> &VerifyingKey {
        self.owner_key.verifying_key()
    }

    /// The cars.
    pub(crate) fn cars(&self) -> &[HostCar] {
        &self.cars
    }

    /// The car with this id or name; the only one if nothing is said.
    pub(crate) fn find(&self, name: Option<&str>) -> anyhow::Result<usize> {
        let fits = |car: &HostCar| name.is_none_or(|name| car.id == name || car.name == name);
        let mut found = (0..self.cars.len()).filter(|at| fits(&self.cars[*at]));
        match (found.next(), found.next(), name) {
            (Some(at), None, _) => Ok(at),
            (None, _, None) => bail!("there is no car yet; `latchkey host add-car` adds one"),
            (None, _, Some(name)) => bail!("there is no car `{name}`; see `latchkey host show`"),
            (Some(_), Some(_), _) => {
                bail!("there are several cars; name one of `latchkey host show`")
            }
        }
    }

    /// Signs up, or in, and keeps the session.
    pub(crate) async fn sign_in(
        &mut self,
        origin: &str,
        email: &str,
        password: &str,
        new_account: bool,
    ) -> anyhow::Result<()> {
        let path = if new_account {
            "/v1/accounts"
        } else {
            "/v1/sessions"
        };
        let body = json!({ "email": email, "password": password });
        let answer = Api::new(origin, None)?.post(path, &body).await?;
        self.use_session(origin, api::text(&answer, "token")?)
    }

    /// Keeps a session that exists already.
    pub(crate) fn use_session(&mut self, origin: &str, token: &str) -> anyhow::Result<()> {
        self.account = Some(Account {
            api: origin.to_owned(),
            token: token.to_owned(),
        });
        self.save()
    }

    /// The API, as this host.
    pub(crate) fn api(&self) -> anyhow::Result<Api> {
        let account = self
            .account
            .as_ref()
            .context("this device is not signed in; `latchkey host sign-in` does it")?;
        Ok(Api::new(&account.api, Some(&account.token))?)
    }

    /// Registers a car whose owner key stays on this device.
    pub(crate) async fn add_car(&mut self, details: &Value) -> anyhow::Result<usize> {
        let mut body = details.clone();
        body["owner_key"] = json!(base64url(self.owner_key().as_bytes()));
        let answer = self.api()?.post("/v1/vehicles", &body).await?;
        self.cars.push(HostCar {
            id: api::text(&answer, "id")?.to_owned(),
            name: api::text(&answer, "name")?.to_owned(),
            bundle: None,
            statement_seq: 0,
        });
        self.save()?;
        Ok(self.cars.len() - 1)
    }

    /// Pairs with the gateway that shows `code`, and signs the car's bundle. The API relays bytes; it
    /// learns neither the code nor the owner key.
    pub(crate) async fn pair(
        &mut self,
        at: usize,
        code: &PairingCode,
        mandate_allowed: bool,
        now: Timestamp,
    ) -> anyhow::Result<Bundle> {
        let api = self.api()?;
        let (pairing, offer) = find_offer(&api, code).await?;
        let bundle = Bundle {
            vehicle: self.vehicle(at)?,
            issued_at: now,
            seq: self.bundle(at)?.map_or(0, |bundle| bundle.seq) + 1,
            owner_keys: [*self.owner_key()].into_iter().collect(),
            platform_root: Some(platform_root(&api).await?),
            gateway_key: offer.gateway_key,
            mandate_allowed,
            least_generation: 0,
            platform_operated: false,
            page_origin: None,
        };
        let sealed = seal(&bundle, &self.owner_key, NO_REST)?;
        let confirm = owner_confirm(
            code,
            &offer,
            bundle.vehicle,
            self.owner_key.verifying_key(),
            random::bytes()?,
            &sealed.bytes,
        )?;
        let path = format!("/v1/pairings/{pairing}");
        let body = json!({ "confirm": base64url(&confirm.encode()) });
        api.post(&format!("{path}/confirm"), &body).await?;
        let answer = api.get(&format!("{path}/answer?wait=25")).await?;
        if answer.is_null() {
            bail!("the gateway did not answer; is the code still shown at the car?");
        }
        let answer = PairAnswer::decode(&api::bytes(&answer, "answer")?)?;
        check_answer(code.secret(), &offer, &confirm, &answer)
            .context("somebody answered in the gateway's place; pair again with a new code")?;
        self.publish_bundle(at, &sealed).await?;
        Ok(bundle)
    }

    async fn publish_bundle(&mut self, at: usize, sealed: &Sealed) -> anyhow::Result<()> {
        let text = base64url(&sealed.bytes);
        self.cars[at].bundle = Some(text.clone());
        self.save()?;
        let path = format!("/v1/vehicles/{}/bundle", self.cars[at].id);
        self.api()?.put(&path, &json!({ "bundle": text })).await?;
        Ok(())
    }

    /// The vehicle id inside `veh_…`.
    pub(crate) fn vehicle(&self, at: usize) -> anyhow::Result<VehicleId> {
        input::vehicle(&self.cars[at].id).map_err(|why| anyhow!("`{}`: {why}", self.cars[at].id))
    }

    /// The bundle last signed.
    pub(crate) fn bundle(&self, at: usize) -> anyhow::Result<Option<Bundle>> {
        let Some(text) = &self.cars[at].bundle else {
            return Ok(None);
        };
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()
            .context("the stored bundle is not base64url")?;
        let bundle = Unverified::<Bundle>::decode(&bytes)?
            .verify(self.owner_key(), NO_REST)
            .map_err(|refusal| anyhow!("the stored bundle is not this host's: {refusal}"))?;
        Ok(Some(bundle.into_body()))
    }

    /// Signs a mandate: the platform may issue keys within these limits until it ends or is revoked.
    pub(crate) async fn mandate(
        &self,
        at: usize,
        wish: &MandateWish,
        now: Timestamp,
    ) -> anyhow::Result<Value> {
        let bundle = self.bundle(at)?.context("pair the car first")?;
        if !bundle.mandate_allowed {
            bail!("the car's bundle allows no mandate; pair with --mandate to change that");
        }
        if wish.outage_limit_s == NO_OUTAGE_LIMIT {
            bail!("a mandate needs an outage limit");
        }
        let root = bundle
            .platform_root
            .context("the bundle names no platform")?;
        let mut policy = Policy::of(wish.entitlements);
        policy.delegations = 4;
        policy.outage_limit_s = Some(wish.outage_limit_s);
        policy.max_window_s = Some(wish.max_window_s);
        let claims = Claims {
            vehicle: Some(bundle.vehicle),
            validity: Validity {
                from: now,
                until: now.plus(wish.days * 86_400),
            },
            grant_id: Some(keys_core::id::GrantId(random::bytes()?)),
            holder: *root.as_bytes(),
            policy,
            booking_hash: None,
        };
        let link = sign_link(&claims, &self.owner_key, None)?;
        let path = format!("/v1/vehicles/{}/mandate", self.cars[at].id);
        let body = json!({ "link": base64url(&link.bytes) });
        Ok(self.api()?.post(&path, &body).await?)
    }

    /// What a key that waits for the owner would say once signed.
    pub(crate) async fn pending_claims(&self, key_id: &str) -> anyhow::Result<Claims> {
        let key = self.api()?.get(&format!("/v1/keys/{key_id}")).await?;
        if key["to_sign"].is_null() {
            let state = key["state"].as_str().unwrap_or("unknown");
            bail!("there is nothing to sign for {key_id}: it is {state}");
        }
        let claims: Claims = read_payload(&api::bytes(&key["to_sign"], "claims")?)?;
        let vehicle = claims
            .vehicle
            .context("what shall be signed names no car")?;
        let is_ours = |at: &usize| self.vehicle(*at).is_ok_and(|ours| ours == vehicle);
        if !(0..self.cars.len()).any(|at| is_ours(&at)) {
            bail!("what shall be signed is for a car that is not on this device: {vehicle}");
        }
        Ok(claims)
    }

    /// Signs a key with the owner key and hands it to the API.
    pub(crate) async fn sign_key(&self, key_id: &str, claims: &Claims) -> anyhow::Result<Value> {
        let roots = self.roots_of(claims)?;
        if roots.is_some_and(|root| *root.as_bytes() == claims.holder) {
            bail!("that is a mandate, not a key: its holder is the platform");
        }
        let link = sign_link(claims, &self.owner_key, None)?;
        let body = json!({ "link": base64url(&link.bytes) });
        let path = format!("/v1/keys/{key_id}/link");
        Ok(self.api()?.put(&path, &body).await?)
    }

    fn roots_of(&self, claims: &Claims) -> anyhow::Result<Option<VerifyingKey>> {
        for at in 0..self.cars.len() {
            if claims.vehicle == Some(self.vehicle(at)?) {
                return Ok(self.bundle(at)?.and_then(|bundle| bundle.platform_root));
            }
        }
        Ok(None)
    }

    /// Signs the statement that waits for the owner, if there is one: what was revoked, suspended or
    /// resumed at the API takes effect with it.
    pub(crate) async fn sign_statement(&mut self, at: usize) -> anyhow::Result<Option<Statement>> {
        let (api, path) = (
            self.api()?,
            format!("/v1/vehicles/{}/statements", self.cars[at].id),
        );
        let waiting = api.get(&path).await?;
        if waiting["to_sign"].is_null() {
            return Ok(None);
        }
        let statement: Statement = read_payload(&api::bytes(&waiting["to_sign"], "statement")?)?;
        if statement.vehicle != self.vehicle(at)? || statement.expires_at.is_some() {
            bail!("what shall be signed is no owner statement of this car");
        }
        if statement.seq <= self.cars[at].statement_seq {
            bail!(
                "what shall be signed has number {}, but number {} was signed here already",
                statement.seq,
                self.cars[at].statement_seq
            );
        }
        // The number is spent before the signature leaves: two statements never share one.
        self.cars[at].statement_seq = statement.seq;
        self.save()?;
        let sealed = seal(&statement, &self.owner_key, NO_REST)?;
        let body = json!({ "statement": base64url(&sealed.bytes) });
        api.post(&path, &body).await?;
        Ok(Some(statement))
    }
}

/// The offer of the gateway that shows the code.
async fn find_offer(api: &Api, code: &PairingCode) -> anyhow::Result<(String, PairOffer)> {
    let path = format!("/v1/pairings?fingerprint={}", code.fingerprint());
    let offers = api.get(&path).await?;
    let offer = offers["data"]
        .as_array()
        .and_then(|list| list.last())
        .context("no gateway offers to pair with that code; is it on, connected, and the code the one it shows now?")?;
    let id = api::text(offer, "id")?.to_owned();
    let offer = PairOffer::decode(&api::bytes(offer, "offer")?)?;
    Ok((id, offer))
}

async fn platform_root(api: &Api) -> anyhow::Result<VerifyingKey> {
    let platform = api.get("/v1/platform").await?;
    let bytes: [u8; 32] = api::bytes(&platform, "root_key")?
        .try_into()
        .map_err(|_| anyhow!("the platform's root_key: expected 32 bytes"))?;
    Ok(VerifyingKey::decode(&bytes)?)
}

/// Reads a payload that is not signed yet.
fn read_payload<T: Body>(bytes: &[u8]) -> anyhow::Result<T> {
    let mut reader = Reader::new(bytes);
    let body = T::read(&mut reader).context("what shall be signed")?;
    reader.finish().context("what shall be signed")?;
    Ok(body)
}

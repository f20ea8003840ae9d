//! Tokens of others with the content of our keys: a window, three entitlements, a circle, the vehicle,
//! the holder. None proves possession, so each does one signature less than ours.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use biscuit_auth::builder::{Algorithm, AuthorizerBuilder, BlockBuilder};
use biscuit_auth::{AuthorizerLimits, Biscuit, KeyPair, PrivateKey};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};

use crate::bench::rounds::Work;
use crate::bench::{VARIETY, name};

/// All comparisons.
pub(super) fn works() -> anyhow::Result<Vec<Work<'static>>> {
    Ok(vec![
        biscuit(name::BISCUIT_ONE, 1)?,
        biscuit(name::BISCUIT_THREE, 3)?,
        jwt()?,
        paseto()?,
    ])
}

fn seed(number: usize) -> [u8; 32] {
    let mut seed = [0xc0; 32];
    seed[0] = number.to_le_bytes()[0];
    seed
}

fn holder(number: usize) -> String {
    let mut seed = seed(number);
    seed[1] = 1;
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    HEXLOWER.encode(key.verifying_key().as_bytes())
}

const VEHICLE: &str = "0197c0de-0000-7000-8000-000000000001";

fn biscuit(name: &'static str, blocks: usize) -> anyhow::Result<Work<'static>> {
    let tokens: Vec<_> = (0..VARIETY)
        .map(|number| biscuit_token(number, blocks))
        .collect::<anyhow::Result<_>>()?;
    // The question is parsed once; every check starts from a copy.
    let question = AuthorizerBuilder::new()
        .code(format!(
            "time(1782907200); vehicle(\"{VEHICLE}\"); operation(\"unlock\"); distance(120);
             allow if operation($operation), right($operation);"
        ))?
        .set_limits(AuthorizerLimits {
            // On a busy machine the usual millisecond would refuse at random.
            max_time: Duration::from_secs(10),
            ..AuthorizerLimits::default()
        });
    let authorize = move |(root, bytes): &(biscuit_auth::PublicKey, Vec<u8>)| {
        let token = Biscuit::from(bytes, root)?;
        question.clone().build(&token)?.authorize()
    };
    for token in &tokens {
        authorize(token).context("a biscuit was refused")?;
    }
    Ok(Work::new(name, move |index| {
        authorize(&tokens[index]).is_ok()
    }))
}

fn biscuit_token(
    number: usize,
    blocks: usize,
) -> anyhow::Result<(biscuit_auth::PublicKey, Vec<u8>)> {
    let root = KeyPair::from(&PrivateKey::from_bytes(&seed(number), Algorithm::Ed25519)?);
    let mut token = Biscuit::builder()
        .code(format!(
            "vehicle_of(\"{VEHICLE}\"); holder(\"{}\"); grant(\"booking1\");
             right(\"unlock\"); right(\"lock\"); right(\"start\");
             check if vehicle($vehicle), vehicle_of($vehicle);
             check if time($time), $time >= 1782907200, $time < 1782993600;
             check if distance($meters), $meters <= 250;",
            holder(number)
        ))?
        .build(&root)?;
    for (step, operations) in ["\"unlock\", \"lock\"", "\"unlock\""]
        .iter()
        .enumerate()
        .take(blocks - 1)
    {
        let until = 1_782_993_600 - 3_600 * (step + 1);
        token = token.append(BlockBuilder::new().code(format!(
            "holder(\"{}\");
             check if operation($operation), {{{operations}}}.contains($operation);
             check if time($time), $time < {until};",
            holder(number + step + 1)
        ))?)?;
    }
    Ok((root.public(), token.to_vec()?))
}

/// The same content as claims.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    aud: String,
    nbf: u64,
    exp: u64,
    jti: String,
    cnf: String,
    rights: Vec<String>,
    circle: (f64, f64, u32),
}

fn content(number: usize) -> Content {
    Content {
        aud: VEHICLE.into(),
        nbf: 1_577_836_800,
        exp: 4_102_444_800,
        jti: "booking1".into(),
        cnf: holder(number),
        rights: ["unlock", "lock", "start"].map(String::from).to_vec(),
        circle: (52.520_007, 13.404_954, 250),
    }
}

fn jwt() -> anyhow::Result<Work<'static>> {
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
    /// PKCS #8 around a seed (RFC 8410).
    const PREFIX: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let token = |number: usize| -> anyhow::Result<(DecodingKey, String)> {
        let signer = ed25519_dalek::SigningKey::from_bytes(&seed(number));
        let der = [&PREFIX[..], &seed(number)[..]].concat();
        let key = EncodingKey::from_ed_der(&der);
        let token = encode(&Header::new(Algorithm::EdDSA), &content(number), &key)?;
        let public = BASE64URL_NOPAD.encode(signer.verifying_key().as_bytes());
        Ok((DecodingKey::from_ed_components(&public)?, token))
    };
    let tokens: Vec<_> = (0..VARIETY).map(token).collect::<anyhow::Result<_>>()?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[VEHICLE]);
    validation.validate_nbf = true;
    let accepts = move |(key, token): &(DecodingKey, String)| {
        decode::<Content>(token, key, &validation)
            .is_ok_and(|token| token.claims.rights.iter().any(|right| right == "unlock"))
    };
    ensure!(tokens.iter().all(&accepts), "a JSON Web Token was refused");
    Ok(Work::new(name::JWT, move |index| accepts(&tokens[index])))
}

fn paseto() -> anyhow::Result<Work<'static>> {
    use pasetors::claims::{Claims, ClaimsValidationRules};
    use pasetors::keys::{AsymmetricPublicKey, AsymmetricSecretKey};
    use pasetors::token::UntrustedToken;
    use pasetors::{Public, public, version4::V4};

    let failed = |error: pasetors::errors::Error| anyhow!("PASETO: {error}");
    let token = |number: usize| -> anyhow::Result<(AsymmetricPublicKey<V4>, String)> {
        let signer = ed25519_dalek::SigningKey::from_bytes(&seed(number));
        let secret = AsymmetricSecretKey::<V4>::from(&signer.to_keypair_bytes()).map_err(failed)?;
        let content = content(number);
        let mut claims = Claims::new().map_err(failed)?;
        claims.audience(&content.aud).map_err(failed)?;
        claims
            .not_before("2020-01-01T00:00:00+00:00")
            .map_err(failed)?;
        claims
            .issued_at("2020-01-01T00:00:00+00:00")
            .map_err(failed)?;
        claims
            .expiration("2100-01-01T00:00:00+00:00")
            .map_err(failed)?;
        claims.token_identifier(&content.jti).map_err(failed)?;
        let additional = [
            ("cnf", serde_json::to_value(&content.cnf)?),
            ("rights", serde_json::to_value(&content.rights)?),
            ("circle", serde_json::to_value(content.circle)?),
        ];
        for (name, value) in additional {
            claims.add_additional(name, value).map_err(failed)?;
        }
        let token = public::sign(&secret, &claims, None, None).map_err(failed)?;
        let key =
            AsymmetricPublicKey::<V4>::from(signer.verifying_key().as_bytes()).map_err(failed)?;
        Ok((key, token))
    };
    let tokens: Vec<_> = (0..VARIETY).map(token).collect::<anyhow::Result<_>>()?;
    let mut rules = ClaimsValidationRules::new();
    rules.validate_audience_with(VEHICLE);
    let accepts = move |(key, token): &(AsymmetricPublicKey<V4>, String)| {
        UntrustedToken::<Public, V4>::try_from(token)
            .and_then(|token| public::verify(key, &token, &rules, None, None))
            .is_ok_and(|token| {
                token
                    .payload_claims()
                    .is_some_and(|claims| claims.get_claim("rights").is_some())
            })
    };
    ensure!(tokens.iter().all(&accepts), "a PASETO was refused");
    Ok(Work::new(name::PASETO, move |index| {
        accepts(&tokens[index])
    }))
}

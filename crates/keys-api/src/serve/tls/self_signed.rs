//! The certificate of `tls.self_signed`: its key is made once, the certificate again whenever it
//! nears its end or the machine's names change.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use keys_core::time::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;
use zeroize::Zeroizing;

use super::{TlsError, is_for, read_chain, time_fault};
use crate::clock::to_db;
use crate::config::TlsConfig;
use crate::random::{self, Random};
use crate::sealer::{create_private, create_public};

/// How long a certificate holds; some systems refuse more than 398 days.
const LIFETIME: TimeDelta = TimeDelta::days(365);
/// How long before its end a start makes another.
const RENEWAL_S: u64 = 30 * 24 * 3600;

/// What the certificate is for: this machine, the address listened on, and the origin's host.
pub(super) fn names(
    listen: IpAddr,
    host: Option<&ServerName<'static>>,
) -> Vec<ServerName<'static>> {
    let mut addresses = vec![
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ];
    if !listen.is_unspecified() {
        addresses.push(listen);
    }
    let mut names = Vec::new();
    let localhost = ServerName::try_from("localhost").ok();
    let addresses = addresses.into_iter().map(ServerName::from);
    for name in localhost
        .into_iter()
        .chain(addresses)
        .chain(host.cloned())
        .filter(|name| !is_unspecified(name))
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn is_unspecified(name: &ServerName<'_>) -> bool {
    matches!(name, ServerName::IpAddress(address) if IpAddr::from(*address).is_unspecified())
}

/// Leaves a key and a certificate for `names` in the directory of `tls`.
pub(super) fn make_or_keep(
    tls: &TlsConfig,
    names: &[ServerName<'static>],
    now: Timestamp,
    random: &dyn Random,
) -> Result<(), TlsError> {
    let key = key(tls)?;
    if is_good(tls, names, &key, now) {
        return Ok(());
    }
    let file = tls.self_signed_certificate();
    let made = make(names, &key, now, random)?;
    create_public(&file, made.as_bytes()).map_err(|error| TlsError::Write(file.clone(), error))?;
    tracing::info!(file = %file.display(), "made a certificate; clients that shall believe it need this file");
    Ok(())
}

fn key(tls: &TlsConfig) -> Result<KeyPair, TlsError> {
    let file = tls.self_signed_key();
    match std::fs::read_to_string(&file).map(Zeroizing::new) {
        Ok(text) => KeyPair::from_pem(&text).map_err(|error| TlsError::MadeKey(file, error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = KeyPair::generate().map_err(TlsError::Make)?;
            let text = Zeroizing::new(key.serialize_pem());
            create_private(&file, text.as_bytes()).map_err(|error| TlsError::Write(file, error))?;
            Ok(key)
        }
        Err(source) => Err(TlsError::Read {
            field: "tls.directory",
            file,
            source,
        }),
    }
}

/// Whether the certificate in place is of `key`, for all `names`, and good for a while. One that
/// cannot be read is not.
fn is_good(tls: &TlsConfig, names: &[ServerName<'static>], key: &KeyPair, now: Timestamp) -> bool {
    let Ok(chain) = read_chain(&tls.self_signed_certificate()) else {
        return false;
    };
    let Some(certificate) = chain.first() else {
        return false;
    };
    let of_key = ParsedCertificate::try_from(certificate).is_ok_and(|parsed| {
        parsed.subject_public_key_info().as_ref() == key.subject_public_key_info().as_slice()
    });
    let later = Timestamp(now.0.saturating_add(RENEWAL_S));
    of_key
        && [now, later]
            .into_iter()
            .all(|at| matches!(time_fault(certificate, at), Ok(None)))
        && names.iter().all(|name| is_for(certificate, name))
}

fn make(
    names: &[ServerName<'static>],
    key: &KeyPair,
    now: Timestamp,
    random: &dyn Random,
) -> Result<String, TlsError> {
    let names: Vec<String> = names
        .iter()
        .map(|name| name.to_str().into_owned())
        .collect();
    let mut params = CertificateParams::new(names).map_err(TlsError::Make)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Latchkey, self-signed");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Browsers refuse a second certificate with the serial number of the first.
    let mut serial: [u8; 16] = random::bytes(random);
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    // From the day before: the client's clock may be behind.
    let today = DateTime::<Utc>::from_timestamp(to_db(now), 0).unwrap_or_default();
    let day = |at: DateTime<Utc>| {
        let small = |number: u32| u8::try_from(number).unwrap_or(1); // never above 31
        rcgen::date_time_ymd(at.year(), small(at.month()), small(at.day()))
    };
    params.not_before = day(today - TimeDelta::days(1));
    params.not_after = day(today + LIFETIME);
    let made = params.self_signed(key).map_err(TlsError::Make)?;
    Ok(made.pem())
}

use super::*;
use crate::random::SystemRandom;

/// Monday, 2026-11-23 08:00 UTC.
const NOW: Timestamp = Timestamp(1_795_420_800);
const DAY: u64 = 24 * 3600;

fn config(directory: &Path) -> Config {
    let mut config = Config::in_directory(directory, ([192, 0, 2, 7], 8443).into());
    config.tls.self_signed = true;
    config
}

fn open(config: &Config, now: Timestamp) -> Result<Option<Tls>, TlsError> {
    Tls::open(config, now, &SystemRandom)
}

/// The PEM text of the certificate and key made.
fn made(config: &Config) -> (String, String) {
    let read = |file| std::fs::read_to_string(file).unwrap();
    (
        read(config.tls.self_signed_certificate()),
        read(config.tls.self_signed_key()),
    )
}

/// A configuration with the files of a certificate made at `NOW`.
fn with_files(directory: &Path) -> Config {
    let mut config = config(directory);
    open(&config, NOW).unwrap();
    config.tls.certificate = Some(config.tls.self_signed_certificate());
    config.tls.key = Some(config.tls.self_signed_key());
    config.tls.self_signed = false;
    config
}

#[test]
fn without_a_certificate_there_is_no_tls() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.tls.self_signed = false;
    assert!(open(&config, NOW).unwrap().is_none());
    assert!(!config.tls.directory.exists());
}

#[test]
fn the_made_certificate_is_for_this_machine_the_address_and_the_origin() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.server.origin = Some("https://keys.example:8443".to_owned());
    open(&config, NOW).unwrap().unwrap();
    let chain = read_chain(&config.tls.self_signed_certificate()).unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "192.0.2.7", "keys.example"] {
        assert!(is_for(&chain[0], &name.try_into().unwrap()), "{name}");
    }
    assert!(!is_for(&chain[0], &"192.0.2.8".try_into().unwrap()));
}

#[cfg(unix)]
#[test]
fn the_made_key_is_private_and_the_certificate_is_not() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    open(&config, NOW).unwrap();
    let mode = |file: PathBuf| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(config.tls.self_signed_key()), 0o600);
    assert_eq!(mode(config.tls.self_signed_certificate()) & 0o400, 0o400);
}

#[test]
fn it_is_kept_until_thirty_days_before_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    open(&config, NOW).unwrap();
    let first = made(&config);
    open(&config, Timestamp(NOW.0 + 334 * DAY)).unwrap();
    assert_eq!(made(&config), first);
    let late = Timestamp(NOW.0 + 336 * DAY);
    open(&config, late).unwrap();
    let second = made(&config);
    assert_ne!(second.0, first.0);
    assert_eq!(second.1, first.1, "the key stays");
    let chain = read_chain(&config.tls.self_signed_certificate()).unwrap();
    let later = Timestamp(late.0 + 364 * DAY);
    assert!(matches!(time_fault(&chain[0], later), Ok(None)));
}

#[test]
fn it_is_made_again_for_another_name_a_lost_or_a_damaged_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    open(&config, NOW).unwrap();
    let first = made(&config);
    config.server.listen = ([192, 0, 2, 8], 8443).into();
    open(&config, NOW).unwrap();
    let second = made(&config);
    assert_ne!(second.0, first.0);
    std::fs::write(config.tls.self_signed_certificate(), "half a certi").unwrap();
    assert!(open(&config, NOW).unwrap().is_some());
    std::fs::remove_file(config.tls.self_signed_certificate()).unwrap();
    assert!(open(&config, NOW).unwrap().is_some());
    // The key's own loss leaves a certificate that is no longer its.
    std::fs::remove_file(config.tls.self_signed_key()).unwrap();
    assert!(open(&config, NOW).unwrap().is_some());
}

#[test]
fn a_damaged_key_is_refused_and_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    open(&config, NOW).unwrap();
    std::fs::write(config.tls.self_signed_key(), "no key").unwrap();
    let error = open(&config, NOW).unwrap_err().to_string();
    assert!(
        error.contains("key.pem") && error.contains("delete it"),
        "{error}"
    );
}

#[test]
fn a_refused_file_is_named_with_its_field_and_the_fix() {
    let directory = tempfile::tempdir().unwrap();
    let config = with_files(directory.path());
    let other_directory = tempfile::tempdir().unwrap();
    let other = with_files(other_directory.path());
    let text = directory.path().join("text.pem");
    std::fs::write(&text, "no PEM").unwrap();
    let absent = directory.path().join("absent.pem");

    let refused = |certificate: Option<&Path>, key: Option<&Path>, now| {
        let mut config = config.clone();
        let replace = |old: Option<PathBuf>, new: Option<&Path>| new.map(Path::to_owned).or(old);
        config.tls.certificate = replace(config.tls.certificate, certificate);
        config.tls.key = replace(config.tls.key, key);
        open(&config, now).unwrap_err().to_string()
    };
    let year = Timestamp(NOW.0 + 366 * DAY);
    let before = Timestamp(NOW.0 - 2 * DAY);
    let other_key = other.tls.key.as_deref();
    let cases = [
        (
            refused(Some(&absent), None, NOW),
            ["`tls.certificate`", "absent.pem", "cannot be read"],
        ),
        (
            refused(Some(&text), None, NOW),
            ["`tls.certificate`", "text.pem", "convert it"],
        ),
        (
            refused(None, Some(&absent), NOW),
            ["`tls.key`", "absent.pem", "cannot be read"],
        ),
        (
            refused(None, Some(&text), NOW),
            ["`tls.key`", "text.pem", "convert or decrypt it"],
        ),
        (
            refused(None, other_key, NOW),
            ["`tls.key`", "key.pem", "does not belong"],
        ),
        (
            refused(None, None, year),
            ["`tls.certificate`", "expired at 2027-11-23", "renew it"],
        ),
        (
            refused(None, None, before),
            ["`tls.certificate`", "2026-11-22", "clock"],
        ),
    ];
    for (error, parts) in cases {
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stalls_in_the_handshake_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let tls = open(&config(directory.path()), NOW).unwrap().unwrap();
    let (near, _far) = tokio::io::duplex(1024);
    let error = tls.handshake(near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn the_host_of_an_origin_is_found() {
    for (origin, host) in [
        ("https://keys.example", "keys.example"),
        ("https://keys.example:8443", "keys.example"),
        ("https://127.0.0.1:8443", "127.0.0.1"),
        ("https://[::1]:8443", "::1"),
    ] {
        assert_eq!(host_of(origin).unwrap(), host.try_into().unwrap());
    }
    assert_eq!(host_of("https://"), None);
}

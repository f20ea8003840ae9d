//! What a gateway finds when it starts.

use keys_core::testing::holder;
use vehicle_gateway::store::OpenError;
use vehicle_gateway::{GatewayError, status};

use crate::support::{Bench, key_for};

#[tokio::test]
async fn one_process_at_a_time_has_the_store_and_status_reads_beside_it() {
    let mut bench = Bench::ready().await;
    let second = vehicle_gateway::Gateway::start(bench.config.clone()).await;
    assert!(
        matches!(second, Err(GatewayError::Open(OpenError::InUse(_)))),
        "{second:?}"
    );
    let file = bench.config.data.join(status::STATUS_FILE);
    crate::support::eventually("a status file", || file.exists()).await;
    let view = status::read(&bench.config.data, 1 << 20).unwrap();
    assert_eq!(view["running"], true);
    bench.stop().await;
    let view = status::read(&bench.config.data, 1 << 20).unwrap();
    assert_eq!(
        (view["running"].clone(), view["paired"].clone()),
        (false.into(), true.into())
    );
    assert!(!file.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_of_the_files_can_read_them() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::paired().await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.config.data), 0o700);
    assert_eq!(mode(&bench.store_file()), 0o600);
}

#[tokio::test]
async fn a_damaged_store_refuses_to_start_and_says_what_to_do() {
    let mut bench = Bench::ready().await;
    bench
        .unlock(&key_for(&holder(1), |_| {}), &holder(1))
        .await
        .is_done();
    bench.stop().await;
    let path = bench.store_file();
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    let steps = 40;
    for step in 0..steps {
        let mut bytes = whole.clone();
        let at = bytes.len() * step / steps;
        bytes[at..]
            .iter_mut()
            .take(64)
            .for_each(|byte| *byte ^= 0xff);
        std::fs::write(&path, &bytes).unwrap();
        // Parts of the file that hold nothing may change; then the gateway starts with all it knew.
        match bench.start().await {
            Ok(()) => {
                assert!(bench.running().vehicle_id().is_some());
                bench.stop().await;
            }
            Err(error) => {
                let text = error.to_string() + &format!("{:?}", anyhow::Error::from(error));
                assert!(text.contains("pair the car again"), "{text}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(bench.start().await.is_err(), "half a file");
    std::fs::write(&path, &whole).unwrap();
    bench.start().await.unwrap();
}

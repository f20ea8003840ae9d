//! The contract over the simulated car, and what only the simulated car has.

use serde_json::{Map, Value, json};

use super::*;
use crate::connector::contract::{Rig, Situation, connector_contract};
use crate::connector::{ConnectorConfig, Door};

struct SimulatedRig {
    connector: Arc<dyn Connector>,
    shared: Arc<Shared>,
    dir: tempfile::TempDir,
}

fn settings_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("settings are an object"),
    }
}

/// As [`start`], keeping hold of the car.
fn open(dir: &tempfile::TempDir) -> (Arc<dyn Connector>, Arc<Shared>) {
    let profile = Profile::default();
    let capabilities = profile.capabilities();
    let mut car = Car::new(profile, Settings::default().position, Faults::default());
    let mut past = Vec::new();
    let file = dir.path().join("executions.jsonl");
    let history = History::open(&file, |one| past.push(one.clone())).unwrap();
    car.restore(&past, history);
    let shared = Arc::new(Shared::new(car, capabilities));
    let stop = CancellationToken::new();
    tokio::spawn(live(shared.clone(), stop.clone()));
    let connector = Simulated {
        shared: shared.clone(),
        _stop: stop.drop_guard(),
    };
    (Arc::new(connector), shared)
}

async fn rig() -> SimulatedRig {
    let dir = tempfile::tempdir().unwrap();
    let (connector, shared) = open(&dir);
    SimulatedRig {
        connector,
        shared,
        dir,
    }
}

impl Rig for SimulatedRig {
    fn connector(&self) -> Arc<dyn Connector> {
        self.connector.clone()
    }

    fn put(&mut self, situation: Situation) -> BoxFuture<'_, ()> {
        let well = Faults::default();
        let faults = match situation {
            Situation::Healthy => well,
            Situation::Refusing => Faults {
                refusing: true,
                ..well
            },
            Situation::Jammed => Faults {
                jammed: true,
                ..well
            },
            Situation::SilentAfterActing => Faults {
                silent: Silence::Acts,
                ..well
            },
            Situation::SilentWithoutActing => Faults {
                silent: Silence::Ignores,
                ..well
            },
            Situation::TooSlow => Faults {
                slow_ms: 9_000,
                ..well
            },
            Situation::Late => Faults {
                slow_ms: 9_000,
                late: true,
                ..well
            },
            Situation::Slow => Faults {
                slow_ms: 3_000,
                ..well
            },
            Situation::Offline => Faults {
                offline: true,
                ..well
            },
            Situation::Asleep => Faults {
                asleep: true,
                ..well
            },
            Situation::NeverWakes => Faults {
                asleep: true,
                never_wakes: true,
                ..well
            },
        };
        self.shared.set_faults(faults);
        futures_util::future::ready(()).boxed()
    }

    fn executions(&self) -> BoxFuture<'_, Vec<CommandId>> {
        let car = self.shared.car();
        let ids = car
            .history()
            .recent()
            .map(|one| one.command_id.parse().unwrap())
            .collect();
        futures_util::future::ready(ids).boxed()
    }

    fn restart(&mut self) -> BoxFuture<'_, ()> {
        (self.connector, self.shared) = open(&self.dir);
        futures_util::future::ready(()).boxed()
    }
}

connector_contract!(rig);

fn order(command: VehicleCommand) -> Order {
    Order {
        id: CommandId([1; 16]),
        command,
        deadline: Instant::now() + Duration::from_secs(8),
    }
}

#[tokio::test(start_paused = true)]
async fn every_command_of_the_car_can_be_done() {
    let rig = rig().await;
    for command in VehicleCommand::ALL {
        let outcome = rig.connector.execute(order(command)).await;
        assert!(
            matches!(outcome, Outcome::Done { .. }),
            "{command}: {outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_the_car_has_not_is_declined_and_not_sent() {
    let dir = tempfile::tempdir().unwrap();
    let config = ConnectorConfig::new(
        "simulated",
        settings_map(json!({"profile": {"powertrain": "combustion", "without": ["locate"]}})),
    );
    let connector = start(Start {
        config,
        data_dir: dir.path().to_owned(),
    })
    .await
    .unwrap();
    for command in [VehicleCommand::ChargePort, VehicleCommand::Locate] {
        let outcome = connector.execute(order(command)).await;
        assert_eq!(
            outcome,
            Outcome::Declined {
                reason: Declined::Unsupported
            }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_door_and_a_moving_car_decline_with_their_reason() {
    let rig = rig().await;
    rig.shared.set_faults(Faults {
        open_doors: [Door::RearLeft].into(),
        ..Faults::default()
    });
    let outcome = rig.connector.execute(order(VehicleCommand::Lock)).await;
    assert_eq!(
        outcome,
        Outcome::Declined {
            reason: Declined::DoorsOpen
        }
    );
    rig.shared.set_faults(Faults {
        moving: true,
        ..Faults::default()
    });
    let outcome = rig.connector.execute(order(VehicleCommand::Unlock)).await;
    assert_eq!(
        outcome,
        Outcome::Declined {
            reason: Declined::Moving
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_jumping_clock_of_the_car_does_not_make_an_old_reading_new() {
    let rig = rig().await;
    rig.connector.state().await.unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    for clock_offset_ms in [-100_000, -500_000, 500_000] {
        let faults = Faults {
            silent: Silence::Acts,
            clock_offset_ms,
            ..Faults::default()
        };
        rig.shared.set_faults(faults);
        let state = rig.connector.state().await.unwrap();
        assert!(state.locked.unwrap().age(Instant::now()) >= Duration::from_secs(100));
        let outcome = rig.connector.execute(order(VehicleCommand::Lock)).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drifting_clock_of_the_car_changes_no_outcome() {
    let rig = rig().await;
    for clock_drift_ppm in [-900_000, 900_000] {
        rig.shared.set_faults(Faults {
            clock_drift_ppm,
            ..Faults::default()
        });
        let outcome = rig.connector.execute(order(VehicleCommand::Unlock)).await;
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_car_with_a_list_of_executions_is_as_it_was_after_a_restart() {
    let mut rig = rig().await;
    rig.connector.execute(order(VehicleCommand::Unlock)).await;
    rig.restart().await;
    assert!(!rig.connector.state().await.unwrap().locked.unwrap().value);
    assert_eq!(rig.executions().await, [CommandId([1; 16])]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_connector_ends_its_car() {
    let rig = rig().await;
    let shared = Arc::downgrade(&rig.shared);
    drop(rig);
    tokio::task::yield_now().await;
    assert!(shared.upgrade().is_none());
}

mod admin_port {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    struct Admin {
        connector: Arc<dyn Connector>,
        address: String,
        dir: tempfile::TempDir,
    }

    async fn admin() -> Admin {
        let dir = tempfile::tempdir().unwrap();
        let settings =
            settings_map(json!({"admin_listen": "127.0.0.1:0", "admin_token": "hunter2"}));
        let config = ConnectorConfig::new("simulated", settings);
        let connector = start(Start {
            config,
            data_dir: dir.path().to_owned(),
        })
        .await
        .unwrap();
        let file = std::fs::read_to_string(dir.path().join("simulated-admin.json")).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        let address = file["url"]
            .as_str()
            .unwrap()
            .strip_prefix("http://")
            .unwrap()
            .to_owned();
        Admin {
            connector,
            address,
            dir,
        }
    }

    impl Admin {
        async fn ask(&self, line: &str, host: &str, token: &str, body: &str) -> (u16, String) {
            let mut stream = TcpStream::connect(&self.address).await.unwrap();
            let request = format!(
                "{line} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
            (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
        }

        async fn get(&self, path: &str) -> Value {
            let (status, body) = self
                .ask(&format!("GET {path}"), &self.address, "hunter2", "")
                .await;
            assert_eq!(status, 200, "{body}");
            serde_json::from_str(&body).unwrap()
        }
    }

    #[tokio::test]
    async fn it_shows_the_car_and_breaks_it() {
        let admin = admin().await;
        assert_eq!(admin.get("/state").await["truth"]["locked"], true);
        let (status, _) = admin
            .ask(
                "PUT /faults",
                &admin.address,
                "hunter2",
                r#"{"jammed":true}"#,
            )
            .await;
        assert_eq!(status, 200);
        assert_eq!(admin.get("/faults").await["jammed"], true);
        let outcome = admin.connector.execute(order(VehicleCommand::Unlock)).await;
        assert_eq!(
            outcome,
            Outcome::Declined {
                reason: Declined::Jammed
            }
        );
        admin
            .ask("PUT /faults", &admin.address, "hunter2", "{}")
            .await;
        admin.connector.execute(order(VehicleCommand::Unlock)).await;
        let executions = admin.get("/executions").await;
        assert_eq!(executions["count"], 1);
        assert_eq!(executions["executions"][0]["command"], "unlock");
        assert_eq!(admin.get("/state").await["told"]["locked"]["value"], false);
    }

    #[tokio::test]
    async fn it_refuses_strangers_other_hosts_and_unknown_faults() {
        let admin = admin().await;
        let cases = [
            ("GET /state", admin.address.as_str(), "hunter", "", 401),
            ("GET /state", "car.example", "hunter2", "", 421),
            ("GET /state", "127.0.0.1:1", "hunter2", "", 421),
            (
                "PUT /faults",
                &admin.address,
                "hunter2",
                r#"{"on_fire":true}"#,
                422,
            ),
            ("PUT /faults", &admin.address, "hunter2", "{", 400),
            ("GET /", &admin.address, "hunter", "", 401),
            ("DELETE /faults", &admin.address, "hunter2", "", 405),
        ];
        for (line, host, token, body, expected) in cases {
            let (status, body) = admin.ask(line, host, token, body).await;
            assert_eq!(status, expected, "{line} {host}: {body}");
        }
        let big = " ".repeat(20_000);
        let (status, _) = admin
            .ask("PUT /faults", &admin.address, "hunter2", &big)
            .await;
        assert_eq!(status, 413);
    }

    #[tokio::test]
    async fn it_listens_on_loopback_only() {
        let settings = settings_map(json!({"admin_listen": "0.0.0.0:0"}));
        let config = ConnectorConfig::new("simulated", settings);
        let dir = tempfile::tempdir().unwrap();
        let error = start(Start {
            config,
            data_dir: dir.path().to_owned(),
        })
        .await
        .err()
        .unwrap();
        assert_eq!(
            error.to_string(),
            "setting `admin_listen` must be a loopback address"
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn its_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let admin = admin().await;
        let file = std::fs::metadata(admin.dir.path().join("simulated-admin.json")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn it_closes_with_its_connector() {
        let admin = admin().await;
        drop(admin.connector);
        // The listener goes when its task has seen the stop; a connection is refused from then on.
        while TcpStream::connect(&admin.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

//! The database through what the application does with it.

use keys_api::clock::to_db;
use keys_api::config::DatabaseConfig;
use keys_api::storage::{self, Engine, OpenError};
use sea_orm::ConnectionTrait;

use crate::support::{NOW, TestApp, config_in};

#[tokio::test]
async fn a_damaged_database_is_refused_by_name_with_the_way_to_recover() {
    let directory = tempfile::tempdir().unwrap();
    let config = config_in(&directory).database;
    storage::open(&config).await.unwrap().close().await;
    let file = directory.path().join("latchkey.db");
    let whole = std::fs::read(&file).unwrap();
    let mut torn = whole.clone();
    torn[8192..12288].fill(0xa5);
    for bad in [
        b"this is no database, but long enough to look like a file of pages".repeat(100),
        torn,
    ] {
        std::fs::write(&file, &bad).unwrap();
        let error = storage::open(&config).await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("latchkey.db") && text.contains("To recover"),
            "{text}"
        );
        assert_eq!(std::fs::read(&file).unwrap(), bad, "nothing may be changed");
    }
    std::fs::write(&file, whole).unwrap();
    storage::open(&config).await.unwrap();
}

#[tokio::test]
async fn sqlite_is_durable_and_checks_references() {
    let test = TestApp::new().await;
    if test.app.db.engine() != Engine::Sqlite {
        return;
    }
    let tx = test.app.db.begin().await.unwrap();
    for (pragma, expected) in [
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("journal_mode", "wal"),
        ("query_only", "0"),
    ] {
        let statement =
            sea_orm::Statement::from_string(tx.get_database_backend(), format!("PRAGMA {pragma}"));
        let row = tx.query_one_raw(statement).await.unwrap().unwrap();
        let value = row
            .try_get_by_index::<String>(0)
            .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()));
        assert_eq!(value.unwrap(), expected, "{pragma}");
    }
    drop(tx);
    assert!(
        test.app
            .db
            .read()
            .execute_unprepared("DELETE FROM accounts")
            .await
            .is_err(),
        "reads must not write"
    );
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    test.app.db.clone().close().await;
    let again = TestApp::with(|config| *config = test.app.config.clone()).await;
    assert_eq!(
        again.get("/v1/account").bearer(&token).send().await.status,
        200
    );
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    let test = TestApp::new().await;
    let tx = test.app.db.begin().await.unwrap();
    let insert = format!(
        "INSERT INTO accounts (id, email, created_at) VALUES ('acc_x', 'x@y', {})",
        to_db(NOW)
    );
    tx.execute_unprepared(&insert).await.unwrap();
    drop(tx);
    assert!(storage::accounts::none(test.app.db.read()).await.unwrap());
    test.sign_up("ada@example.com").await;
}

#[tokio::test]
async fn old_rows_are_deleted() {
    let test = TestApp::new().await;
    let token = test.sign_up("ada@example.com").await;
    let body = serde_json::json!({"name": "F", "time_zone": "UTC"});
    test.post("/v1/vehicles")
        .bearer(&token)
        .header("idempotency-key", "k")
        .json(body)
        .send()
        .await;
    let rows = || async {
        let sql =
            "SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM idempotent_replies)";
        let db = test.app.db.read();
        let row = db
            .query_one_raw(sea_orm::Statement::from_string(
                db.get_database_backend(),
                sql,
            ))
            .await
            .unwrap();
        row.unwrap().try_get_by_index::<i64>(0).unwrap()
    };
    keys_api::jobs::run_once(&test.app).await;
    assert_eq!(rows().await, 2);
    test.clock.advance(31 * 24 * 3600);
    keys_api::jobs::run_once(&test.app).await;
    assert_eq!(rows().await, 0);
}

#[tokio::test]
async fn an_unknown_engine_is_refused() {
    let config = DatabaseConfig {
        url: "mysql://h/d".to_owned(),
        ..DatabaseConfig::default()
    };
    assert!(matches!(storage::open(&config).await, Err(OpenError::Url)));
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_the_database_and_the_master_key() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let config = config_in(&directory);
    let app = keys_api::App::open(config, keys_api::state::Surroundings::default())
        .await
        .unwrap();
    let rows = app.db.begin().await.unwrap();
    for file in ["latchkey.db", "latchkey.db-wal", "keys/master.key"] {
        let mode = std::fs::metadata(directory.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    drop(rows);
}

#[tokio::test]
async fn two_nodes_may_start_together_on_an_empty_database() {
    let directory = tempfile::tempdir().unwrap();
    let config = config_in(&directory).database;
    let (one, two) = tokio::join!(storage::open(&config), storage::open(&config));
    one.unwrap().close().await;
    two.unwrap().close().await;
}

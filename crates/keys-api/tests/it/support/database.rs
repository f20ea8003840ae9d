use keys_api::random::{self, SystemRandom};
use sea_orm::{ConnectionTrait, Database};

/// A new database on the PostgreSQL server of `LATCHKEY_TEST_POSTGRES`, if that is set.
pub async fn fresh_postgres() -> Option<String> {
    let server = std::env::var("LATCHKEY_TEST_POSTGRES").ok()?;
    let name = format!(
        "latchkey_{}",
        data_encoding::HEXLOWER.encode(&random::bytes::<8>(&SystemRandom))
    );
    let admin = Database::connect(&server).await.unwrap();
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    admin.close().await.unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    Some(format!("{host}/{name}"))
}

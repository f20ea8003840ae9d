//! Which arithmetic of the curve is built in, and which of it runs on this processor.
//!
//! The repository's `.cargo/config.toml` asks for AVX-512 on one target. The choice at run time must
//! then still end at AVX2 or at plain integers; `./test` runs this file, the vectors and the unit
//! tests of signatures on emulated processors and says in `LATCHKEY_CURVE_BACKEND` which to expect.

/// The rule of `curve25519-dalek`: the best of what is built in and of what the processor has.
fn chosen() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        let avx512 = std::arch::is_x86_feature_detected!("avx512ifma")
            && std::arch::is_x86_feature_detected!("avx512vl");
        if cfg!(curve25519_dalek_backend = "avx512") && avx512 {
            return "avx512";
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return "avx2";
        }
    }
    "serial"
}

#[test]
fn avx512_is_built_in_where_the_configuration_asks_for_it() {
    let asked = cfg!(all(
        target_arch = "x86_64",
        target_os = "linux",
        target_env = "gnu"
    ));
    assert_eq!(
        cfg!(curve25519_dalek_backend = "avx512"),
        asked,
        "RUSTFLAGS in the environment, or another configuration of cargo, replaces .cargo/config.toml"
    );
}

#[test]
fn the_processor_runs_the_back_end_that_is_expected() {
    let chosen = chosen();
    println!("curve backend: {chosen}");
    if let Ok(expected) = std::env::var("LATCHKEY_CURVE_BACKEND") {
        assert_eq!(chosen, expected, "as LATCHKEY_CURVE_BACKEND says");
    }
}

//! Which arithmetic of the curve runs here.

/// The back-end of the curve crate that is chosen on this machine, by the crate's own rule: the
/// best one that is built in and that the processor has.
pub(crate) fn backend() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        let has_avx512 = std::arch::is_x86_feature_detected!("avx512ifma")
            && std::arch::is_x86_feature_detected!("avx512vl");
        if cfg!(curve25519_dalek_backend = "avx512") && has_avx512 {
            return "avx512";
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return "avx2";
        }
    }
    "serial"
}

/// The back-ends this program was built with.
pub(crate) fn built_in() -> Vec<&'static str> {
    let mut built_in = vec!["serial"];
    if cfg!(target_arch = "x86_64") {
        built_in.insert(0, "avx2");
    }
    if cfg!(curve25519_dalek_backend = "avx512") {
        built_in.insert(0, "avx512");
    }
    built_in
}

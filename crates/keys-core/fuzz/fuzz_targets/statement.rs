#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keys_core_fuzz::run("statement", data));

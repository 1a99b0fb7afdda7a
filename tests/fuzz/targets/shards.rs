//! Fuzz target: see `shards` in entries/contract.rs.
#![no_main]

#[path = "../entries/contract.rs"]
#[expect(dead_code, reason = "a target is one of its functions")]
mod contract;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The reader refuses where the Parquet library panics; the fuzzer's own hook would stop before it can.
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| drop(std::panic::take_hook()));
    contract::shards(bytes);
});

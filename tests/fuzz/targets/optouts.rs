//! Fuzz target: see `optouts` in entries/claims.rs.
#![no_main]

#[path = "../entries/claims.rs"]
#[expect(dead_code, reason = "a target is one of its functions")]
mod claims;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claims::optouts(bytes));

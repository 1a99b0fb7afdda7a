//! Fuzz target: see `proofs` in entries/contract.rs.
#![no_main]

#[path = "../entries/contract.rs"]
#[expect(dead_code, reason = "a target is one of its functions")]
mod contract;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| contract::proofs(bytes));

//! Foreign bytes that fuzzing kept (tests/fuzz/corpus), given to the functions that it calls: nothing panics, memory is
//! bounded, and what is accepted is written as it was read.

#[path = "../../tests/fuzz/entries/claims.rs"]
mod claims;
#[path = "../../tests/fuzz/entries/replay.rs"]
mod replay;

#[test]
fn kept_inputs_are_read_or_refused() {
    replay::replay(claims::TARGETS);
}

//! Foreign bytes that fuzzing kept (tests/fuzz/corpus), given to the functions that it calls: nothing panics, memory is
//! bounded, and what is accepted is written as it was read.

#[path = "../../tests/fuzz/entries/contract.rs"]
mod contract;
#[path = "../../tests/fuzz/entries/replay.rs"]
mod replay;

#[test]
fn kept_inputs_are_read_or_refused() {
    replay::replay(contract::TARGETS);
}

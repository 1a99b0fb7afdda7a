//! Jobs without files of a corpus: resuming, atomic checkpoints, and stopping on NaN.

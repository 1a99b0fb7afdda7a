//! Filters: which documents a recipe keeps, and why it drops the others. A filter is named by what it equals
//! (`gopher@dolma`: dolma's attributes, dolma's cuts), for "the Gopher filter" is at least four different functions.
//! Pure functions of a text; knows nothing of licenses, files or where decisions are recorded.

mod chain;
mod gopher;
mod length;
mod python;

pub use chain::{Chain, Counts, Error, Facts, Filter, FilterToml, Reason};
pub use gopher::{Attributes, GopherThresholds};
pub use length::LengthThresholds;

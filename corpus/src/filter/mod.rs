//! Filters: which documents a recipe keeps, and why it drops the others. A filter is named by what it equals
//! (`gopher@dolma`: dolma's attributes, dolma's cuts), for "the Gopher filter" is at least four different functions.
//! Pure functions of a text and its address; knows nothing of licenses or where decisions are recorded.

mod chain;
mod facts;
mod gopher;
mod gopher_quality;
mod gopher_repetition;
mod length;
pub(crate) mod python;
mod recipe;

pub use chain::{Chain, DocumentView, Filter, Text};
pub use facts::{Counts, Edit, Edited, FactColumn, Facts, Kind, Outcome, Reason, Value};
pub use gopher::{Attributes, GopherThresholds};
pub use gopher_quality::GopherQualityThresholds;
pub use gopher_repetition::GopherRepetitionThresholds;
pub use length::LengthThresholds;
pub use recipe::{Error, FilterToml, Settings};

//! After a withdrawal: what holds the withdrawn text (`impact`), and a corpus without it (`rebuild`), made from the
//! published corpus alone. What a withdrawal forbids is decided by the gate, and not here.

mod evidence;
mod history;
pub mod impact;
mod locators;
mod make;
mod rebuild;
pub mod record;
mod release;
mod rewrite;
mod taken;

pub use rebuild::{RebuildOptions, RebuildReport, SetReport, rebuild};
pub use record::withdrawals;

pub(crate) use history::records;

//! Attacks, mounted on what the real programs made: each must be refused, with the place and the reason. The table in
//! docs/threat-model.md lists them with their checks and codes; a test there holds the two together.

mod bombs;
mod inputs;
mod liar;
mod models;
mod paths;
mod records;
mod reports;
mod shards;
mod table;
mod terms;
mod trust;

//! What a corpus or model folder holds and what became of every document, in numbers: the funnel of each set, reasons
//! with samples, throughput, histograms, domains, duplicates; and the whole story of one document. Every number is a
//! query over the folder's tables; nothing is judged (that is `audit`), and of what is signed nothing is believed that
//! its records do not name.

mod curation;
mod curation_text;
mod domains;
mod duplicates;
mod funnel;
mod histogram;
mod holdings;
mod html;
mod plot;
mod reasons;
mod report;
mod samples;
mod story;
mod text;
mod throughput;

pub use curation::{Curation, Missing};
pub use domains::DomainRow;
pub use duplicates::{ClusterRow, Duplicates, SizeRow};
pub use funnel::{Amount, Dropped, Funnel, Step};
pub use histogram::{Bin, Histogram, ValueRow};
pub use holdings::{
    ArtifactRow, DroppedRow, ExposureRow, LicenseRow, OutwardRow, SetRow, SourceRow, TierRow, TokenizerRow,
};
pub use html::{KIND, page};
pub use reasons::ReasonRow;
pub use report::{InspectReport, holdings, inspect};
pub use samples::{Excerpt, Sample};
pub use story::{Story, story};
pub use throughput::Throughput;

const SCHEMA: &str = "flexmix/inspect-report/v2";

#[cfg(test)]
mod tests;

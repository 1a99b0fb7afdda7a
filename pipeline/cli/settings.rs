//! From what was typed to what is meant: defaults filled in, files opened, contradictions refused.

use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::gate::{Gate, GateOptions};
use manifests::memory::Memory;
use manifests::policy::Policy;
use manifests::store::read_capped;
use manifests::trust::Trust;
use pipeline::policy::Rehearsal;

use crate::args::GateArgs;
use crate::failure::Outcome;

/// What a gate or a check of signatures rests on.
#[derive(Clone, Debug)]
pub(crate) struct GateSettings {
    /// The trust file.
    pub trust: Option<PathBuf>,
    /// The records folder.
    pub records: PathBuf,
    /// Whether the records folder was named or is there.
    pub has_records: bool,
    /// The day.
    pub as_of: Date,
    /// What was seen before, against rollbacks.
    pub memory: Memory,
}

impl GateSettings {
    /// Fills in what was not typed: records beside the corpus, today in UTC.
    pub(crate) fn resolve(typed: &GateArgs, dir: &Path) -> Self {
        let records = typed.records.clone().unwrap_or_else(|| records_of(dir));
        Self {
            trust: typed.trust.clone(),
            has_records: typed.records.is_some() || records.is_dir(),
            records,
            as_of: typed.as_of.unwrap_or_else(today),
            memory: Memory::of_user(),
        }
    }

    /// Opens the trust file, when there is one.
    pub(crate) fn open_trust(&self) -> Outcome<Option<Trust>> {
        let Some(path) = &self.trust else { return Ok(None) };
        let trust = Trust::open(path, self.as_of)?;
        self.memory.trust(&trust)?;
        Ok(Some(trust))
    }

    /// Opens the gate for a policy's own act.
    pub(crate) fn open_gate(&self, policy: &Path) -> Outcome<Gate> {
        let bytes = read_capped(policy, 1 << 20)?;
        let act = Policy::parse(policy, &bytes)?.act;
        Ok(Gate::open(&self.options(policy, act))?)
    }

    /// Opens the gate for a policy's own act, signed or a draft: for reports.
    pub(crate) fn rehearse(&self, policy: &Path) -> Outcome<Rehearsal> {
        let bytes = read_capped(policy, 1 << 20)?;
        let act = Policy::parse(policy, &bytes)?.act;
        let (gate, signed) = Gate::rehearse(&self.options(policy, act))?;
        Ok(Rehearsal { gate, signed })
    }

    fn options(&self, policy: &Path, act: manifests::policy::Act) -> GateOptions {
        GateOptions {
            policy: policy.to_path_buf(),
            trust: self.trust.clone(),
            records: self.records.clone(),
            as_of: self.as_of,
            act,
            memory: self.memory.clone(),
        }
    }
}

/// `records` in the folder, or in the corpus that a model folder lies in.
fn records_of(dir: &Path) -> PathBuf {
    let own = dir.join("records");
    let corpus = dir.canonicalize().ok().and_then(|d| Some(d.parent()?.parent()?.join("records")));
    match corpus {
        Some(outer) if !own.is_dir() && dir.join("index.dsse.json").is_file() && outer.is_dir() => outer,
        _ => own,
    }
}

/// The day in UTC. The only clock that decides anything; `--as-of` replaces it.
fn today() -> Date {
    Date::from(jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date())
}

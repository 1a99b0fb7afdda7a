//! What must be shown to others, verbatim: copyright statements, notices that a license makes travel with the work
//! (Apache-2.0 §4(d)), required notices, and the authors that a license text refers to.

use manifests::claim::{Claim, Scope, Speaker, Statement};
use manifests::date::Date;

use super::compare;
use super::folder::{name, text, upper};
use super::metadata;
use crate::source::EvidenceFile;

/// Somebody to be credited, in the words of metadata.
pub(super) fn credit(file: &EvidenceFile, line: usize, raw: &str, speaker: Speaker, date: Option<Date>) -> Claim {
    let statement = if raw.starts_with("Copyright") { Statement::Copyright } else { Statement::Attribution };
    claim(file, line, raw, statement, speaker, date)
}

/// The notices of a folder's files.
pub(super) fn of_folder(files: &[&EvidenceFile], speaker: Speaker, date: Option<Date>) -> Vec<Claim> {
    let mut out = Vec::new();
    let refers = files.iter().any(|f| is_text(f) && !is_authors(f) && text(f).contains("AUTHORS"));
    for file in files.iter().filter(|f| is_text(f)) {
        let whole = upper(&file.path).starts_with("NOTICE") || is_authors(file) && refers;
        let text = text(file);
        if whole && !text.trim().is_empty() {
            out.push(claim(file, 1, text.trim(), Statement::Attribution, speaker, date));
        } else {
            out.extend(lines(file, &text, speaker, date));
        }
    }
    out
}

fn is_text(file: &EvidenceFile) -> bool {
    metadata::read(name(&file.path), "").is_none() && !file.path.ends_with(".license")
}

fn is_authors(file: &EvidenceFile) -> bool {
    upper(&file.path).starts_with("AUTHORS")
}

/// Copyright lines and required notices, one claim each.
fn lines(file: &EvidenceFile, text: &str, speaker: Speaker, date: Option<Date>) -> Vec<Claim> {
    let mut after = false;
    let mut said = |line: &str| {
        after = compare::states_copyright(line) || after && compare::continues_copyright(line);
        let required = line.trim_start().starts_with("Required Notice:");
        if after { Some(Statement::Copyright) } else { required.then_some(Statement::Attribution) }
    };
    // Placeholders of a listed text are nobody's copyright.
    let real = |line: &str| !["[yyyy]", "<year>", "<YEAR>"].iter().any(|slot| line.contains(slot));
    let found = (1..).zip(text.lines()).filter(|(_, l)| real(l)).filter_map(|(n, l)| Some((n, l, said(l)?)));
    found.map(|(n, line, statement)| claim(file, n, line.trim(), statement, speaker, date)).collect()
}

fn claim(
    file: &EvidenceFile,
    line: usize,
    raw: &str,
    statement: Statement,
    speaker: Speaker,
    date: Option<Date>,
) -> Claim {
    Claim {
        speaker,
        scope: Scope::Collection,
        statement,
        raw: raw.to_owned(),
        locator: format!("{}:{line}", file.path),
        digest: file.digest,
        date,
    }
}

//! The claims on a whole source, folder by folder: the nearest folder above a document that says something of terms
//! speaks for it, and those above that one do not. Copyright statements and credits count from every folder above.

use std::collections::BTreeMap;

use manifests::claim::{Claim, Speaker, Statement};
use manifests::date::Date;

use super::files::{FileRules, file_rules};
use super::folder::{self, name};
use crate::source::EvidenceFile;

/// What a source's evidence says.
#[derive(Clone, Debug, Default)]
pub struct SourceClaims {
    /// The claims on folders, in the order of files and lines.
    pub claims: Vec<Claim>,
    /// Titles of the source's own license texts, in words, with the expression that declares them; a header that names
    /// one of them is read so.
    pub(super) titles: BTreeMap<String, String>,
    /// What each folder says; the empty one is the whole source.
    folders: BTreeMap<String, Vec<Claim>>,
    /// What evidence says of single files.
    pub(super) files: FileRules,
    speaker: Option<Speaker>,
}

impl SourceClaims {
    /// The claims on the folders above a document.
    #[must_use]
    pub fn above(&self, path: &str) -> Vec<Claim> {
        let mut out = Vec::new();
        let mut spoken = false;
        for claims in folders_above(path).filter_map(|folder| self.folders.get(folder)) {
            let on_terms = |c: &Claim| !matches!(c.statement, Statement::Copyright | Statement::Attribution);
            let speaks = |c: &Claim| on_terms(c) && Some(c.speaker) == self.speaker;
            out.extend(claims.iter().filter(|c| !spoken || !on_terms(c)).cloned());
            spoken |= claims.iter().any(speaks);
        }
        out
    }
}

/// The folders above a path, the nearest first, the empty one last.
fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    let up = |path| str::rsplit_once(path, '/').map_or("", |(up, _)| up);
    std::iter::successors(Some(up(path)), move |folder| (!folder.is_empty()).then_some(up(folder)))
}

/// The claims on the collection that `evidence` holds. `speaker` is whose words the package's are (the recipe knows:
/// its authors', or those of somebody who collected other people's text); `date` is the recipe's date of reading.
#[must_use]
pub fn source_claims(evidence: &[EvidenceFile], speaker: Speaker, date: Option<Date>) -> SourceClaims {
    let mut folders: BTreeMap<String, Vec<&EvidenceFile>> = BTreeMap::new();
    for file in evidence {
        let up = |path: &'_ str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        let folder = match name(&file.path) {
            _ if file.whole => String::new(),
            // `debian/copyright` and `.reuse/dep5` are about the folder that theirs is in.
            "copyright" | "dep5" => up(&up(&file.path)),
            _ => up(&file.path),
        };
        folders.entry(folder).or_default().push(file);
    }
    let mut out =
        SourceClaims { speaker: Some(speaker), files: file_rules(evidence, speaker, date), ..SourceClaims::default() };
    for (name, files) in folders {
        let said = folder::claims(&files, speaker, date);
        out.titles.extend(said.titles);
        out.claims.extend(said.claims.iter().cloned());
        if !said.claims.is_empty() {
            out.folders.insert(name, said.claims);
        }
    }
    out.claims.sort_by(folder::by_place);
    out
}

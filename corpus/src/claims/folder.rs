//! The claims on one folder, from the evidence files that speak for it.
//!
//! A field that declares an expression and the files that carry its texts are one act, so:
//! - a listed text that is a leaf of the declared expression says what the expression says (LICENSE-MIT beside
//!   `MIT OR Apache-2.0`); a listed text that is none of its leaves is a claim of its own, and contradicts;
//! - an unlisted text that the metadata names (`License-File`) is the text of the declared `LicenseRef-`;
//! - any other unlisted text is a claim that nobody can read, whatever the metadata declares.
//!
//! A name that fits several licenses ("BSD License") is quoted beside the exact statement that it fits, if there is one.

use std::collections::BTreeMap;

use manifests::claim::{Claim, Scope, Speaker};
use manifests::date::Date;
use manifests::license::Expression;

use super::metadata::{self, Metadata};
use super::texts::{self, Found};
use super::wording::Terms;
use super::{cards, compare, notices, readme, statement};
use crate::source::EvidenceFile;

/// What the evidence of a folder says.
#[derive(Default)]
pub(super) struct FolderClaims {
    /// The claims, in the order of files and lines.
    pub claims: Vec<Claim>,
    /// Titles of own license texts, in words, with the expression that declares them.
    pub titles: BTreeMap<String, String>,
}

/// A statement before it is a claim.
struct Heard<'a> {
    file: &'a EvidenceFile,
    line: usize,
    raw: String,
    terms: Terms,
}

/// The claims of a folder's files.
pub(super) fn claims(files: &[&EvidenceFile], speaker: Speaker, date: Option<Date>) -> FolderClaims {
    let mut out = FolderClaims::default();
    let mut heard: Vec<Heard> = Vec::new();
    let (mut package, mut claims) = (Metadata::default(), Vec::new());
    for file in files {
        let Some(read) = metadata_of(file) else { continue };
        package.name = package.name.or(read.name);
        package.files.extend(read.files);
        claims.extend(read.credits.iter().map(|(line, raw)| notices::credit(file, *line, raw, speaker, date)));
        heard.extend(read.said.into_iter().map(|s| Heard { file, line: s.line, raw: s.raw, terms: s.terms }));
    }
    let declared = declared(&heard);
    for file in files.iter().filter(|f| is_license_text(f, &package)) {
        let heard_text = license_text(file, &package, declared.as_ref(), &mut out.titles);
        heard.extend(heard_text);
    }
    for file in files.iter().filter(|f| upper(&f.path).starts_with("README")) {
        for section in readme::sections(&text(file)) {
            let terms = section.terms.clone().unwrap_or(Terms::Unreadable);
            let said = Heard { file, line: section.line, raw: section.raw, terms };
            if section.terms.is_some() {
                heard.push(said);
            } else {
                claims.push(claim(&said, Speaker::Detector, date));
            }
        }
    }
    for file in files.iter().filter(|f| f.whole && is_prose(f, &package)) {
        let said = license_text(file, &package, None, &mut BTreeMap::new());
        claims.extend(said.map(|said| claim(&said, Speaker::Detector, date)));
    }
    quote_families(&mut heard);
    claims.extend(heard.iter().map(|h| claim(h, speaker, date)));
    claims.extend(notices::of_folder(files, speaker, date));
    claims.sort_by(by_place);
    claims.dedup();
    out.claims = claims;
    out
}

/// Orders claims by file and line.
pub(super) fn by_place(a: &Claim, b: &Claim) -> std::cmp::Ordering {
    place(&a.locator).cmp(&place(&b.locator)).then_with(|| a.cmp(b))
}

fn metadata_of(file: &EvidenceFile) -> Option<Metadata> {
    let text = text(file);
    metadata::read(name(&file.path), &text).or_else(|| {
        let is_readme = upper(&file.path).starts_with("README");
        is_readme.then(|| cards::card(&text)).flatten()
    })
}

/// Orders `path:line` by the line's number.
fn place(locator: &str) -> (&str, usize) {
    locator.rsplit_once(':').map_or((locator, 0), |(path, line)| (path, line.parse().unwrap_or(0)))
}

fn claim(heard: &Heard, speaker: Speaker, date: Option<Date>) -> Claim {
    Claim {
        speaker,
        scope: Scope::Collection,
        statement: statement(&heard.terms),
        raw: heard.raw.clone(),
        locator: format!("{}:{}", heard.file.path, heard.line),
        digest: heard.file.digest,
        date,
    }
}

pub(super) fn text(file: &EvidenceFile) -> String {
    String::from_utf8_lossy(&file.bytes).into_owned()
}

pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(super) fn upper(path: &str) -> String {
    name(path).to_uppercase()
}

/// Whether a file is there for its license text. Notices, authors and third parties' terms are not.
fn is_license_text(file: &EvidenceFile, package: &Metadata) -> bool {
    let upper = upper(&file.path);
    let other =
        ["NOTICE", "AUTHORS", "THIRD", "README", "CONTRIBUTORS", "CREDITS"].iter().any(|o| upper.starts_with(o));
    // A tag beside a file, or patterns for files: `files` reads them.
    let other = other || upper.ends_with(".LICENSE") || upper == "REUSE.TOML";
    let usual = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE"].iter().any(|u| upper.starts_with(u));
    !other && (usual || is_named(file, package)) && metadata::read(name(&file.path), "").is_none()
}

/// Whether a file of the whole source may speak of terms and is none of those that are read as such: the recipe names
/// it, or it is called `COPYRIGHT`. It is a hint.
fn is_prose(file: &EvidenceFile, package: &Metadata) -> bool {
    let upper = upper(&file.path);
    let read = ["NOTICE", "AUTHORS", "README", "CREDITS", "CONTRIBUTORS", "REUSE.TOML"];
    let other = read.iter().any(|o| upper.starts_with(o));
    !other && !upper.ends_with(".LICENSE") && metadata_of(file).is_none() && !is_license_text(file, package)
}

fn is_named(file: &EvidenceFile, package: &Metadata) -> bool {
    package.files.iter().any(|f| file.path == *f || file.path.ends_with(&format!("/{f}")))
}

/// The one expression that metadata declares.
fn declared(heard: &[Heard]) -> Option<Expression> {
    let mut all = heard.iter().filter_map(|h| match &h.terms {
        Terms::Expression(text) => text.parse::<Expression>().ok(),
        _ => None,
    });
    let first = all.next()?;
    all.all(|e| e == first).then_some(first)
}

fn license_text<'a>(
    file: &'a EvidenceFile,
    package: &Metadata,
    declared: Option<&Expression>,
    titles: &mut BTreeMap<String, String>,
) -> Option<Heard<'a>> {
    let text = text(file);
    let mut lines = (1..).zip(text.lines()).filter(|(_, l)| l.chars().any(char::is_alphanumeric));
    let (at, first) =
        lines.clone().find(|(_, l)| !compare::is_copyright(l) && !compare::is_reserved(l)).or_else(|| lines.next())?;
    let leaves: Vec<&str> = declared.iter().flat_map(|d| d.leaves()).map(manifests::license::Leaf::as_str).collect();
    let whole = |e: &Expression| Terms::Expression(e.to_string());
    let (terms, what) = match texts::find(&text, package.name.as_deref()) {
        Found::Known(ids) => match (declared, ids.iter().find(|id| leaves.contains(&id.as_str()))) {
            (Some(declared), Some(id)) => (whole(declared), format!("the text of {id}")),
            _ if ids.len() == 1 => (Terms::id(&ids[0]).unwrap_or(Terms::Unreadable), format!("the text of {}", ids[0])),
            _ => (Terms::Unreadable, format!("the text of {}, which does not say which", ids.join(" and "))),
        },
        Found::Several(texts) => several(&texts, declared, &leaves),
        Found::Unknown { nearest } => {
            let custom: Vec<&&str> = leaves.iter().filter(|l| l.starts_with("LicenseRef-")).collect();
            match (declared, &custom[..]) {
                (Some(declared), [one]) if is_named(file, package) => {
                    titles.insert(compare::words(first), (**one).to_string());
                    (whole(declared), format!("an unlisted text, named as that of {one}"))
                }
                _ => (Terms::Unreadable, unlisted(nearest)),
            }
        }
    };
    Some(Heard { file, line: at, raw: format!("{} [{what}]", first.trim()), terms })
}

/// Several texts in one file say what the declared expression says when each is one of its leaves; else all of them.
fn several(texts: &[Vec<String>], declared: Option<&Expression>, leaves: &[&str]) -> (Terms, String) {
    let what = texts.iter().map(|ids| ids.join(" and ")).collect::<Vec<_>>().join(", then of ");
    let declared = declared.filter(|_| texts.iter().all(|ids| ids.iter().any(|id| leaves.contains(&id.as_str()))));
    let terms = declared.map(ToString::to_string).or_else(|| super::identify::all_of(texts));
    (terms.map_or(Terms::Unreadable, Terms::Expression), format!("the text of {what}"))
}

fn unlisted(nearest: Option<(&str, usize)>) -> String {
    nearest.map_or_else(
        || "no listed license text".to_owned(),
        |(id, words)| format!("no listed license text: {words} words differ from {id}"),
    )
}

/// Puts each ambiguous name beside the first exact statement that it fits; one that fits none stays, unreadable.
fn quote_families(heard: &mut Vec<Heard>) {
    let mut at = 0;
    while at < heard.len() {
        let fitting = match &heard[at].terms {
            Terms::Family(family) => heard.iter().position(|h| family.holds(&h.terms)),
            _ => None,
        };
        let Some(exact) = fitting else {
            at += 1;
            continue;
        };
        let family = format!(" · {} ({}:{})", heard[at].raw, heard[at].file.path, heard[at].line);
        heard[exact].raw += &family;
        heard.remove(at);
    }
}

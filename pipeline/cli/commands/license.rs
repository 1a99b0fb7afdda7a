//! `flexmix license identify`.

use corpus::claims::{Change, Identified, identify as identify_text};
use manifests::digest::Sha256;
use manifests::license::{Expression, reviewed};
use manifests::store::read_capped;
use serde::Serialize;

use crate::args::IdentifyArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::Output;

/// The most bytes of a license file. One of that size is never named (corpus/src/claims/texts.rs).
const MOST_BYTES: u64 = 16 << 20;

/// What the files are.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    digest: String,
    /// `listed`, or `decision-needed`.
    verdict: &'static str,
    /// What a claim on this text says.
    expression: Option<String>,
    /// The ids of each text in the file; several where the list gives them one text.
    texts: Vec<Vec<String>>,
    /// The properties of the expression's terms, when all are reviewed and there is no choice.
    properties: Option<Vec<&'static str>>,
    nearest: Option<Nearest>,
}

#[derive(Serialize)]
struct Nearest {
    id: String,
    changes: Vec<ChangeReport>,
}

#[derive(Serialize)]
struct ChangeReport {
    line: usize,
    added: String,
    removed: String,
}

pub(super) fn identify(args: &IdentifyArgs, output: &Output) -> Outcome<Exit> {
    let mut files = Vec::new();
    for path in &args.files {
        let bytes = read_capped(path, MOST_BYTES)?;
        let found = identify_text(&String::from_utf8_lossy(&bytes), args.package.as_deref());
        files.push(FileReport::new(path.display().to_string(), Sha256::of(&bytes).to_string(), found));
    }
    let decided = files.iter().all(|f| f.verdict == "listed");
    output.report(args.format, &Report { schema: "flexmix/license-report/v1", files }, text)?;
    Ok(if decided { Exit::Done } else { Exit::Denied })
}

impl FileReport {
    fn new(file: String, digest: String, found: Identified) -> Self {
        let mut report = Self {
            file,
            digest,
            verdict: "decision-needed",
            expression: None,
            texts: vec![],
            properties: None,
            nearest: None,
        };
        match found {
            Identified::Listed { texts, expression } => {
                report.verdict = "listed";
                report.properties = expression.as_deref().and_then(properties);
                report.expression = expression;
                report.texts = texts;
            }
            Identified::Near { id, changes } => {
                let change = |c: Change| ChangeReport { line: c.line, added: c.added, removed: c.removed };
                report.nearest = Some(Nearest { id, changes: changes.into_iter().map(change).collect() });
            }
            Identified::Unlisted => {}
        }
        report
    }
}

/// The properties of an expression without a choice, when every leaf is reviewed.
fn properties(expression: &str) -> Option<Vec<&'static str>> {
    let expression: Expression = expression.parse().ok()?;
    let terms: Option<Vec<_>> = expression.leaves().into_iter().map(reviewed).collect();
    let mut out: Vec<_> = terms?.iter().flat_map(|t| t.properties).map(|p| p.as_str()).collect();
    out.sort_unstable();
    out.dedup();
    (!expression.has_choice()).then_some(out)
}

fn text(report: &Report) -> String {
    report.files.iter().map(file_text).collect()
}

fn file_text(file: &FileReport) -> String {
    if file.verdict == "listed" {
        return listed_text(file);
    }
    let Some(nearest) = &file.nearest else {
        return format!("{}: a decision is needed: near no text of the SPDX list\n  {}\n", file.file, file.digest);
    };
    let mut text = format!(
        "{}: a decision is needed: no text of the SPDX list; nearest is {}, from which it parts here:\n",
        file.file, nearest.id
    );
    for change in &nearest.changes {
        for (sign, words) in [('+', &change.added), ('-', &change.removed)] {
            if !words.is_empty() {
                text.push_str(&format!("  line {:>4}  {sign} {words}\n", change.line));
            }
        }
    }
    text + &format!("  (+ words that only the file has, - words that only the listed text has)\n  {}\n", file.digest)
}

fn listed_text(file: &FileReport) -> String {
    let terms = match (&file.properties, &file.expression) {
        (Some(properties), _) if properties.is_empty() => "asks nothing".to_owned(),
        (Some(properties), _) => format!("terms: {}", properties.join(", ")),
        (None, Some(_)) => "terms not reviewed: denied until they are".to_owned(),
        (None, None) => "the text is shared by several licenses; a declaration must say which".to_owned(),
    };
    let texts = file.texts.iter().map(|ids| ids.join(" or ")).collect::<Vec<_>>().join(", and then ");
    format!("{}: exactly the text of {texts} ({terms})\n", file.file)
}

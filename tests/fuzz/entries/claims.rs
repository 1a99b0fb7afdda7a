//! What is done with foreign bytes that speak about terms: license files, package metadata, readmes, opt-outs, headers
//! and fields of records, and the archives around them. Nothing panics, and no claim says more than was said.

use std::fs;
use std::path::PathBuf;

use corpus::claims::{SourceClaims, document_claims, source_claims};
use corpus::document::{Context, Declared, Document};
use corpus::optout::{AI_AGENTS, Kind, Sites, Snapshot};
use corpus::source::{EvidenceFile, SourceToml};
use manifests::claim::{Claim, Speaker, Statement};
use manifests::digest::Sha256;
use manifests::license::Expression;

/// A target: its name, and what it does with bytes.
type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("archives", archives),
    ("evidence", evidence),
    ("fields", fields),
    ("optouts", optouts),
    ("restrictions", restrictions),
];

/// A claim is written as it is kept, and what it concludes is an expression in its one form.
fn check(claims: &[Claim]) {
    for claim in claims {
        let written = serde_json::to_vec(claim).unwrap_or_default();
        assert_eq!(serde_json::from_slice::<Claim>(&written).ok().as_ref(), Some(claim));
        if let Statement::License { expression: Some(text) } = &claim.statement {
            let parsed = text.parse::<Expression>();
            // Words of not knowing are kept under the name that SPDX has for them, and conclude nothing.
            assert!(parsed.is_ok() || text == "NOASSERTION", "a claim concludes `{text}`, which is no expression");
        }
    }
}

fn file(path: &str, bytes: &[u8]) -> EvidenceFile {
    EvidenceFile { path: path.to_owned(), bytes: bytes.to_vec(), digest: Sha256::of(bytes), whole: false }
}

/// An evidence file: its name on the first line, then its bytes.
pub(crate) fn evidence(bytes: &[u8]) {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let (name, content) = (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 1..).unwrap_or_default());
    check(&source_claims(&[file(&name, content)], Speaker::Rightsholder, None).above("fuzzed"));
}

fn declared(raw: &str) -> Declared {
    Declared { raw: raw.to_owned(), speaker: Speaker::Source, locator: "r#0/field".into() }
}

/// A document of nothing but its head, at an address.
fn document(head: &str) -> Option<Document> {
    Some(Document {
        source: "fuzzed".parse().ok()?,
        path: "r".to_owned(),
        record: 0,
        ordinal: 0,
        declared_id: None,
        text: head.to_owned(),
        bytes_in: head.len() as u64,
        bytes_added: 0,
        bytes_removed: 0,
        claims: vec![],
        context: Context {
            record_digest: Sha256::of(head.as_bytes()),
            head: head.to_owned(),
            page: Some(head.to_owned()),
            url: Some("https://example.org/a/b.html?c=d".to_owned()),
            headers: None,
            license: None,
            copyright: None,
            attributions: vec![],
        },
    })
}

/// A record: its license field on the first line, then the head of its text.
pub(crate) fn fields(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (field, head) = text.split_once('\n').unwrap_or((&text, ""));
    let Some(mut document) = document(head) else { return };
    document.context.license = Some(declared(field));
    document.context.copyright = Some(declared(field));
    check(&document_claims(&document, &SourceClaims::default(), None));
}

/// What a site says against mining: the kind on the first line, then the snapshot, the response's header or the page.
/// What is not said of this host says nothing.
pub(crate) fn optouts(bytes: &[u8]) {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let content = bytes.get(end + 1..).unwrap_or_default();
    let text = String::from_utf8_lossy(content);
    let (kind, url) = match &bytes[..end] {
        b"robots" => (Kind::Robots, "robots.txt"),
        b"tdmrep" => (Kind::Tdmrep, ".well-known/tdmrep.json"),
        b"rsl" => (Kind::Rsl, "rsl.xml"),
        _ => (Kind::Headers, "a"),
    };
    let (Some(mut document), Ok(read_at)) = (document(&text), "2026-11-24".parse()) else { return };
    document.context.headers = Some(declared(&text));
    let snapshot = |host: &str| Snapshot {
        kind,
        url: format!("https://{host}/{url}"),
        status: 200,
        reserved: None,
        quote: String::new(),
        agents: AI_AGENTS.iter().map(|a| (*a).to_owned()).collect(),
        read_at,
        locator: "snapshot".to_owned(),
        bytes: content.to_vec(),
        digest: Sha256::of(content),
    };
    let of = |snapshots: Vec<Snapshot>| Sites::new(snapshots).claims(&document, None);
    check(&of(vec![snapshot("example.org")]));
    assert_eq!(of(vec![snapshot("example.net")]), of(vec![]), "a snapshot of another host says something");
}

/// A sentence within a known license: the place (one byte), then the words. Whatever it says, what holds it is no
/// longer that license, unless it says nothing.
pub(crate) fn restrictions(bytes: &[u8]) {
    const MIT: &str = include_str!("mit.txt");
    let Some((place, words)) = bytes.split_first() else { return };
    let words = String::from_utf8_lossy(words);
    if !words.chars().any(char::is_alphanumeric) {
        return;
    }
    let lines: Vec<&str> = MIT.lines().collect();
    let at = usize::from(*place) % (lines.len() + 1);
    let text = [&lines[..at], &[words.as_ref()], &lines[at..]].concat().join("\n");
    let claims = source_claims(&[file("LICENSE", text.as_bytes())], Speaker::Rightsholder, None).above("fuzzed");
    check(&claims);
    let restricts = ["not for training", "no machine learning", "non-commercial use only", "must not be used"];
    if restricts.iter().any(|r| words.to_lowercase().contains(r)) {
        let is_mit = |c: &Claim| matches!(&c.statement, Statement::License { expression: Some(e) } if e == "MIT");
        assert!(!claims.iter().any(is_mit), "a restriction was swallowed: {words}");
    }
}

/// An archive: read to its end, as tar, zip and compressed tar, with every record accounted for.
pub(crate) fn archives(bytes: &[u8]) {
    for name in ["a.tar", "a.zip", "a.tar.gz", "a.jsonl.gz"] {
        let folder: PathBuf = std::env::temp_dir().join(format!("flexmix-fuzz-{}", std::process::id())).join("archive");
        if fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(name), bytes)).is_err() {
            panic!("{} cannot be written", folder.display());
        }
        let format = if name.ends_with("jsonl.gz") { "jsonl" } else { "plain" };
        let table = format!(
            "id = \"s\"\nset = \"public\"\ntitle = \"t\"\naccess = \"public\"\nread_at = 2026-11-24\nobject = \"{name}\"\n\
             sha256 = \"{}\"\nformat = \"{format}\"\n",
            Sha256::of(bytes)
        );
        let Ok(Ok(spec)) = toml::from_str::<SourceToml>(&table).map(SourceToml::validate) else {
            panic!("the table of `{name}` is refused");
        };
        let Ok(reader) = corpus::source::open(spec, &folder) else { continue };
        _ = reader.source().evidence();
        for outcome in reader {
            if let Ok(corpus::document::Outcome::Document(d)) = outcome {
                assert_eq!(d.bytes_in + d.bytes_added, d.bytes_out() + d.bytes_removed);
            }
        }
    }
}

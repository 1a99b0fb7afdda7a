//! Throughput of what every document goes through: normalise, filter, tokenize. `FLEXMIX_TEXT` names a file of text;
//! without it the text is this crate's own sources, repeated. Figures go to standard output, one line each.

use std::io::Write as _;
use std::time::Instant;

use corpus::filter::{Chain, DocumentView, FilterToml};
use corpus::normalize::digest;
use corpus::tokenize::{Tokenizer, train_bpe};

fn sources() -> String {
    let mut text = String::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => text.push_str(&std::fs::read_to_string(path).unwrap_or_default()),
            }
        }
    }
    text.repeat(40)
}

fn measure(name: &str, documents: &[&str], mut work: impl FnMut(&str)) -> std::io::Result<()> {
    let bytes: usize = documents.iter().map(|d| d.len()).sum();
    let start = Instant::now();
    documents.iter().for_each(|d| work(d));
    let speed = bytes as f64 / 1e6 / start.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{name:<28} {speed:>8.1} MB/s over {} documents", documents.len())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = std::env::var("FLEXMIX_TEXT").map_or_else(|_| Ok(sources()), std::fs::read_to_string)?;
    let mut documents = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (document, more) = rest.split_at(rest.floor_char_boundary(4096.min(rest.len())));
        documents.push(document);
        rest = more;
    }
    measure("normalise and digest", &documents, |d| _ = std::hint::black_box(digest(d)))?;
    let gopher: FilterToml = serde_json::from_str(r#"{"name": "gopher@dolma"}"#)?;
    let (chain, set) = (Chain::new(vec![gopher])?, "public".parse()?);
    measure("gopher@dolma", &documents, |d| {
        _ = std::hint::black_box(chain.apply(&set, &DocumentView { text: d, url: None }));
    })?;
    let small = Tokenizer::from_json(&train_bpe(&documents[..documents.len().min(500)], 4096)?)?;
    for (name, tokenizer) in [("tokenize, dolma2", Tokenizer::dolma2()?), ("tokenize, trained 4k", small)] {
        let mut ids = Vec::new();
        let mut failed = None;
        measure(name, &documents, |d| {
            ids.clear();
            failed = tokenizer.encode_into(d, &mut ids).err().or(failed.take());
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    Ok(())
}

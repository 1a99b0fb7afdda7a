//! Cuts texts as [`corpus::segment`] does, for comparison with spaCy (tests/golden/fuzz_spacy.py): a JSON string a line
//! on standard input, on standard output a JSON array of the tokens and one of the sentences.

use std::io::{BufRead as _, BufWriter, Write as _};

use corpus::segment::{Span, sentences, tokens};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut spans = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        tokens(&text, &mut spans);
        let words = |spans: &[Span]| spans.iter().map(|span| text[span.clone()].to_owned()).collect::<Vec<_>>();
        serde_json::to_writer(&mut out, &[words(&spans), words(&sentences(&text))])?;
        writeln!(out)?;
    }
    Ok(())
}

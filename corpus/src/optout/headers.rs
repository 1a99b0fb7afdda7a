//! Header fields of the response that a document came in: TDMRep, AI preferences, `X-Robots-Tag` and links to RSL.

use manifests::claim::Signal;

use super::{Said, tdmrep, usage};

/// Header fields, by name in lower case, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Headers(Vec<(String, String, usize)>);

impl Headers {
    /// Reads the head of a response as it came, with or without its status line; it ends at a blank line.
    pub(super) fn parse(text: &str) -> Self {
        let lines = (1..).zip(text.lines()).take_while(|(n, line)| *n == 1 || !line.trim().is_empty());
        let field = |(number, line): (usize, &str)| {
            let (name, value) = line.split_once(':')?;
            (!name.is_empty() && !name.contains([' ', '/']))
                .then(|| (name.to_lowercase(), value.trim().to_owned(), number))
        };
        Self(lines.filter_map(field).collect())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a (String, String, usize)> {
        self.0.iter().filter(move |(n, ..)| n == name)
    }

    /// What the fields say.
    pub(super) fn said(&self) -> Vec<Said> {
        let quote = |(name, value, _): &(String, String, usize)| format!("{name}: {value}");
        let mut out = Vec::new();
        for field in self.all("tdm-reservation") {
            out.push(Said::new(Signal::Tdmrep, tdmrep::value_of(&field.1), quote(field), field.2));
        }
        let preferences: Vec<_> = self.all("content-usage").collect();
        if let Some(first) = preferences.first() {
            // A field that is sent twice is one dictionary.
            let joined = preferences.iter().map(|f| f.1.as_str()).collect::<Vec<_>>().join(", ");
            out.extend(usage::said(&joined, &format!("content-usage: {joined}"), first.2));
        }
        for field in self.all("x-robots-tag").filter(|f| has_noai(&f.1)) {
            out.push(Said::new(Signal::Noai, Some(true), quote(field), field.2));
        }
        for field in self.all("link").filter(|f| links_rsl(&f.1)) {
            out.push(Said::new(Signal::Rsl, None, format!("{} [the document was not read]", quote(field)), field.2));
        }
        out
    }
}

/// Whether a robots tag has `noai`, for everybody or for a named agent (`GPTBot: noai`).
pub(super) fn has_noai(value: &str) -> bool {
    value.split([',', ':', ' ']).any(|word| word.trim().eq_ignore_ascii_case("noai"))
}

fn links_rsl(value: &str) -> bool {
    let lower = value.to_lowercase();
    lower.contains("application/rsl+xml") && lower.contains("license")
}

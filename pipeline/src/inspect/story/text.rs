//! A document's story in words, from where it came from to where it went.

use serde_json::Value;

use super::{FilterStep, Outcome, Story};
use crate::policy::{Copy, claim_lines};
use crate::words::{counted, measure, plain, thousands, visible};

impl Story {
    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let parts = [
            self.head(),
            self.origin_text(),
            self.terms_text(),
            self.filters_text(),
            self.facts_text(),
            self.duplicates_text(),
            self.place_text(),
            format!("Next\n  {}\n  says what a policy makes of its terms\n\n{}\n", plain(&self.next), self.trust),
        ];
        visible(&parts.concat())
    }

    fn word(&self, column: &str) -> Option<String> {
        self.ledger.get(column).and_then(Value::as_str).map(plain)
    }

    fn count(&self, column: &str) -> u64 {
        self.ledger.get(column).and_then(Value::as_u64).unwrap_or(0)
    }

    fn head(&self) -> String {
        let declared = self.word("declared_id").map_or_else(String::new, |id| format!(", which its record calls {id}"));
        let mut text = format!("document {}{declared}\n", self.word("doc_id").unwrap_or_default());
        let (decision, stage) = (self.word("decision").unwrap_or_default(), self.word("stage").unwrap_or_default());
        text += &match self.word("reason") {
            Some(reason) => {
                let meaning = reason.parse::<manifests::reason::Reason>();
                let meaning = meaning.map_or_else(|_| String::new(), |r| format!(" [{}], {}", r.code(), r.meaning()));
                let detail = self.word("detail").map_or_else(String::new, |d| format!("\n  {d}"));
                format!("{} at stage {stage}: {reason}{meaning}{detail}\n\n", decision.to_uppercase())
            }
            None => format!("{} at stage {stage}\n\n", decision.to_uppercase()),
        };
        text
    }

    fn origin_text(&self) -> String {
        let origin = &self.origin;
        let title = origin.title.as_ref().map_or_else(String::new, |t| format!(", \"{}\"", plain(t)));
        let record = match (origin.record, origin.ordinal) {
            (Some(record), Some(0)) => format!(", record {record}"),
            (Some(record), Some(ordinal)) => format!(", record {record}, document {ordinal} of it"),
            _ => String::new(),
        };
        let object = origin.object.as_deref().unwrap_or("not pinned by the recipe");
        let url = self.word("url").map_or_else(String::new, |url| format!("  address  {url}\n"));
        format!(
            "Where it came from\n  source   {}{title}\n  object   {object}\n  path     {}{record}\n{url}  set      {}\n\n",
            origin.source,
            plain(&origin.path),
            self.word("set").unwrap_or_default(),
        )
    }

    fn terms_text(&self) -> String {
        let mut text = "What was said about its terms (* the conclusion rests on it)\n".to_owned();
        if self.claims.is_empty() {
            text += "   nothing\n";
        }
        let (doc_id, source) = (self.word("doc_id").unwrap_or_default(), &self.origin.source);
        for claim in &self.claims {
            text += &claim_lines(claim, &doc_id, source);
        }
        text += "How the conclusion followed\n";
        for sentence in &self.followed {
            text += &format!("  {sentence}\n");
        }
        if let Some(cell) = &self.cell {
            let none = || "none".to_owned();
            text += &format!(
                "  terms    {}, {}, basis {}\n",
                cell.license.as_deref().map_or_else(none, plain),
                cell.state,
                cell.basis.as_deref().map_or_else(none, plain)
            );
        }
        text + "\n"
    }

    fn filters_text(&self) -> String {
        if self.filters.is_empty() {
            return String::new();
        }
        let line = |(n, step): (usize, &FilterStep)| {
            let found = match (step.value, step.threshold) {
                (Some(value), Some(threshold)) => {
                    format!(": value {}, threshold {}", measure(value), measure(threshold))
                }
                _ => String::new(),
            };
            let said = match step.outcome {
                Outcome::Passed => "passed",
                Outcome::Dropped => "DROPPED",
                Outcome::NotReached => "not reached",
                Outcome::NotForThisSet => "not for this set",
                Outcome::NotKnown => "not known: the corpus has no facts table",
            };
            format!("  {} {}: {said}{found}\n", n + 1, plain(&step.filter))
        };
        let steps: String = self.filters.iter().enumerate().map(line).collect();
        format!("Filters, in the recipe's order\n{steps}\n")
    }

    fn facts_text(&self) -> String {
        let mut text = String::new();
        let width = self.facts.iter().map(|f| f.name.chars().count()).max().unwrap_or(0);
        for fact in &self.facts {
            let value = match &fact.value {
                Value::Null => "not computed".to_owned(),
                Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), measure),
                Value::String(text) => plain(text),
                other => plain(&other.to_string()),
            };
            text += &format!("  {:width$}  {value}\n", plain(&fact.name));
        }
        if let Some(excerpt) = &self.excerpt {
            let marked = if excerpt.marked.is_empty() { String::new() } else { format!("⟦{}⟧", excerpt.marked) };
            text += &format!(
                "  its text, about the span: \"{}\"\n",
                plain(&format!("{}{marked}{}", excerpt.before, excerpt.after))
            );
        }
        if text.is_empty() { text } else { format!("What was found out about its text\n{text}\n") }
    }

    fn duplicates_text(&self) -> String {
        let line = |copy: &Copy| format!("{} {}: {}, {}", copy.doc_id, copy.source, plain(&copy.path), copy.decision);
        let mut text = String::new();
        let survivor = self.survivor.as_ref().map(|copy| &copy.doc_id);
        for copy in self.copies.iter().filter(|copy| survivor != Some(&copy.doc_id)) {
            text += &format!("  same text    {}\n", line(copy));
        }
        let matched = self.matched.as_ref().filter(|copy| survivor != Some(&copy.doc_id));
        for (name, other) in [("stood for by", self.survivor.as_ref()), ("matched     ", matched)] {
            text += &other.map_or_else(String::new, |copy| format!("  {name} {}\n", line(copy)));
        }
        for copy in &self.stands_for {
            text += &format!("  stands for   {}\n", line(copy));
        }
        if self.count("cluster_size") > 1 {
            text += &format!("  its cluster has {}\n", counted(self.count("cluster_size"), "document"));
        }
        if text.is_empty() {
            text += "  none\n";
        }
        format!("Equal and similar documents\n{text}\n")
    }

    fn place_text(&self) -> String {
        let [read, added, removed, out] =
            ["bytes_in", "bytes_added", "bytes_removed", "bytes_out"].map(|name| thousands(self.count(name)));
        let mut text = format!(
            "Where it went\n  bytes    {read} read + {added} added - {removed} removed = {out} of text that stays\n"
        );
        if let Some(shard) = self.word("shard") {
            text += &format!(
                "  shard    sets/{}/{shard}, row {}\n  tokens   {}, {}\n",
                self.word("set").unwrap_or_default(),
                thousands(self.count("row")),
                thousands(self.count("n_tokens")),
                if self.count("copies") == 1 { "once".to_owned() } else { format!("{} times", self.count("copies")) },
            );
        }
        for (name, column) in [("tier", "tier"), ("cell", "cell"), ("text", "digest")] {
            text += &self.word(column).map_or_else(String::new, |value| format!("  {name:8} {value}\n"));
        }
        text + "\n"
    }
}

//! The words of a comparison: totals first, then what changes sides with the lines that make it so.

use super::because::Because;
use super::diff::{DiffReport, Sums};
use crate::words::{percent, plain, thousands};

fn reasons(because: &[Because], file: &str) -> String {
    because.iter().map(|b| format!("      {}: {}\n", b.place(file), plain(&b.detail))).collect()
}

fn sums(sums: &Sums) -> String {
    let share = |part: u64| format!("{} ({})", thousands(part), percent(part, sums.tokens));
    format!(
        "first permits {} of {} tokens, second {}; gained {} documents, {} tokens; lost {} documents, {} tokens",
        share(sums.first),
        thousands(sums.tokens),
        share(sums.second),
        thousands(sums.gained_documents),
        thousands(sums.gained),
        thousands(sums.lost_documents),
        thousands(sums.lost)
    )
}

impl DiffReport {
    /// Whether anything changes sides.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.moved.is_empty() && self.experts.is_empty()
    }

    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("first:  {}\nsecond: {}\n\n", self.first.in_words(), self.second.in_words());
        text += &format!("in all: {}\n", sums(&self.total));
        for set in self.sets.iter().filter(|s| s.gained + s.lost + s.gained_documents + s.lost_documents > 0) {
            text += &format!("set {}: {}\n", set.set.as_deref().unwrap_or(""), sums(set));
        }
        text += &format!("experts and anchors: {} of {} change sides\n", self.experts.len(), self.compared);
        for (gained, title, file) in [
            (true, "Denied by the first, permitted by the second", &self.first.file),
            (false, "Permitted by the first, denied by the second", &self.second.file),
        ] {
            let moved: Vec<_> = self.moved.iter().filter(|m| m.gained == gained).collect();
            let experts: Vec<_> = self.experts.iter().filter(|e| e.gained == gained).collect();
            if moved.is_empty() && experts.is_empty() {
                continue;
            }
            text += &format!("\n{title} (by the lines of {file})\n");
            for one in moved {
                text += &format!(
                    "  set {}, {}: {} documents, {} tokens (tier {}, cell {})\n{}",
                    one.set,
                    one.license,
                    thousands(one.documents),
                    thousands(one.tokens),
                    one.tier,
                    one.cell,
                    reasons(&one.because, file)
                );
            }
            for one in experts {
                text += &format!("  {} of model {}\n{}", one.id, one.model, reasons(&one.because, file));
            }
        }
        if self.is_same() {
            text += "\nNothing changes sides here.\n";
        } else if !self.moved.is_empty() {
            text += "\nThe documents of a line: flexmix query DIR \"SELECT doc_id FROM documents WHERE \\\"set\\\" = 'SET' AND cell = N\"\n";
        }
        text
    }
}

//! The words of an explained document: how a conclusion followed from claims by the stated rules (docs/semantics.md §1),
//! and the whole report, from the claims down to what would change the verdict.

use std::collections::BTreeSet;

use super::DocumentReport;
use super::because::rule;
use super::explain::{CellWords, ClaimRow, Copy, Where};
use crate::words::{counted, excerpt, plain, short, thousands, visible};

const CONCLUDES: [&str; 3] = ["license", "public-domain", "contract"];

/// Claims that are heard for a document: of those who may conclude, a contract's, else those on the work, else those on
/// the collection.
fn heard(claims: &[ClaimRow], doc_id: &str, source: &str) -> Vec<bool> {
    let speaks = |c: &ClaimRow| is_about(c, doc_id, source) && may_conclude(c);
    let groups: [fn(&ClaimRow) -> bool; 3] =
        [|c| c.kind == "contract", |c| c.scope == "work", |c| c.scope == "collection"];
    let group = groups.into_iter().find(|group| claims.iter().any(|c| speaks(c) && group(c)));
    claims.iter().map(|c| speaks(c) && group.is_some_and(|group| group(c))).collect()
}

fn is_about(claim: &ClaimRow, doc_id: &str, source: &str) -> bool {
    claim.source == source && claim.doc_id.as_ref().is_none_or(|id| id == doc_id)
}

fn may_conclude(claim: &ClaimRow) -> bool {
    CONCLUDES.contains(&claim.kind.as_str()) && matches!(claim.speaker.as_str(), "rightsholder" | "source")
}

/// Tells how the document's state followed, and marks the claims that were heard, its own and its copies'.
pub(crate) fn followed(claims: &mut [ClaimRow], document: &Where, copies: &[Copy]) -> Vec<String> {
    let own = |c: &&ClaimRow| is_about(c, &document.doc_id, &document.source);
    let mut sentences = Vec::new();
    let listed = claims.iter().filter(own).filter(|c| CONCLUDES.contains(&c.kind.as_str()) && !may_conclude(c)).count();
    if listed > 0 {
        let what = if listed == 1 { "1 statement is".to_owned() } else { format!("{listed} statements are") };
        sentences.push(format!("{what} by an aggregator or a program: listed, and nothing follows from that"));
    }
    let mine = heard(claims, &document.doc_id, &document.source);
    let counting: Vec<&ClaimRow> = claims.iter().zip(&mine).filter(|(_, heard)| **heard).map(|(c, _)| c).collect();
    let others = claims.iter().filter(own).any(|c| may_conclude(c) && counting.iter().all(|h| h.scope != c.scope));
    let why = match counting.first() {
        None => Some("nobody who may conclude (rightsholder or source) said anything on the terms"),
        Some(claim) if claim.kind == "contract" => {
            Some("a contract between owner and builder speaks, and stands before public statements")
        }
        Some(claim) if claim.scope == "work" && others => {
            Some("a statement on the work itself stands before one on the collection it came in")
        }
        Some(_) => None,
    };
    sentences.extend(why.map(str::to_owned));
    let said: BTreeSet<String> =
        counting.iter().map(|c| c.expression.clone().unwrap_or_else(|| excerpt(&c.raw))).collect();
    let list = said.iter().map(|s| format!("`{}`", plain(s))).collect::<Vec<_>>().join(" and ");
    match (said.len(), counting.len()) {
        (0, _) => {}
        (1, 1) => sentences.push(format!("the statement that counts says {list}")),
        (1, n) => sentences.push(format!("the {n} statements that count agree on {list}")),
        _ => sentences.push(format!("the statements that count differ: {list}")),
    }
    if !copies.is_empty() {
        let sources: BTreeSet<&str> = copies.iter().map(|c| c.source.as_str()).collect();
        sentences.push(format!(
            "the same text stands in {} more (of {}); a copy that says nothing changes nothing, and one that says \
             otherwise makes all of them contradicted",
            counted(copies.len() as u64, "document"),
            sources.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    if let Some(state) = &document.state {
        sentences.push(format!("so the terms are: {state}"));
    }
    let all = copies.iter().map(|c| heard(claims, &c.doc_id, &c.source)).chain([mine]).collect::<Vec<_>>();
    for (place, claim) in claims.iter_mut().enumerate() {
        claim.heard = all.iter().any(|heard| heard[place]);
    }
    sentences
}

/// A claim in two lines, as seen from a document.
pub(crate) fn claim_lines(claim: &ClaimRow, doc_id: &str, source: &str) -> String {
    let about = match (&claim.doc_id, claim.scope.as_str()) {
        (Some(id), _) if id != doc_id => format!("a copy in {}", claim.source),
        (None, _) if claim.source != source => format!("all of {}", claim.source),
        (_, "work") => "this work".to_owned(),
        (_, "access") => "access to it".to_owned(),
        (_, other) => format!("the {other}"),
    };
    let mark = if claim.heard { "*" } else { " " };
    let means = claim.expression.as_ref().map_or_else(String::new, |e| format!(" → {e}"));
    let read = claim.date.as_ref().map_or_else(String::new, |d| format!(", read {d}"));
    format!(
        " {mark} the {} says of {about}, {}{means}: \"{}\"\n     {}, {}{read}\n",
        claim.speaker,
        claim.kind,
        excerpt(&claim.raw),
        plain(&claim.locator),
        short(&claim.digest)
    )
}

/// Terms and origin, a line each.
pub(super) fn cell_lines(cell: &CellWords) -> String {
    let or_none = |list: &[String], none: &str| if list.is_empty() { none.to_owned() } else { list.join(", ") };
    let mut text = format!("  terms    {}\n", cell.license.as_deref().unwrap_or("none stated"));
    if let Some(elected) = &cell.elected {
        text += &format!("  elected  {elected}, by a signed election\n");
    }
    text += &format!("  state    {}\n  basis    {}\n", cell.state, cell.basis.as_deref().unwrap_or("none"));
    text += &format!("  sources  {}\n", or_none(&cell.sources, "not said (a closed set)"));
    text += &format!(
        "  rights   {}\n",
        or_none(&cell.rightsholders.iter().map(|r| plain(r)).collect::<Vec<_>>(), "nobody named")
    );
    text += &format!("  opt-outs {}\n", or_none(&cell.optouts, "no signal was looked at"));
    if !cell.is_exact {
        text += "  (put together from the ledger: it keeps no rightsholders and opt-outs of what was dropped)\n";
    }
    text
}

impl DocumentReport {
    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (document, file) = (&self.document, &self.policy.file);
        let answer = if self.permitted { "PERMITTED" } else { "DENIED" };
        let mut text = format!("{answer} document {}\n{}\n\n", document.doc_id, self.policy.in_words());
        text += &format!("{} of source {}, set {}\n", plain(&document.path), document.source, document.set);
        text += &match (document.decision.as_str(), &document.reason) {
            ("dropped", Some(reason)) => {
                let detail = document.detail.as_deref().filter(|d| d != reason);
                let detail = detail.map_or_else(String::new, |d| format!(" ({})", plain(d)));
                format!("dropped when the corpus was built: {reason}{detail}\n")
            }
            (decision, _) => format!(
                "{decision}, {} tokens{}\n",
                thousands(document.n_tokens),
                document.shard.as_ref().map_or_else(String::new, |s| format!(", in {s}"))
            ),
        };
        text += "\nWhat was said (* the conclusion rests on it)\n";
        if self.claims.is_empty() {
            text += "   nothing\n";
        }
        for claim in &self.claims {
            text += &claim_lines(claim, &document.doc_id, &document.source);
        }
        text += "\nHow the conclusion followed\n";
        for sentence in &self.followed {
            text += &format!("  {sentence}\n");
        }
        if let Some(cell) = &self.cell {
            text += &format!("\nWhat the policy is asked about\n{}", cell_lines(cell));
        }
        text += "\nWhat the policy says\n";
        for permits in &self.permits {
            text += &format!("  for      {}\n", rule(permits, file));
        }
        for denial in &self.denials {
            text += &format!(
                "  against  {}\n           {}: {}\n",
                denial.place(file),
                denial.meaning,
                plain(&denial.detail)
            );
        }
        if let Some(queued) = &self.queued {
            text += &format!("  queued   {}: it waits for the policy's owner\n", rule(queued, file));
        }
        if self.cell.is_none() {
            text += "  nothing: the record could not be read, so there is no text to use\n";
        }
        let ways: BTreeSet<&str> = self.denials.iter().map(|d| d.way_out).collect();
        if !ways.is_empty() {
            text += "\nWhat would change it\n";
        }
        for way in ways {
            text += &format!("  {way}\n");
        }
        visible(&text)
    }
}

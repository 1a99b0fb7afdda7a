//! An inspection in words: aligned tables, one a subject; an empty one is left out.

use super::{InspectReport, curation_text};
use crate::words::{grid, plain, thousands, visible};

/// A column: its name, and whether it holds numbers.
pub(super) type Heading = (&'static str, bool);

/// A titled table, or nothing when it has no lines.
pub(super) fn section(title: &str, columns: &[Heading], lines: Vec<Vec<String>>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let names: Vec<String> = columns.iter().map(|c| c.0.to_owned()).collect();
    let right: Vec<bool> = columns.iter().map(|c| c.1).collect();
    let lines: Vec<Vec<String>> = lines.into_iter().map(|line| line.iter().map(|cell| plain(cell)).collect()).collect();
    format!("{title}\n{}\n", grid(&names, &lines, &right))
}

fn or_none(value: &Option<String>) -> String {
    value.clone().unwrap_or_else(|| "none".to_owned())
}

fn or_unsaid(value: Option<u64>) -> String {
    value.map_or_else(|| "not said".to_owned(), thousands)
}

impl InspectReport {
    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if self.kind == crate::query::Kind::Outward {
            text += &format!("{}\n\n", crate::audit::OUTWARD_TREE);
        }
        text += &self.sets_text();
        text += &match &self.curation {
            Some(curation) => curation_text::all(curation),
            None => self.dropped_text(),
        };
        text += &self.terms_text();
        text += &self.weights_text();
        text += &format!("{}\n", self.trust);
        visible(&text)
    }

    fn sets_text(&self) -> String {
        let sets = self.sets.iter().map(|r| {
            let counts = [r.read, r.kept, r.held_out, r.dropped, r.bytes_in, r.tokens].map(thousands);
            [r.set.clone(), r.access.clone()].into_iter().chain(counts).collect()
        });
        let outward = self.outward.iter().map(|r| {
            let words = [r.set.clone(), or_none(&r.license), r.state.clone(), or_none(&r.basis)];
            words.into_iter().chain([or_unsaid(r.at_most), r.manifest.clone()]).collect()
        });
        let of_sets: [Heading; 8] = [
            ("set", false),
            ("access", false),
            ("read", true),
            ("kept", true),
            ("held out", true),
            ("dropped", true),
            ("bytes in", true),
            ("tokens", true),
        ];
        let of_outward: [Heading; 6] = [
            ("set", false),
            ("terms", false),
            ("state", false),
            ("basis", false),
            ("tokens at most", true),
            ("public manifest", false),
        ];
        let outward_title = "closed sets, as their owner tells of them (tokens: a bound on the whole set)";
        section("documents by set", &of_sets, sets.collect()) + &section(outward_title, &of_outward, outward.collect())
    }

    fn dropped_text(&self) -> String {
        let columns = [("set", false), ("stage", false), ("reason", false), ("documents", true), ("bytes", true)];
        let lines = self.dropped.iter().map(|r| {
            vec![r.set.clone(), r.stage.clone(), r.reason.clone(), thousands(r.documents), thousands(r.bytes)]
        });
        section("dropped by reason", &columns, lines.collect())
    }

    fn terms_text(&self) -> String {
        let tiers =
            self.tiers.iter().map(|r| vec![r.set.clone(), r.tier.clone(), thousands(r.documents), thousands(r.tokens)]);
        let terms = self.licenses.iter().map(|r| {
            let words = [or_none(&r.license), r.state.clone(), or_none(&r.basis)];
            words.into_iter().chain([r.documents, r.tokens].map(thousands)).collect()
        });
        let sources = self.sources.iter().map(|r| {
            let counts = [r.read, r.kept, r.tokens].map(thousands);
            [r.set.clone(), r.source.clone()].into_iter().chain(counts).collect()
        });
        let tokenizers = self
            .tokenizers
            .iter()
            .map(|r| vec![r.tokenizer.clone(), r.digest.clone(), thousands(r.vocabulary), thousands(r.sets)]);
        [
            section(
                "training tokens by tier",
                &[("set", false), ("tier", false), ("documents", true), ("tokens", true)],
                tiers.collect(),
            ),
            section(
                "training tokens by terms",
                &[("terms", false), ("state", false), ("basis", false), ("documents", true), ("tokens", true)],
                terms.collect(),
            ),
            section(
                "sources",
                &[("set", false), ("source", false), ("read", true), ("kept", true), ("tokens", true)],
                sources.collect(),
            ),
            section(
                "tokenizers",
                &[("tokenizer", false), ("digest", false), ("vocabulary", true), ("sets", true)],
                tokenizers.collect(),
            ),
        ]
        .concat()
    }

    fn weights_text(&self) -> String {
        let artifacts = self.artifacts.iter().map(|r| {
            let signed = r.verified.map_or("not checked", |v| if v { "verified" } else { "BROKEN" });
            let words = [r.model.clone(), r.subject.clone(), r.artifact.clone(), r.assurance.clone()];
            words.into_iter().chain([thousands(r.steps), signed.to_owned(), r.files_root.clone()]).collect()
        });
        let exposure = self.exposure.iter().map(|r| {
            let words = [r.artifact.clone(), r.kind.clone(), r.set.clone(), or_none(&r.license), r.state.clone()];
            words.into_iter().chain([r.documents, r.tokens, r.at_most].map(or_unsaid)).collect()
        });
        let of_artifacts: [Heading; 7] = [
            ("model", false),
            ("subject", false),
            ("id", false),
            ("assurance", false),
            ("steps", true),
            ("signatures", false),
            ("files root", false),
        ];
        let of_exposure: [Heading; 8] = [
            ("artifact", false),
            ("kind", false),
            ("set", false),
            ("terms", false),
            ("state", false),
            ("documents", true),
            ("tokens", true),
            ("at most", true),
        ];
        section("weights", &of_artifacts, artifacts.collect())
            + &section("exposure of the weights", &of_exposure, exposure.collect())
    }
}

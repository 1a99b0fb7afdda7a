//! What a recipe names and a source does not have: patterns that match no path and fields that no record has. A slip
//! there shows as documents without terms, so it is told.

use std::collections::BTreeSet;

use super::globs::Globs;

/// The names that have met nothing so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Unused {
    patterns: Vec<(String, Globs)>,
    fields: BTreeSet<String>,
}

impl Unused {
    /// Watches the patterns of a key.
    pub(super) fn patterns(&mut self, key: &str, patterns: &[String]) -> Result<(), String> {
        for pattern in patterns {
            let globs = Globs::new(std::slice::from_ref(pattern))?;
            self.patterns.push((format!("{key} `{pattern}` matches no path"), globs));
        }
        Ok(())
    }

    /// Watches a field of records.
    pub(super) fn field(&mut self, path: &str) {
        self.fields.insert(path.to_owned());
    }

    /// What whoever sees paths has to watch.
    pub(super) fn patterns_alone(&self) -> Self {
        Self { patterns: self.patterns.clone(), fields: BTreeSet::new() }
    }

    /// What whoever sees records has to watch.
    pub(super) fn fields_alone(&self) -> Self {
        Self { patterns: Vec::new(), fields: self.fields.clone() }
    }

    /// A path of the source.
    pub(super) fn path(&mut self, path: &str) {
        self.patterns.retain(|(_, globs)| !globs.matches(path));
    }

    /// A field that a record has.
    pub(super) fn has_field(&mut self, path: &str) {
        self.fields.remove(path);
    }

    /// What met nothing, one sentence each.
    pub(super) fn list(&self) -> Vec<String> {
        let patterns = self.patterns.iter().map(|(what, _)| what.clone());
        patterns.chain(self.fields.iter().map(|f| format!("no record says anything in the field `{f}`"))).collect()
    }
}

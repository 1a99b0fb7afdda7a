//! TDM Reservation Protocol: `/.well-known/tdmrep.json`, a list of locations of which the first that matches speaks.

use manifests::claim::Signal;
use serde_json::Value;

use super::Said;
use super::pattern::Pattern;

/// One location with what it says.
#[derive(Clone, Debug)]
struct Rule {
    location: Pattern,
    reserved: Option<bool>,
    raw: String,
    line: usize,
}

/// A site's file.
#[derive(Clone, Debug)]
pub(super) struct Tdmrep(Vec<Rule>);

impl Tdmrep {
    /// Reads a file.
    ///
    /// # Errors
    /// Why it is none; the whole file is unreadable when one of its rules is.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| e.to_string())?;
        let list = value.as_array().ok_or("not a list of locations")?;
        let mut after = 0;
        let rules = list.iter().map(|item| {
            let location = item["location"].as_str().ok_or("a rule has no location")?;
            let reservation = item.get("tdm-reservation").ok_or("a rule has no tdm-reservation")?;
            after = text[after..].find("\"location\"").map_or(after, |at| after + at + 1);
            let line = text[..after].matches('\n').count() + 1;
            let reserved = value_of(&reservation.to_string());
            Ok(Rule { location: Pattern::new(location), reserved, raw: item.to_string(), line })
        });
        rules.collect::<Result<_, &str>>().map(Self).map_err(str::to_owned)
    }

    /// What the first rule that matches says.
    pub(super) fn said(&self, path: &str) -> Option<Said> {
        let rule = self.0.iter().find(|rule| rule.location.matches(path))?;
        Some(Said::new(Signal::Tdmrep, rule.reserved, rule.raw.clone(), rule.line))
    }
}

/// `1` reserves and `0` does not; any other value is unset, and never permits.
pub(super) fn value_of(text: &str) -> Option<bool> {
    match text.trim().trim_matches('"').trim() {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

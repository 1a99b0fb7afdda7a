//! Claims that a recipe states itself: what a person read, in whose words and where (semantics.md §1).

use manifests::claim::{Claim, Scope, Signal, Speaker, Statement};
use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::license::Expression;
use serde::Deserialize;

/// A `[[source.claim]]` table as written: what a person read and where. Exactly one of `license`, `public_domain`,
/// `contract`, `optout` and `unreadable` says what follows from it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimToml {
    speaker: Speaker,
    scope: Scope,
    license: Option<String>,
    public_domain: Option<Vec<String>>,
    contract: Option<ContractToml>,
    optout: Option<OptOutToml>,
    #[serde(default)]
    unreadable: bool,
    raw: String,
    locator: String,
    #[serde(default)]
    pub(super) paths: Vec<String>,
    #[expect(dead_code, reason = "a note is for the recipe's readers")]
    note: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractToml {
    id: String,
    expression: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptOutToml {
    signal: Signal,
    reserved: bool,
}

impl ClaimToml {
    /// The claim that the table states.
    pub(super) fn meaning(&self, digest: Sha256, date: Date) -> Result<Claim, String> {
        let mut meanings = Vec::new();
        if let Some(text) = &self.license {
            meanings.push(Statement::License { expression: Some(canonical(text)?) });
        }
        if let Some(places) = &self.public_domain {
            if places.is_empty() {
                return Err("`public_domain` names no place; `*` is everywhere".to_owned());
            }
            places.iter().try_for_each(|place| manifests::place::check(place))?;
            meanings.push(Statement::PublicDomain { places: places.clone() });
        }
        if let Some(contract) = &self.contract {
            let expression = canonical(&contract.expression)?;
            meanings.push(Statement::Contract { id: contract.id.clone(), expression });
        }
        if let Some(optout) = &self.optout {
            meanings.push(Statement::OptOut { signal: optout.signal, reserved: Some(optout.reserved) });
        }
        if self.unreadable {
            meanings.push(Statement::License { expression: None });
        }
        let count = meanings.len();
        let statement = meanings.pop().filter(|_| count == 1);
        let statement = statement.ok_or_else(|| {
            format!("says {count} things, expected one of license, public_domain, contract, optout, unreadable")
        })?;
        let (raw, locator) = (self.raw.clone(), self.locator.clone());
        Ok(Claim { speaker: self.speaker, scope: self.scope, statement, raw, locator, digest, date: Some(date) })
    }
}

fn canonical(text: &str) -> Result<String, String> {
    text.parse::<Expression>().map(|e| e.to_string()).map_err(|e| e.to_string())
}

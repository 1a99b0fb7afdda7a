//! Terms tiers: the label by which a set is partitioned into experts (semantics.md §2). A tier decides nothing;
//! verdicts are always recomputed from cells.

use std::collections::BTreeSet;

use crate::exposure::Cell;
use crate::license::Property;
use crate::policy::TermsSource;

/// The tier label of a cell, `state/basis/property+property`: documents of one tier stand or fall together under any
/// policy by properties. Terms that nobody reviewed, and open choices, are part of the label, so that they stand alone.
#[must_use]
pub fn tier(cell: &Cell, terms: &dyn TermsSource) -> String {
    let basis = cell.basis.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let properties = match (&cell.expression, cell.elected()) {
        (None, _) => "-".to_owned(),
        (Some(_), None) => "election-missing".to_owned(),
        (Some(_), Some(elected)) => {
            let leaves = elected.leaves();
            let unreviewed: Vec<&str> =
                leaves.iter().filter(|l| terms.properties(l).is_none()).map(|l| l.as_str()).collect();
            let known: BTreeSet<Property> = leaves.iter().filter_map(|l| terms.properties(l)).flatten().collect();
            match (unreviewed.is_empty(), known.is_empty()) {
                (false, _) => format!("unreviewed:{}", unreviewed.join("+")),
                (true, true) => "none".to_owned(),
                (true, false) => known.iter().map(|p| p.as_str()).collect::<Vec<_>>().join("+"),
            }
        }
    };
    format!("{}/{basis}/{properties}", cell.state)
}

/// Whether tier `strict` asks everything that tier `lax` asks, at the same state and basis: a small lax tier may join
/// a stricter one, never the other way.
#[must_use]
pub fn is_stricter(strict: &str, lax: &str) -> bool {
    let (Some((strict_base, strict_props)), Some((lax_base, lax_props))) =
        (strict.rsplit_once('/'), lax.rsplit_once('/'))
    else {
        return false;
    };
    let set = |text: &str| -> BTreeSet<String> {
        text.split('+').filter(|p| *p != "none" && *p != "-").map(str::to_owned).collect()
    };
    let plain = |text: &str| !text.starts_with("unreviewed:") && text != "election-missing";
    // Where no expression stands, none joins: what permits the one says nothing of the other.
    if (strict_props == "-") != (lax_props == "-") {
        return false;
    }
    strict_base == lax_base && plain(strict_props) && plain(lax_props) && set(strict_props).is_superset(&set(lax_props))
}

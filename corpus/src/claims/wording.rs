//! From words to terms: SPDX expressions, ids that the list has retired, the names that people use, lists and
//! addresses. Exact tables only. A name that fits several licenses ("BSD") is a family: it names none of them.

use manifests::license::Expression;

use super::{names, urls};

/// What words amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Terms {
    /// A canonical expression.
    Expression(String),
    /// A dedication or mark, valid in these places as far as the words go.
    PublicDomain(Vec<String>),
    /// A name that fits each of these ids, and names none.
    Family(names::Family),
    /// Words that are no terms we know.
    Unreadable,
}

impl Terms {
    /// The expression `id`, in any case, if it is one.
    pub(super) fn id(id: &str) -> Option<Self> {
        id.parse::<Expression>().ok().map(|e| Self::Expression(e.to_string())).or_else(|| retired(id))
    }

    fn expression(&self) -> Option<&str> {
        match self {
            Self::Expression(text) => Some(text),
            _ => None,
        }
    }
}

/// Ids that the SPDX list has retired, in the meaning that the list gives them: `GPL-3.0` is "GNU General Public License
/// v3.0 only" and `GPL-3.0+` is "or later". Those whose new form is an exception or a choice stay unreadable.
fn retired(id: &str) -> Option<Terms> {
    let (plain, later) = id.strip_suffix('+').map_or((id, false), |plain| (plain, true));
    let gnu = [
        "AGPL-1.0", "AGPL-3.0", "GFDL-1.1", "GFDL-1.2", "GFDL-1.3", "GPL-1.0", "GPL-2.0", "GPL-3.0", "LGPL-2.0",
        "LGPL-2.1", "LGPL-3.0",
    ];
    let known = gnu.iter().find(|known| known.eq_ignore_ascii_case(plain))?;
    let now = format!("{known}-{}", if later { "or-later" } else { "only" });
    now.parse::<Expression>().ok().map(|e| Terms::Expression(e.to_string()))
}

/// Whether the SPDX list has retired `id`.
pub(super) fn is_retired(id: &str) -> bool {
    spdx::license_id(id).is_some_and(spdx::LicenseId::is_deprecated)
}

/// What a declared license field says, in whichever of its shapes: expression, name, address, prose with an address,
/// a JSON list or a list with commas.
pub(super) fn declared(raw: &str) -> Terms {
    let text = raw.trim();
    if let Ok(list) = serde_json::from_str::<Vec<String>>(text) {
        return all_of(list.iter().map(|item| declared(item)));
    }
    let whole = one(text);
    if whole != Terms::Unreadable || !text.contains(',') {
        return whole;
    }
    all_of(text.split(',').map(one))
}

/// Several licenses declared as a list mean AND (semantics.md §1).
pub(super) fn all_of(items: impl Iterator<Item = Terms>) -> Terms {
    let items: Vec<Terms> = items.collect();
    match items.as_slice() {
        [] => Terms::Unreadable,
        [only] => only.clone(),
        _ => {
            let parts: Option<Vec<String>> = items.iter().map(|t| t.expression().map(|e| format!("({e})"))).collect();
            parts.and_then(|parts| Terms::id(&parts.join(" AND "))).unwrap_or(Terms::Unreadable)
        }
    }
}

fn one(text: &str) -> Terms {
    let text = text.trim();
    if let Some(terms) = Terms::id(text).or_else(|| names::terms(text)) {
        return terms;
    }
    let addresses: Vec<&str> = urls::find(text).collect();
    let mut named = addresses.iter().filter_map(|url| urls::terms(url));
    let (Some(terms), None) = (named.next(), named.next()) else { return Terms::Unreadable };
    // Prose beside an address must not say more than the address does: Common Pile writes
    // "Creative Commons - Attribution - https://…/by/4.0/".
    let prose = addresses.iter().fold(text.to_owned(), |prose, url| prose.replace(url, " "));
    if names::agrees(&prose, &terms) { terms } else { Terms::Unreadable }
}

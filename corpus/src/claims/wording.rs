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
    /// Words by which somebody says that nothing is known, as `NOASSERTION` does.
    Silent,
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

/// Whether the SPDX list has retired `id`, or `id` is one of the crate's that name no license.
pub(super) fn is_retired(id: &str) -> bool {
    matches!(id, "NOASSERTION" | "NONE") || spdx::license_id(id).is_some_and(spdx::LicenseId::is_deprecated)
}

/// What a declared license field says, in whichever of its shapes: expression, name, address, prose with an address,
/// a JSON list or a list with commas.
pub(super) fn declared(raw: &str) -> Terms {
    let text = raw.trim();
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    if let Some(items) = listed(text) {
        return all_of(items.iter().map(|item| declared(item)));
    }
    // `License :: OSI Approved :: MIT License`, a classifier in a field.
    let text = text.strip_prefix("License ::").map_or(text, |rest| rest.rsplit("::").next().unwrap_or(rest));
    let whole = one(text);
    if whole != Terms::Unreadable {
        return whole;
    }
    let separator = [',', ';', '\n'].into_iter().find(|c| text.contains(*c));
    separator.map_or(whole, |separator| all_of(text.split(separator).map(str::trim).filter(|t| !t.is_empty()).map(one)))
}

/// The items of a JSON list, or of a list as Python prints it.
fn listed(text: &str) -> Option<Vec<String>> {
    if let Ok(list) = serde_json::from_str::<Vec<String>>(text) {
        return Some(list);
    }
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    let items = inside.split(',').map(str::trim).filter(|item| !item.is_empty());
    let bare = |item: &str| item.strip_prefix('\'').and_then(|i| i.strip_suffix('\'')).map(str::to_owned);
    items.map(bare).collect()
}

/// Words for not knowing. "None" in SPDX's sense, that there is no license, is a statement and not among them.
fn is_silent(text: &str) -> bool {
    let silent = ["", "noassertion", "unknown", "n/a", "null", "nan", "not specified", "unspecified", "no assertion"];
    silent.contains(&text.to_lowercase().as_str())
}

/// Several licenses declared as a list mean AND (semantics.md §1).
pub(super) fn all_of(items: impl Iterator<Item = Terms>) -> Terms {
    joined(items, " AND ")
}

/// Several licenses of which the format says that one may be chosen.
pub(super) fn any_of(items: impl Iterator<Item = Terms>) -> Terms {
    joined(items, " OR ")
}

fn joined(items: impl Iterator<Item = Terms>, operator: &str) -> Terms {
    let items: Vec<Terms> = items.collect();
    match items.as_slice() {
        [] => Terms::Silent,
        [only] => only.clone(),
        [first, rest @ ..] if rest.iter().all(|t| t == first) => first.clone(),
        _ => {
            let parts: Option<Vec<String>> = items.iter().map(|t| t.expression().map(|e| format!("({e})"))).collect();
            parts.and_then(|parts| Terms::id(&parts.join(operator))).unwrap_or(Terms::Unreadable)
        }
    }
}

fn one(text: &str) -> Terms {
    let text = text.trim();
    if is_silent(text) {
        return Terms::Silent;
    }
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

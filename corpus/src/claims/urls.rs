//! License URLs: which terms an address names. A table, never a fetch; an address that is not in it names nothing.

use super::wording::Terms;

/// Hosts and paths that name one id each, without scheme, `www.` and ending.
const FIXED: &[(&str, &str)] = &[
    ("apache.org/licenses/license-2.0", "Apache-2.0"),
    ("apache.org/licenses/license-1.1", "Apache-1.1"),
    ("mozilla.org/mpl/2.0", "MPL-2.0"),
    ("mozilla.org/en-us/mpl/2.0", "MPL-2.0"),
    ("unlicense.org", "Unlicense"),
    ("gnu.org/licenses/gpl-2.0", "GPL-2.0-only"),
    ("gnu.org/licenses/gpl-3.0", "GPL-3.0-only"),
    ("gnu.org/licenses/lgpl-2.1", "LGPL-2.1-only"),
    ("gnu.org/licenses/lgpl-3.0", "LGPL-3.0-only"),
    ("gnu.org/licenses/agpl-3.0", "AGPL-3.0-only"),
    ("gnu.org/licenses/fdl-1.3", "GFDL-1.3-only"),
    ("opendatacommons.org/licenses/pddl/1-0", "PDDL-1.0"),
    ("opendatacommons.org/licenses/pddl/1.0", "PDDL-1.0"),
    ("opendatacommons.org/licenses/by/1-0", "ODC-By-1.0"),
    ("opendatacommons.org/licenses/by/1.0", "ODC-By-1.0"),
    ("opendatacommons.org/licenses/odbl/1-0", "ODbL-1.0"),
    ("opendatacommons.org/licenses/odbl/1.0", "ODbL-1.0"),
    ("boost.org/license_1_0", "BSL-1.0"),
    ("polyformproject.org/licenses/noncommercial/1.0.0", "PolyForm-Noncommercial-1.0.0"),
    ("polyformproject.org/licenses/small-business/1.0.0", "PolyForm-Small-Business-1.0.0"),
    ("nationalarchives.gov.uk/doc/open-government-licence/version/3", "OGL-UK-3.0"),
    ("cdla.dev/permissive-2-0", "CDLA-Permissive-2.0"),
    ("cdla.dev/permissive-1-0", "CDLA-Permissive-1.0"),
];

/// The terms that `url` names.
pub(super) fn terms(url: &str) -> Option<Terms> {
    let address = bare(url)?;
    if let Some(rest) = address.strip_prefix("creativecommons.org/") {
        return creative_commons(rest);
    }
    if let Some((_, id)) = FIXED.iter().find(|(known, _)| *known == address) {
        return Terms::id(id);
    }
    let listed = ["spdx.org/licenses/", "opensource.org/licenses/", "opensource.org/license/"];
    let name = listed.iter().find_map(|host| address.strip_prefix(host))?;
    (!name.contains('/')).then(|| Terms::id(name)).flatten()
}

/// The address without scheme, `www.`, query, ending and final slash, in lower case.
fn bare(url: &str) -> Option<String> {
    let lower = url.trim().trim_end_matches(['.', ',', ';', ')', '>', ']']).to_ascii_lowercase();
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))
        .or_else(|| lower.strip_prefix("//"))?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let endings = [".html", ".txt", ".en", ".php", ".json", ".md"];
    let cut = |text: &str| endings.iter().find_map(|e| text.strip_suffix(e)).map(str::to_owned);
    let mut out = rest.to_owned();
    while let Some(shorter) = cut(&out) {
        out = shorter;
    }
    Some(out)
}

/// `licenses/by-nc/4.0[/de][/legalcode]` and `publicdomain/…`.
fn creative_commons(path: &str) -> Option<Terms> {
    let mut parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    if parts.last().is_some_and(|p| p.starts_with("legalcode") || p.starts_with("deed")) {
        parts.pop();
    }
    match parts[..] {
        ["publicdomain", "zero", "1.0"] => Terms::id("CC0-1.0"),
        // The mark says that no known copyright is left anywhere; it is no license.
        ["publicdomain", "mark", "1.0"] => Some(Terms::PublicDomain(vec!["*".to_owned()])),
        ["licenses", kind, version] => Terms::id(&format!("CC-{kind}-{version}")),
        // A ported license is another text; where the list has no id for the port, nothing is named.
        ["licenses", kind, version, port] => Terms::id(&format!("CC-{kind}-{version}-{port}")),
        _ => None,
    }
}

/// Every address in `text`.
pub(super) fn find(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("http").map(|(at, _)| &text[at..]);
    starts.filter(|rest| rest.starts_with("http://") || rest.starts_with("https://")).map(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')' | ']' | '}' | '`'));
        rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ',', ';', ':'])
    })
}

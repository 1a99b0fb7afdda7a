//! The names that people give to licenses. A name stands here only if it means one license; the rest are families.

use super::wording::Terms;

/// A name that fits several licenses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Ids that begin so.
    Prefix(&'static [&'static str]),
    /// Any license that is not approved by the Open Source Initiative.
    NotOpen,
    /// Any that is.
    Open,
    /// Any that forbids commercial use.
    NonCommercial,
    /// A public-domain dedication, as a classifier has it: no license.
    PublicDomain,
}

impl Family {
    /// Whether terms that were said elsewhere are what this name may have meant.
    pub(super) fn holds(self, terms: &Terms) -> bool {
        let Terms::Expression(text) = terms else {
            return self == Self::PublicDomain && matches!(terms, Terms::PublicDomain(_));
        };
        let ids = || text.split([' ', '(', ')']).filter(|w| !matches!(*w, "" | "AND" | "OR" | "WITH"));
        let open = |id: &str| spdx::license_id(id).is_some_and(spdx::LicenseId::is_osi_approved);
        match self {
            Self::Prefix(prefixes) => ids().any(|id| prefixes.iter().any(|p| id.starts_with(p))),
            Self::NotOpen => !ids().any(open),
            Self::Open => ids().any(open),
            Self::NonCommercial => ids().any(|id| id.contains("-NC") || id.to_lowercase().contains("noncommercial")),
            Self::PublicDomain => ids().any(|id| matches!(id, "CC0-1.0" | "Unlicense" | "PDDL-1.0" | "CC-PDDC")),
        }
    }
}

const BSD: Family = Family::Prefix(&["BSD-", "0BSD"]);
const GPL: Family = Family::Prefix(&["GPL-"]);
const LGPL: Family = Family::Prefix(&["LGPL-"]);
const APACHE: Family = Family::Prefix(&["Apache-"]);
const PYTHON: Family = Family::Prefix(&["PSF-", "Python-"]);

/// Names that mean one license, as [`plain`] writes them.
const EXACT: &[(&str, &str)] = &[
    ("mit", "MIT"),
    ("mit mit", "MIT"),
    ("expat", "MIT"),
    ("mit expat", "MIT"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache v2", "Apache-2.0"),
    ("apache v2.0", "Apache-2.0"),
    ("apache version 2", "Apache-2.0"),
    ("apache version 2.0", "Apache-2.0"),
    ("apache software 2.0", "Apache-2.0"),
    ("apache software version 2.0", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("bsd 3 clause", "BSD-3-Clause"),
    ("3 clause bsd", "BSD-3-Clause"),
    ("three clause bsd", "BSD-3-Clause"),
    ("bsd three clause", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("modified bsd", "BSD-3-Clause"),
    ("revised bsd", "BSD-3-Clause"),
    ("bsd 3 clause new or revised", "BSD-3-Clause"),
    ("bsd 2 clause", "BSD-2-Clause"),
    ("2 clause bsd", "BSD-2-Clause"),
    ("two clause bsd", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("freebsd", "BSD-2-Clause"),
    ("zero clause bsd", "0BSD"),
    ("bsd zero clause", "0BSD"),
    ("isc", "ISC"),
    ("isc iscl", "ISC"),
    ("mozilla public 2.0", "MPL-2.0"),
    ("mozilla public 2.0 mpl 2.0", "MPL-2.0"),
    ("mozilla public version 2.0", "MPL-2.0"),
    ("mpl 2.0", "MPL-2.0"),
    ("mpl2", "MPL-2.0"),
    ("unlicense", "Unlicense"),
    ("zlib", "Zlib"),
    ("zlib libpng", "Zlib"),
    ("boost software 1.0", "BSL-1.0"),
    ("artistic 2.0", "Artistic-2.0"),
    ("eclipse public 2.0", "EPL-2.0"),
    ("eclipse public 1.0", "EPL-1.0"),
    ("european union public 1.2", "EUPL-1.2"),
    ("business source 1.1", "BUSL-1.1"),
    ("gplv2", "GPL-2.0-only"),
    ("gplv3", "GPL-3.0-only"),
    ("gpl v2", "GPL-2.0-only"),
    ("gpl v3", "GPL-3.0-only"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("gnu general public v2", "GPL-2.0-only"),
    ("gnu general public v2 gplv2", "GPL-2.0-only"),
    ("gnu general public v3", "GPL-3.0-only"),
    ("gnu general public v3 gplv3", "GPL-3.0-only"),
    ("gnu general public v2 or later gplv2+", "GPL-2.0-or-later"),
    ("gnu general public v3 or later gplv3+", "GPL-3.0-or-later"),
    ("gnu lesser general public v3 lgplv3", "LGPL-3.0-only"),
    ("gnu lesser general public v3 or later lgplv3+", "LGPL-3.0-or-later"),
    ("gnu lesser general public v2 or later lgplv2+", "LGPL-2.0-or-later"),
    ("gnu affero general public v3", "AGPL-3.0-only"),
    ("gnu affero general public v3 or later agplv3+", "AGPL-3.0-or-later"),
    ("agplv3", "AGPL-3.0-only"),
    ("cc0", "CC0-1.0"),
    ("cc0 1.0", "CC0-1.0"),
    ("cc0 1.0 universal", "CC0-1.0"),
    ("cc0 1.0 universal cc0 1.0 public domain dedication", "CC0-1.0"),
    ("creative commons zero v1.0 universal", "CC0-1.0"),
    ("odc pddl 1.0", "PDDL-1.0"),
    // Short names of the Hugging Face hub and Common Pile; each stands for the only version there is.
    ("pddl", "PDDL-1.0"),
    ("odc by", "ODC-By-1.0"),
    ("odbl", "ODbL-1.0"),
    ("open data commons attribution", "ODC-By-1.0"),
    ("bsd 3 clause clear", "BSD-3-Clause-Clear"),
    ("blue oak 1.0.0", "BlueOak-1.0.0"),
    ("etalab 2.0", "etalab-2.0"),
    ("polyform noncommercial 1.0.0", "PolyForm-Noncommercial-1.0.0"),
    ("polyform small business 1.0.0", "PolyForm-Small-Business-1.0.0"),
];

/// Names that fit several.
const FAMILIES: &[(&str, Family)] = &[
    ("bsd", BSD),
    ("bsd style", BSD),
    ("gpl", GPL),
    ("gnu gpl", GPL),
    ("gnu general public", GPL),
    ("gnu general public gpl", GPL),
    ("lgpl", LGPL),
    ("gnu lgpl", LGPL),
    ("gnu lesser general public", LGPL),
    ("gnu library or lesser general public lgpl", LGPL),
    ("apache", APACHE),
    ("apache software", APACHE),
    ("asf", APACHE),
    ("psf", PYTHON),
    ("python", PYTHON),
    ("python software foundation", PYTHON),
    ("mozilla public", Family::Prefix(&["MPL-"])),
    ("mpl", Family::Prefix(&["MPL-"])),
    ("academic free afl", Family::Prefix(&["AFL-"])),
    ("artistic", Family::Prefix(&["Artistic-"])),
    ("cc by", Family::Prefix(&["CC-BY-"])),
    ("cc by sa", Family::Prefix(&["CC-BY-SA-"])),
    ("cc by nc", Family::Prefix(&["CC-BY-NC-"])),
    ("other proprietary", Family::NotOpen),
    ("proprietary", Family::NotOpen),
    ("osi approved", Family::Open),
    ("free for non commercial use", Family::NonCommercial),
    ("free for noncommercial use", Family::NonCommercial),
    ("public domain", Family::PublicDomain),
    ("agpl", Family::Prefix(&["AGPL-"])),
    ("gfdl", Family::Prefix(&["GFDL-"])),
    ("cc", Family::Prefix(&["CC-BY-"])),
    ("creative commons", Family::Prefix(&["CC-BY-"])),
];

/// Lower case, punctuation to blanks (but `.` within a number and a final `+`), without `the`, `license`, `licence`.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut out = String::new();
    for (at, c) in lower.char_indices() {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let inside = c == '.' && digit(lower[..at].chars().next_back()) && digit(lower[at + 1..].chars().next());
        out.push(if c.is_alphanumeric() || c == '+' || inside { c } else { ' ' });
    }
    let filler = |w: &&str| !matches!(*w, "the" | "license" | "licence" | "licensed" | "under" | "a" | "an");
    out.split_whitespace().filter(filler).collect::<Vec<_>>().join(" ")
}

/// The terms that `name` is a name of.
pub(super) fn terms(name: &str) -> Option<Terms> {
    if name.len() > 200 {
        return None;
    }
    let plain = plain(name);
    if let Some((_, id)) = EXACT.iter().find(|(known, _)| *known == plain) {
        return Terms::id(id);
    }
    if let Some((_, family)) = FAMILIES.iter().find(|(known, _)| *known == plain) {
        return Some(Terms::Family(*family));
    }
    creative_commons(&plain).or_else(|| full_name(&plain))
}

/// The list's own full names, `GNU General Public License v3.0 or later`.
fn full_name(plain_name: &str) -> Option<Terms> {
    let mut found = spdx::identifiers::LICENSES.iter().filter(|l| plain(l.full_name) == plain_name);
    let first = found.find(|l| !super::wording::is_retired(l.name))?;
    // Some full names differ only in what `plain` drops; such a name decides nothing.
    found.all(|l| super::wording::is_retired(l.name)).then(|| Terms::id(first.name)).flatten()
}

/// `Creative Commons Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)` and its like: the words in order, one
/// version, and an abbreviation in brackets that says the same.
fn creative_commons(plain: &str) -> Option<Terms> {
    let rest = plain.strip_prefix("creative commons ").or_else(|| plain.strip_prefix("cc "))?;
    let mut ids: Vec<String> = Vec::new();
    for part in rest.split(" cc ") {
        let mut kind = String::from("CC");
        let mut version = None;
        let joined = part.replace("non commercial", "nc").replace("noncommercial", "nc");
        let joined = joined.replace("share alike", "sa").replace("sharealike", "sa");
        let joined = joined.replace("no derivatives", "nd").replace("noderivatives", "nd").replace("noderivs", "nd");
        for word in joined.split(' ') {
            match word {
                "attribution" | "by" => kind += "-BY",
                "nc" | "sa" | "nd" => kind += &format!("-{}", word.to_uppercase()),
                "international" | "unported" | "generic" | "public" => {}
                _ if version.is_none() && word.trim_start_matches('v').parse::<f32>().is_ok() => {
                    version = Some(word.trim_start_matches('v').to_owned());
                }
                _ => return None,
            }
        }
        ids.push(format!("{kind}-{}", version?));
    }
    ids.dedup();
    let [only] = &ids[..] else { return None };
    Terms::id(only)
}

/// Whether prose around an address says nothing that the address' terms don't: only names of them, or of Creative
/// Commons' elements that they have.
pub(super) fn agrees(prose: &str, terms: &Terms) -> bool {
    let Terms::Expression(id) = terms else {
        return plain(prose)
            .split(' ')
            .all(|w| matches!(w, "" | "public" | "domain" | "mark" | "1.0" | "creative" | "commons"));
    };
    let plain = plain(prose).replace("non commercial", "noncommercial").replace("share alike", "sharealike");
    plain.split(' ').all(|word| match word {
        "noncommercial" | "nc" => id.contains("-NC"),
        "sharealike" | "sa" => id.contains("-SA"),
        "noderivatives" | "noderivs" | "nd" => id.contains("-ND"),
        "attribution" | "by" => id.contains("BY"),
        "zero" | "cc0" | "public" | "domain" | "dedication" | "universal" => id.starts_with("CC0"),
        "" | "creative" | "commons" | "cc" | "international" | "unported" | "generic" | "see" | "version" => true,
        other => {
            let mut parts = id.to_lowercase();
            parts.retain(|c| c != '(' && c != ')');
            parts.split(['-', ' ']).any(|p| p == other.trim_start_matches('v'))
        }
    })
}

//! Places: where a policy is used, a grant runs, and a basis holds. A closed list, so that a misspelt place is a
//! mistake and never a place of its own; knows nothing of policies and records.
//!
//! The list is the 249 officially assigned alpha-2 codes of ISO 3166-1, `EU`, `EEA` and `*` (everywhere). `EU` is its 27
//! member states as of 1 February 2020, `EEA` those and Iceland, Liechtenstein and Norway.

use std::collections::BTreeSet;

use crate::suggest::nearest;

/// Everywhere.
pub const EVERYWHERE: &str = "*";

/// The 27 member states of the European Union.
pub const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// The states of the European Economic Area that are not in the Union.
const EEA_ONLY: [&str; 3] = ["IS", "LI", "NO"];

/// Officially assigned codes, sorted.
const COUNTRIES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC \
CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD \
GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW \
MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC \
SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Words that people write for a place, and its code.
const ALIASES: [(&str, &str); 14] = [
    ("uk", "GB"),
    ("united kingdom", "GB"),
    ("usa", "US"),
    ("united states", "US"),
    ("el", "GR"),
    ("germany", "DE"),
    ("france", "FR"),
    ("europe", "EU"),
    ("european union", "EU"),
    ("world", EVERYWHERE),
    ("worldwide", EVERYWHERE),
    ("everywhere", EVERYWHERE),
    ("any", EVERYWHERE),
    ("all", EVERYWHERE),
];

/// Checks that `text` is a place of the list.
///
/// # Errors
/// A sentence that says what a place is, and which one may be meant.
pub fn check(text: &str) -> Result<(), String> {
    let known = || COUNTRIES.split(' ').chain(["EU", "EEA", EVERYWHERE]);
    if known().any(|place| place == text) {
        return Ok(());
    }
    let lower = text.trim().to_lowercase();
    let alias = ALIASES.iter().find(|(word, _)| *word == lower).map(|(_, code)| *code);
    // Two letters are near to too many others: only another case of the same is a guess worth making.
    let meant = alias.or_else(|| known().find(|place| place.eq_ignore_ascii_case(&lower)));
    let names = ALIASES.iter().map(|(word, _)| *word).filter(|word| word.len() > 3);
    let meant = meant.or_else(|| nearest(&lower, names).and_then(alias_of));
    let meant = meant.map_or_else(String::new, |place| format!("; did you mean \"{place}\"?"));
    Err(format!(
        "`{text}` is no place: a place is a country's ISO 3166-1 code of two letters, \"EU\", \"EEA\" or \"*\"{meant}"
    ))
}

fn alias_of(word: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == word).map(|(_, code)| *code)
}

/// Whether what holds in the `listed` places holds in `place`. A union is covered when each of its states is, and covers
/// each of them; `*` covers all, and only `*` covers it. A word that is no place covers nothing but itself.
#[must_use]
pub fn covers(listed: &BTreeSet<String>, place: &str) -> bool {
    let has = |code: &str| listed.contains(code);
    let state = |code: &str| has(code) || (EU.contains(&code) && has("EU")) || (in_eea(code) && has("EEA"));
    if has(EVERYWHERE) || state(place) {
        return true;
    }
    match place {
        "EU" => has("EEA") || EU.iter().all(|code| state(code)),
        "EEA" => EU.iter().chain(&EEA_ONLY).all(|code| state(code)),
        _ => false,
    }
}

fn in_eea(code: &str) -> bool {
    EU.contains(&code) || EEA_ONLY.contains(&code)
}

/// Whether a directive of the Union that its member states had to transpose holds in `place`: in the Union and in each
/// of its states. Not in the other states of the EEA, where it would have to be taken over into their agreement first.
#[must_use]
pub fn is_in_union(place: &str) -> bool {
    place == "EU" || EU.contains(&place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(places: &[&str]) -> BTreeSet<String> {
        places.iter().map(|p| (*p).to_owned()).collect()
    }

    #[test]
    fn the_list_is_whole_and_sorted() {
        let codes: Vec<&str> = COUNTRIES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]) && codes.iter().all(|c| c.len() == 2));
        assert!(EU.iter().chain(&EEA_ONLY).all(|c| codes.contains(c)));
        assert!(EU.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_union_is_its_states() {
        assert!(covers(&list(&["EU"]), "DE") && covers(&list(&["EEA"]), "EU") && covers(&list(&["EEA"]), "NO"));
        assert!(!covers(&list(&["EU"]), "NO") && !covers(&list(&["EU"]), "EEA") && !covers(&list(&["DE"]), "EU"));
        assert!(covers(&list(&EU), "EU"));
        let all_but_malta: Vec<&str> = EU.into_iter().filter(|c| *c != "MT").collect();
        assert!(!covers(&list(&all_but_malta), "EU"));
        let area: Vec<&str> = EU.into_iter().chain(EEA_ONLY).collect();
        assert!(covers(&list(&area), "EEA") && covers(&list(&["EU", "IS", "LI", "NO"]), "EEA"));
        assert!(!covers(&list(&["EU", "EEA", "US"]), EVERYWHERE) && covers(&list(&["*"]), EVERYWHERE));
        assert!(!covers(&list(&["UK"]), "GB"));
        assert!(is_in_union("EU") && is_in_union("FR"));
        assert!(!is_in_union("NO") && !is_in_union("EEA") && !is_in_union("GB"));
    }

    #[test]
    fn a_misspelt_place_is_told_with_the_one_that_may_be_meant() {
        let told = |text: &str| check(text).unwrap_err();
        assert!(told("UK").ends_with("did you mean \"GB\"?"), "{}", told("UK"));
        assert!(told("us").ends_with("did you mean \"US\"?"));
        assert!(told("Germny").ends_with("did you mean \"DE\"?"));
        assert!(told("eu").ends_with("did you mean \"EU\"?"));
        assert!(!told("XX").contains("did you mean"));
        assert!(["EU", "EEA", "*", "GB", "XK"].map(|p| check(p).is_ok()) == [true, true, true, true, false]);
    }

    proptest! {
        #[test]
        fn more_places_never_cover_less(few in any_places(), more in any_places(), place in any_place()) {
            let both = &few | &more;
            prop_assert!(!covers(&few, &place) || covers(&both, &place));
        }

        #[test]
        fn what_covers_a_union_covers_its_states(listed in any_places(), state in proptest::sample::select(&EU[..])) {
            prop_assert!(!covers(&listed, "EU") || covers(&listed, state));
            prop_assert!(!covers(&listed, "EEA") || covers(&listed, "EU"));
        }
    }

    fn any_place() -> impl Strategy<Value = String> {
        let known: Vec<String> = COUNTRIES.split(' ').chain(["EU", "EEA", "*", "XX"]).map(str::to_owned).collect();
        proptest::sample::select(known)
    }

    fn any_places() -> impl Strategy<Value = BTreeSet<String>> {
        let few = proptest::collection::btree_set(any_place(), 0..4).boxed();
        let whole = Just(list(&EU));
        prop_oneof![few.clone(), (few, whole).prop_map(|(a, b)| &a | &b)]
    }
}

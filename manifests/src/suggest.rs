//! The word that may be meant by a misspelt one, for messages. Decides nothing.

/// The nearest of `candidates`, when it is near enough to be a slip: a third of the letters, at least one.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = |candidate: &'a str| {
        let distance = distance(&word, &candidate.to_lowercase());
        (distance <= (candidate.chars().count() / 3).max(1)).then_some((distance, candidate))
    };
    candidates.into_iter().filter_map(near).min().map(|(_, candidate)| candidate)
}

/// `; did you mean "…"?`, or nothing.
#[must_use]
pub fn question<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |meant| format!("; did you mean \"{meant}\"?"))
}

/// Letters to insert, drop or change to get from one to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_guesses_are_not_made() {
        let words = ["commercial", "non-commercial", "research", "internal"];
        assert_eq!(nearest("comercial", words), Some("commercial"));
        assert_eq!(nearest("Research", words), Some("research"));
        assert_eq!(nearest("noncommercial", words), Some("non-commercial"));
        assert_eq!(nearest("sale", words), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(question("reserch", words), "; did you mean \"research\"?");
    }
}

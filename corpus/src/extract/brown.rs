//! Tagged text of the Brown corpus back to running text: `The/at jury/nn said/vbd ./.` → `The jury said.`

/// Drops the tags and the blanks before closing and after opening punctuation.
pub(super) fn untag(tagged: &str) -> String {
    let mut text = String::with_capacity(tagged.len() / 2);
    for line in tagged.lines() {
        let mut open = true;
        for token in line.split_whitespace() {
            let word = match token.rsplit_once('/') {
                Some(("", tag)) => tag,
                Some((word, _)) => word,
                None => token,
            };
            let (word, quote) = match word {
                "``" => ("\"", Some(true)),
                "''" => ("\"", Some(false)),
                other => (other, None),
            };
            let closes = quote == Some(false) || matches!(word, "." | "," | ";" | ":" | "?" | "!" | ")" | "]");
            if !open && !closes {
                text.push(' ');
            }
            text.push_str(word);
            open = quote == Some(true) || matches!(word, "(" | "[");
        }
        if !open || !line.trim().is_empty() {
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_and_punctuation_come_back() {
        let tagged =
            "\n\tThe/at Jury/nn-tl said/vbd ``/`` no/at evidence/nn ''/'' ,/, and/or/cc that/cs is/bez it/ppo ./.\n\n";
        assert_eq!(super::untag(tagged), "The Jury said \"no evidence\", and/or that is it.\n");
    }
}

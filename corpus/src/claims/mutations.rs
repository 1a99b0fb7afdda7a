//! No restriction is ever swallowed: every listed text, with a sentence put in, a word taken out or a permission turned
//! round, is no longer that text.

use manifests::license::reviewed_ids;
use spdx::text::LICENSE_TEXTS;

use super::texts::{Found, exact};
use super::wording::is_retired;

/// What somebody may want to slip in. Each says that something is not permitted, in other words.
const RESTRICTIONS: [&str; 22] = [
    "You may not use this to train machine learning models.",
    "Commercial use is prohibited.",
    "No AI.",
    "Not for training.",
    "For research purposes only.",
    "This license does not extend to machine learning.",
    "Use in products of more than 700 million users requires a license.",
    "Text and data mining is reserved.",
    "Good, not Evil.",
    "Permission is withdrawn for data sets.",
    "Noncommercial.",
    "Except Ada.",
    "Universities solely.",
    "Military applications are excluded.",
    "Der Einsatz zum maschinellen Lernen ist verboten.",
    "L'usage commercial est interdit.",
    "1. Crawling disallowed.",
    "(a) Ask first.",
    "\u{1f6ab}\u{1f916}",
    "Copyright (c) 2024 Ada. Machines keep out.",
    "Copyright (c) 2024 Ada. All machines keep out.",
    "Copyright 2024 Ada; copyright holders dislike robots.",
];

/// A word of a permission or prohibition, and what turns it round.
const REVERSALS: [(&str, &str); 14] = [
    (" may ", " may not "),
    (" not ", " "),
    (" no ", " any "),
    (" is hereby granted", " is hereby not granted"),
    (" are permitted", " are not permitted"),
    (" grants ", " does not grant "),
    (" without ", " with "),
    (" must ", " need not "),
    (" shall ", " need not "),
    (" only ", " "),
    (" unless ", " if "),
    (" provided that ", " "),
    (" any ", " no commercial "),
    (" free ", " paid "),
];

fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
    LICENSE_TEXTS.iter().filter(|(id, _)| !is_retired(id)).map(|(id, text)| (*id, *text))
}

/// Whether the text is accepted as one that `id` is among, alone or with others.
fn accepted(text: &str, id: &str) -> bool {
    match exact(text, Some("ada")) {
        Some(Found::Known(ids)) => ids.iter().any(|i| i == id),
        Some(Found::Several(texts)) => texts.iter().flatten().any(|i| i == id),
        _ => false,
    }
}

/// Positions spread over `n`, other ones for every seed.
fn spread(n: usize, seed: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |i| (seed.wrapping_mul(2_654_435_761) + i * (n / count + 1) + seed * 31) % n.max(1))
}

#[test]
fn a_sentence_put_in_makes_another_text() {
    for (number, (id, text)) in listed().enumerate() {
        let blanks: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
        for (i, sentence) in RESTRICTIONS.iter().enumerate() {
            // Every license meets some, those that corpora carry a quarter of them; the rest is a matter of time.
            let often = if reviewed_ids().iter().any(|row| row.id == id) { 4 } else { 10 };
            if (number + i) % often != 0 {
                continue;
            }
            let at = spread(blanks.len(), number + i, 1).next().and_then(|n| blanks.get(n)).copied().unwrap_or(0);
            for smuggled in [
                format!("{text}\n{sentence}\n"),
                format!("{sentence}\n\n{text}"),
                format!("{}\n{sentence}\n{}", &text[..at], &text[at..]),
                format!("{} {sentence}{}", &text[..at], &text[at..]),
            ] {
                assert_eq!(exact(&smuggled, Some("ada")), None, "{id} with {sentence:?} at {at}");
            }
        }
    }
}

#[test]
fn a_permission_turned_round_makes_another_text() {
    let mut turned = 0;
    for (id, text) in listed() {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Copyright lines and titles are known by their lines, so only what stands after them is one line here.
        let lines: Vec<&str> = text.lines().collect();
        for (from, to) in REVERSALS {
            for (line, found) in lines.iter().enumerate().filter(|(_, l)| l.contains(from)).take(1) {
                let mut mutated: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
                mutated[line] = found.replacen(from, to, 1);
                turned += 1;
                assert!(!accepted(&mutated.join("\n"), id), "{id}: {from:?} to {to:?} in {found:?} of {}", plain.len());
            }
        }
    }
    assert!(turned > 2_500, "{turned}");
}

#[test]
fn a_word_taken_out_makes_another_text() {
    let counts = ["not", "no", "only", "must", "shall", "may", "unless", "except", "without", "non", "neither", "nor"];
    for (number, (id, text)) in listed().enumerate() {
        let lines: Vec<&str> = text.lines().collect();
        let places: Vec<(usize, &str)> = lines
            .iter()
            .enumerate()
            .flat_map(|(at, line)| line.split(' ').map(move |word| (at, word)))
            .filter(|(_, word)| counts.contains(&word.to_lowercase().as_str()))
            .collect();
        for place in spread(places.len(), number, 8.min(places.len())) {
            let (at, word) = places[place];
            let mut mutated: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
            mutated[at] = format!(" {} ", mutated[at]).replacen(&format!(" {word} "), " ", 1);
            assert!(!accepted(&mutated.join("\n"), id), "{id} without {word:?} of {:?}", lines[at]);
        }
    }
}

#[test]
fn what_stands_in_a_copyright_line_or_for_a_name_is_no_restriction() {
    let mit = |line: &str| {
        let text = LICENSE_TEXTS.iter().find(|(id, _)| *id == "MIT").map_or("", |(_, text)| text);
        text.replace("Copyright (c) <year> <copyright holders>", line)
    };
    for line in [
        "Copyright (c) 2024 Ada Example",
        "Copyright 2015-2024 The Regents of the University of Example, Inc. All rights reserved.",
        "\u{a9} 2024 Institute for Example Research <ada@example.org>",
        "Copyright Example Foundation and other contributors, https://example.org/",
        "Copyright (c) 2024 Ada Example,\n              Bob Example and others",
    ] {
        assert!(accepted(&mit(line), "MIT"), "{line}");
    }
    for sentence in RESTRICTIONS {
        for line in [
            format!("Copyright (c) 2024 Ada Example. {sentence}"),
            format!("Copyright (c) 2024 Ada Example, {sentence}"),
            format!("Copyright (c) 2024 Ada Example,\n   {sentence}"),
            format!("Copyright Ada Example {sentence}"),
            format!("Copyright (c) {sentence}"),
        ] {
            // "Ask first" and the like is refused as a second sentence; alone behind a comma it is no sentence at all.
            let harmless = ["Except Ada.", "Universities solely.", "(a) Ask first."].contains(&sentence);
            assert!(harmless || !accepted(&mit(&line), "MIT"), "{line}");
        }
    }
}

#[test]
fn what_never_ends_is_not_named() {
    let bsd = LICENSE_TEXTS.iter().find(|(id, _)| *id == "BSD-3-Clause").map_or("", |(_, text)| text);
    assert!(accepted(&format!("{bsd}\n\n{bsd}"), "BSD-3-Clause"));
    for flood in [
        "MIT License\n".repeat(40_000),
        format!("{bsd}\n").repeat(40),
        "Copyright (c) 2024 Ada\n".repeat(40_000),
        format!("{bsd}{}", " ".repeat(1 << 20)),
        "a a a a ".repeat(100_000),
    ] {
        assert_eq!(exact(&flood, Some("ada")), None);
    }
}

//! Foreign words in what people read: markup and terminal controls in titles, names, fields and ids stay text.

use std::fs;

use super::inputs::attacked;
use crate::support::House;

#[test]
fn markup_in_foreign_words_stays_text_in_the_page() {
    let house = House::copy(&attacked());
    let (corpus, page, policy) = (house.corpus(), house.path("report/index.html"), house.policy("commercial"));
    let words = [
        "audit".as_ref(),
        corpus.as_os_str(),
        "--policy".as_ref(),
        policy.as_os_str(),
        "--html".as_ref(),
        page.as_os_str(),
    ];
    house.gated(words).expect(0);
    let page = fs::read_to_string(&page).unwrap();
    for raw in ["<script>alert", "<img src=x", "<b onmouseover", "\u{1b}"] {
        assert!(!page.contains(raw), "the page holds `{raw}`");
    }
}

#[test]
fn no_terminal_control_reaches_the_terminal() {
    let house = House::copy(&attacked());
    let (corpus, policy) = (house.corpus(), house.policy("commercial"));
    let commands: [Vec<&std::ffi::OsStr>; 4] = [
        vec!["audit".as_ref(), corpus.as_os_str(), "--policy".as_ref(), policy.as_os_str()],
        vec!["inspect".as_ref(), corpus.as_os_str()],
        vec!["verify".as_ref(), corpus.as_os_str()],
        vec!["query".as_ref(), corpus.as_os_str(), "SELECT rightsholders FROM cells".as_ref()],
    ];
    for words in commands {
        let name = words[0].to_owned();
        let ended = if name == "audit" { house.gated(words) } else { crate::support::flexmix(words) };
        assert!(!ended.said().contains('\u{1b}'), "{}: {:?}", name.display(), ended.said());
    }
}

//! The one HTML shell of every report for people: a file of its own that asks nothing of a network, reads without
//! JavaScript, by ear and on paper. Reports fill it with Markup (maud escapes); they bring no style and no script.
//!
//! Defence in depth against hostile titles: everything is escaped, hidden characters are replaced in the finished page,
//! and the page's own policy allows this style and this script by digest and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifests::digest::Sha256;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::words::{thousands, visible};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The mark by which a page of a kind is known before it is replaced.
#[must_use]
pub fn mark(kind: &str) -> String {
    html! { meta name="generator" content=(kind); }.into_string()
}

/// A report.
#[derive(Debug)]
pub struct Page<'a> {
    /// The title, in the window and at the head.
    pub title: &'a str,
    /// A line above the title: what kind of report it is, `flexmix audit`.
    pub kind: &'a str,
    /// Made with throw-away keys: said at the top of every page.
    pub demo: bool,
    /// The first screen.
    pub first: Markup,
    /// The sections after it.
    pub sections: Vec<Section>,
    /// What stands at the end.
    pub footer: Markup,
}

/// A part of a report, with a place in the list of contents.
#[derive(Debug)]
pub struct Section {
    /// Its place in the page's address, `reasons`.
    pub id: &'static str,
    /// Its heading.
    pub heading: &'static str,
    /// What it says.
    pub body: Markup,
}

impl Page<'_> {
    /// The page's text.
    #[must_use]
    pub fn render(&self) -> String {
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(policy());
                    (PreEscaped(mark(self.kind)))
                    meta name="referrer" content="no-referrer";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { "Skip to the answer" }
                    @if self.demo { p.demo role="note" { "DEMO: made with throw-away keys. Nobody vouches for this." } }
                    header { p.kind { (self.kind) } h1 { (self.title) } }
                    main #main tabindex="-1" { (self.first) (self.contents()) (self.body()) }
                    footer { (self.footer) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        visible(&markup.into_string())
    }

    fn contents(&self) -> Markup {
        html! {
            @if !self.sections.is_empty() {
                nav aria-label="Contents" {
                    h2 { "In this report" }
                    ul { @for section in &self.sections { li { a href={ "#" (section.id) } { (section.heading) } } } }
                }
                search #search hidden {
                    label for="find" { "Find in the tables" }
                    input #find type="search" autocomplete="off" spellcheck="false";
                    output for="find" aria-live="polite" {}
                }
            }
        }
    }

    fn body(&self) -> Markup {
        html! {
            div #details {
                @for section in &self.sections {
                    section aria-labelledby=(section.id) { h2 #(section.id) { (section.heading) } (section.body) }
                }
            }
        }
    }
}

/// Nothing is fetched, and of style and script only ours is taken.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::of(text.as_bytes()).as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Words.
    Words(&'static str),
    /// Numbers, to the right.
    Numbers(&'static str),
}

/// A table with its caption; the first cell of each row is the row's head.
#[must_use]
pub fn table(caption: &str, columns: &[Column], rows: impl IntoIterator<Item = Vec<Markup>>) -> Markup {
    let is_number = |n: usize| matches!(columns.get(n), Some(Column::Numbers(_)));
    html! {
        div.table role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr {
                        @for column in columns {
                            @match column {
                                Column::Words(name) => th scope="col" { (name) },
                                Column::Numbers(name) => th.n scope="col" { (name) },
                            }
                        }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for (n, cell) in row.into_iter().enumerate() {
                                @if n == 0 { th scope="row" { (cell) } }
                                @else if is_number(n) { td.n { (cell) } }
                                @else { td { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Text as a cell.
#[must_use]
pub fn text(value: impl AsRef<str>) -> Markup {
    html! { (value.as_ref()) }
}

/// A count as a cell; one that is absent is a closed set's.
#[must_use]
pub fn number(value: impl Into<Option<u64>>) -> Markup {
    let value: Option<u64> = value.into();
    html! { @match value { Some(n) => (thousands(n)), None => span.soft { "not said" } } }
}

/// Two parts of a whole as a bar, with the numbers in words for those who do not see it.
#[must_use]
pub fn bar(parts: &[(&'static str, &'static str, u64)]) -> Markup {
    let total: u64 = parts.iter().map(|p| p.2).sum();
    // Thousandths of the width; the words beside the bar have the exact numbers.
    let width = |n: u64| u128::from(n) * 1000 / u128::from(total.max(1));
    let before = |at: usize| parts[..at].iter().map(|p| width(p.2)).sum::<u128>();
    let spoken = parts.iter().map(|p| format!("{} {}", thousands(p.2), p.0)).collect::<Vec<_>>().join(", ");
    html! {
        svg.bar viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label=(spoken) {
            @for (at, (_, class, n)) in parts.iter().enumerate() {
                rect class=(class) x=(before(at)) y="0" width=(width(*n)) height="24" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(title: &str) -> String {
        let sections = vec![Section {
            id: "all",
            heading: "All",
            body: table(
                "Sources",
                &[Column::Words("source"), Column::Numbers("tokens")],
                [vec![text(title), number(7)]],
            ),
        }];
        Page { title, kind: "Test", demo: false, first: html! { p { (title) } }, sections, footer: html! {} }.render()
    }

    #[test]
    fn hostile_titles_are_words_and_nothing_else() {
        let hostile =
            "</title><script>alert(1)</script><img src=x onerror=alert(2)>\" onload=\"\u{1b}[2J\u{202e}\u{0}'&amp;";
        let page = page(hostile);
        assert_eq!(page.matches("<script").count(), 1, "only ours");
        assert!(!page.contains("<img") && !page.contains("alert(1)</script>"));
        assert!(!page.contains("\" onload="), "no attribute is ended by a title");
        assert!(!page.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')));
        assert!(page.contains("&amp;amp;"), "a title is not taken for mark-up that was escaped already");
    }

    #[test]
    fn a_page_names_nothing_outside_itself() {
        let page = page("A corpus");
        let rest = page.replace(&policy().replace('\'', "&#39;"), "").replace(&policy(), "").replace("http-equiv", "");
        for outside in ["http", "//", "url(", "@import", "src=", "<link", "<base", "<form", "<iframe", "<object"] {
            assert!(!rest.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'") && !page.contains("unsafe-inline"));
    }

    #[test]
    fn a_page_can_be_read_by_ear_and_without_script() {
        let page = page("A corpus");
        for part in
            ["lang=\"en\"", "<main", "<nav", "<header>", "<footer>", "scope=\"col\"", "scope=\"row\"", "href=\"#main\""]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(
            page.contains("<search id=\"search\" hidden>"),
            "a field that does nothing without script is not shown"
        );
        assert_eq!(page.matches(" hidden").count(), 1, "nothing else is hidden");
    }
}

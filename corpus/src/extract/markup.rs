//! A lenient reader of tags, for HTML pages and XML records: it never fails, and what it can't read is text.

use super::entities::decode_into;

/// A piece of markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<name attributes>`; also `<name/>`.
    Open(&'a str, &'a str),
    /// `</name>`.
    Close(&'a str),
    /// Text with references unresolved.
    Text(&'a str),
    /// The content of a CDATA section, which has no references.
    Data(&'a str),
}

/// The tokens of `text`; comments, declarations and instructions are skipped.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    let mut raw: Option<&str> = None;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            if let Some(name) = raw.take() {
                let end = closing(rest, name);
                let piece = &rest[..end];
                rest = &rest[end..];
                return Some(Token::Data(piece));
            }
            let Some(after) = rest.strip_prefix('<') else {
                let end = rest.find('<').unwrap_or(rest.len());
                let piece = &rest[..end];
                rest = &rest[end..];
                return Some(Token::Text(piece));
            };
            if let Some(comment) = after.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, r)| r);
                continue;
            }
            if let Some(data) = after.strip_prefix("![CDATA[") {
                let (piece, r) = data.split_once("]]>").unwrap_or((data, ""));
                rest = r;
                return Some(Token::Data(piece));
            }
            let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
            let Some((tag, r)) = after.split_once('>').filter(|_| is_tag) else {
                rest = after;
                return Some(Token::Text("<"));
            };
            rest = r;
            if tag.starts_with(['!', '?']) {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                return Some(Token::Close(name.trim_end()));
            }
            let end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
            let (name, attributes) = tag.split_at(end);
            let is_raw = ["script", "style"].iter().any(|raw| name.eq_ignore_ascii_case(raw));
            raw = Some(name).filter(|_| is_raw && !attributes.ends_with('/'));
            return Some(Token::Open(name, attributes));
        }
    })
}

/// Where `</name` is in `text`, or its end: scripts and styles have no tags inside.
fn closing(text: &str, name: &str) -> usize {
    let ends = |at: &usize| text[at + 2..].get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name));
    text.match_indices("</").map(|(at, _)| at).find(ends).unwrap_or(text.len())
}

/// The value of an attribute, references unresolved.
pub(super) fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let at = attributes.match_indices(name).map(|(i, _)| i).find(|i| attributes[i + name.len()..].starts_with('='))?;
    let value = &attributes[at + name.len() + 1..];
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(v, _)| v)
}

const BLOCKS: &[&str] = &[
    "p",
    "div",
    "br",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "tr",
    "table",
    "pre",
    "blockquote",
    "section",
    "article",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "title",
    "body",
    "main",
    "header",
    "footer",
];
const HIDDEN: &[&str] = &["script", "style", "noscript", "template", "svg"];

/// The text of an HTML page: scripts and styles out, blocks on lines of their own, blanks collapsed outside `pre`.
pub(super) fn page(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let (mut hidden, mut pre): (Option<String>, usize) = (None, 0);
    for token in tokens(html) {
        match token {
            Token::Open(name, attributes) => {
                let name = name.to_ascii_lowercase();
                if hidden.is_none() && HIDDEN.contains(&name.as_str()) && !attributes.ends_with('/') {
                    hidden = Some(name);
                } else if hidden.is_none() {
                    pre += usize::from(name == "pre");
                    block(&mut text, &name);
                }
            }
            Token::Close(name) => {
                let name = name.to_ascii_lowercase();
                if hidden.as_deref() == Some(name.as_str()) {
                    hidden = None;
                } else if hidden.is_none() {
                    pre -= usize::from(name == "pre" && pre > 0);
                    block(&mut text, &name);
                }
            }
            Token::Text(piece) | Token::Data(piece) if hidden.is_none() => {
                let mut decoded = String::new();
                decode_into(&mut decoded, piece);
                if pre > 0 { text.push_str(&decoded) } else { collapse(&mut text, &decoded) }
            }
            Token::Text(_) | Token::Data(_) => {}
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Tags that lay Markdown out on a page and say nothing.
const LAYOUT: &[&str] =
    &["section", "div", "img", "br", "p", "a", "span", "sub", "sup", "center", "details", "summary"];

/// Markdown without HTML comments and layout tags; every other character stays, and blank lines run together.
pub(super) fn markdown(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let tag = &rest[at..];
        let end = if tag.starts_with("<!--") { tag.find("-->").map(|e| e + 3) } else { layout_tag(tag) };
        let end = end.unwrap_or_else(|| {
            text.push('<');
            1
        });
        rest = &tag[end..];
    }
    text.push_str(rest);
    let mut lines = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() || !(lines.is_empty() || lines.ends_with("\n\n")) {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    lines
}

/// The length of the layout tag that `text` starts with.
fn layout_tag(text: &str) -> Option<usize> {
    let name = text[1..].strip_prefix('/').unwrap_or(&text[1..]);
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric())?];
    LAYOUT.contains(&name).then(|| text.find('>').map(|end| end + 1)).flatten()
}

fn block(text: &mut String, name: &str) {
    if !BLOCKS.contains(&name) {
        return;
    }
    text.truncate(text.trim_end_matches(' ').len());
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Appends with each run of blanks as one blank, and none at the start of a line.
pub(super) fn collapse(text: &mut String, piece: &str) {
    for c in piece.chars() {
        if !c.is_ascii_whitespace() {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_becomes_lines() {
        let html = "<!DOCTYPE html><html><head><title>T &amp; t</title><style>p{a>b}</style></head><body><!-- no -->\
                    <h1>One</h1><p>a  b <b>c</b>d</p><script>if (a<b) x()</script><pre>  x\n   y</pre><p>3 < 4</p></body>";
        assert_eq!(page(html), "T & t\nOne\na b cd\n  x\n   y\n3 < 4");
    }

    #[test]
    fn markdown_loses_comments_and_layout_only() {
        let source =
            "<!-- @license X -->\n\n# T\n\n<div class=\"e\">\n  <img src=x>\n</div>\n\n\n`Vec<u8>` a < b\n<!-- open";
        assert_eq!(markdown(source), "# T\n\n`Vec<u8>` a < b\n<!-- open\n");
    }

    #[test]
    fn attributes_are_found_by_their_whole_name() {
        assert_eq!(attribute(" a-href='x' xlink:href=\"y\"", "xlink:href"), Some("y"));
        assert_eq!(attribute(" b=c", "b"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[<>/!?a-z&;# \\-\\[\\]'\"=é]{0,200}") {
            let _ = (page(&text), markdown(&text));
        }
    }
}

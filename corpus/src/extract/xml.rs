//! Two XML records of the sciences: a Medline article (title and abstract) and a JATS article (title, abstract, body,
//! and the license that it carries).

use manifests::claim::Speaker;

use super::entities::decode_into;
use super::markup::{Token, attribute, collapse, tokens};
use super::{Extracted, Failure, Field};
use crate::document::FailReason;

/// Title and abstract of a Medline article.
pub(super) fn pubmed(record: &str) -> Result<Extracted, Failure> {
    let declared_id = elements(record, "PMID").into_iter().next();
    let title = elements(record, "ArticleTitle").into_iter().next().unwrap_or_default();
    let paragraphs = elements(record, "AbstractText");
    if paragraphs.is_empty() {
        return Err((FailReason::MissingField, "the article has no `AbstractText`".to_owned()));
    }
    let copyright = elements(record, "CopyrightInformation").into_iter().next();
    Ok(Extracted {
        text: join(std::iter::once(title).chain(paragraphs)),
        declared_id,
        license: None,
        copyright: copyright.map(|raw| rightsholder("CopyrightInformation", raw)),
        ..Extracted::default()
    })
}

/// Title, abstract and body of a JATS article. Its `license` element speaks for the authors.
pub(super) fn jats(record: &str) -> Result<Extracted, Failure> {
    let front = inside(record, "front").unwrap_or(record);
    let body =
        inside(record, "body").ok_or_else(|| (FailReason::MissingField, "the article has no `body`".to_owned()))?;
    let title = elements(front, "article-title").into_iter().next().unwrap_or_default();
    let abstracts = inside(front, "abstract").map(paragraphs).unwrap_or_default();
    let license = tokens(front).find_map(|token| match token {
        Token::Open("license", attributes) => Some(attribute(attributes, "xlink:href").map(str::to_owned)),
        _ => None,
    });
    let words = elements(front, "license").into_iter().next().unwrap_or_default();
    let license = license.map(|url| url.filter(|u| !u.is_empty()).unwrap_or(words)).filter(|raw| !raw.is_empty());
    let copyright = elements(front, "copyright-statement").into_iter().next().filter(|raw| !raw.is_empty());
    Ok(Extracted {
        text: join(std::iter::once(title).chain(abstracts).chain(paragraphs(body))),
        declared_id: elements(front, "article-id").into_iter().next(),
        license: license.map(|raw| rightsholder("license", raw)),
        copyright: copyright.map(|raw| rightsholder("copyright-statement", raw)),
        ..Extracted::default()
    })
}

fn rightsholder(name: &str, raw: String) -> Field {
    Field { name: name.to_owned(), raw, speaker: Speaker::Rightsholder }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.filter(|p| !p.trim().is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The markup between the first `<name>` and the last `</name>`.
fn inside<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let tag = format!("<{name}");
    let open = xml.match_indices(&tag).map(|(i, _)| i + tag.len());
    let start = open.filter(|i| xml[*i..].starts_with(['>', ' ', '\n', '\t'])).min()?;
    let start = start + xml[start..].find('>')? + 1;
    let end = xml.rfind(&format!("</{name}>")).filter(|end| *end >= start)?;
    Some(&xml[start..end])
}

/// The text of every element called `name`; one inside another belongs to the outer one.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut depth, mut text) = (0usize, String::new());
    for token in tokens(xml) {
        match token {
            Token::Open(n, attributes) if n == name && !attributes.ends_with('/') => depth += 1,
            Token::Close(n) if n == name && depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.push(std::mem::take(&mut text).trim().to_owned());
                }
            }
            Token::Text(piece) if depth > 0 => add(&mut text, piece),
            Token::Data(piece) if depth > 0 => collapse(&mut text, piece),
            _ => {}
        }
    }
    found
}

/// Paragraphs and titles of a body, in order, without figures, tables and formulas.
fn paragraphs(xml: &str) -> Vec<String> {
    const SKIPPED: &[&str] =
        &["table-wrap", "fig", "disp-formula", "inline-formula", "supplementary-material", "object-id"];
    let (mut all, mut text, mut skipped) = (Vec::new(), String::new(), 0usize);
    let mut flush = |text: &mut String| {
        let part = std::mem::take(text).trim().to_owned();
        if !part.is_empty() {
            all.push(part);
        }
    };
    for token in tokens(xml) {
        match token {
            Token::Open(name, attributes) if SKIPPED.contains(&name) && !attributes.ends_with('/') => skipped += 1,
            Token::Close(name) if SKIPPED.contains(&name) => skipped = skipped.saturating_sub(1),
            Token::Open("p" | "title" | "list-item", _) | Token::Close("p" | "title" | "list-item") => flush(&mut text),
            Token::Text(piece) if skipped == 0 => add(&mut text, piece),
            Token::Data(piece) if skipped == 0 => collapse(&mut text, piece),
            _ => {}
        }
    }
    flush(&mut text);
    all
}

fn add(text: &mut String, piece: &str) {
    let mut decoded = String::new();
    decode_into(&mut decoded, piece);
    collapse(text, &decoded);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_medline_article_gives_its_abstract_and_copyright() {
        let xml = "<PubmedArticle><PMID Version=\"1\">7</PMID><ArticleTitle>On <i>E.&#xa0;coli</i>.</ArticleTitle><Abstract>\
                   <AbstractText Label=\"AIM\">We ask.</AbstractText><AbstractText>We &lt;answer&gt;.</AbstractText>\
                   <CopyrightInformation>© 2020 Someone.</CopyrightInformation></Abstract></PubmedArticle>";
        let article = pubmed(xml).unwrap();
        assert_eq!(article.text, "On E.\u{a0}coli.\n\nWe ask.\n\nWe <answer>.");
        assert_eq!(article.declared_id.as_deref(), Some("7"));
        assert_eq!(article.copyright.unwrap().raw, "© 2020 Someone.");
    }

    #[test]
    fn an_article_without_abstract_is_a_missing_field() {
        assert_eq!(pubmed("<PubmedArticle><PMID>7</PMID></PubmedArticle>").unwrap_err().0, FailReason::MissingField);
    }

    #[test]
    fn a_jats_article_gives_its_text_and_its_license() {
        let xml = "<article><front><article-meta><article-id>10.1/x</article-id><article-title>T</article-title><permissions>\
                   <copyright-statement>© A</copyright-statement><license xlink:href=\"http://cc/by/4.0/\"><license-p>Free \
                   words</license-p></license></permissions><abstract><p>Short.</p></abstract></article-meta></front><body>\
                   <sec><title>One</title><p>Long <xref>1</xref>.</p><fig><caption><p>F</p></caption></fig></sec></body></article>";
        let article = jats(xml).unwrap();
        assert_eq!(article.text, "T\n\nShort.\n\nOne\n\nLong 1.");
        assert_eq!(article.license.unwrap().raw, "http://cc/by/4.0/");
        assert_eq!(article.copyright.unwrap().raw, "© A");
        assert_eq!(article.declared_id.as_deref(), Some("10.1/x"));
    }
}

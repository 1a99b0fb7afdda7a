//! What a page's own mark-up says: `meta` elements of TDMRep and `noai`, and RSL documents linked or inside it.

use manifests::claim::Signal;

use super::headers::has_noai;
use super::rsl::Rsl;
use super::{Said, tdmrep};
use crate::extract::tags::{Tag, tags};

/// What the page says.
pub(super) fn said(html: &str) -> Vec<Said> {
    let mut out = Vec::new();
    for tag in tags(html) {
        match tag.name.as_str() {
            "meta" => out.extend(meta(&tag)),
            "link" | "a" if is_rsl(&tag) && tag.has_word("rel", "license") => {
                let raw = format!("{} [the document was not read]", tag.raw);
                out.push(Said::new(Signal::Rsl, None, raw, tag.line));
            }
            "script" if is_rsl(&tag) => match Rsl::parse(tag.content) {
                Ok(rsl) => out.extend(rsl.of_page(tag.line + tag.raw.matches('\n').count())),
                Err(error) => out.push(Said::new(Signal::Rsl, None, format!("{} [{error}]", tag.raw), tag.line)),
            },
            _ => {}
        }
    }
    out
}

/// Whether a link or script is of RSL's media type.
pub(crate) fn is_rsl(tag: &Tag<'_>) -> bool {
    tag.attribute("type").is_some_and(|t| t.trim().eq_ignore_ascii_case("application/rsl+xml"))
}

fn meta(tag: &Tag<'_>) -> Option<Said> {
    let name = tag.attribute("name").or_else(|| tag.attribute("http-equiv"))?.trim().to_ascii_lowercase();
    let content = tag.attribute("content").unwrap_or_default();
    match name.as_str() {
        "tdm-reservation" | "tdm:reservation" => {
            Some(Said::new(Signal::Tdmrep, tdmrep::value_of(content), tag.raw, tag.line))
        }
        "robots" if has_noai(content) => Some(Said::new(Signal::Noai, Some(true), tag.raw, tag.line)),
        // `<meta name="gptbot" content="noai">`: one agent shut out is a reservation, as in robots.txt.
        agent if has_noai(content) && super::AI_AGENTS.iter().any(|a| a.eq_ignore_ascii_case(agent)) => {
            Some(Said::new(Signal::Noai, Some(true), tag.raw, tag.line))
        }
        _ => None,
    }
}

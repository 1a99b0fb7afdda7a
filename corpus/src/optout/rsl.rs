//! Really Simple Licensing 1.0: `<rsl>` documents, of a site or inside a page. Training is free only where a license
//! permits it in so many words and asks for nothing; all else is a reservation with an offer.

use manifests::claim::Signal;
use roxmltree::{Document, Node};

use super::Said;
use super::address::Address;
use super::pattern::Pattern;

/// The namespace of RSL elements.
const NAMESPACE: &str = "https://rslstandard.org/rsl";
/// Usages of which training is one, with the spellings of the drafts.
const TRAINING: [&str; 5] = ["all", "ai-all", "ai-use", "ai-train", "train-ai"];

/// Usages of which none is training.
const OTHER: [&str; 3] = ["search", "ai-input", "ai-index"];

/// One `<content>` with what it says.
#[derive(Clone, Debug)]
struct Content {
    host: Option<String>,
    pattern: Pattern,
    reserved: bool,
    raw: String,
    line: usize,
}

/// A document.
#[derive(Clone, Debug)]
pub(super) struct Rsl(Vec<Content>);

impl Rsl {
    /// Reads a document.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // XML has nothing before its declaration; lines are counted from where the text began.
        let whole = text.trim_start_matches('\u{feff}');
        let text = whole.trim_start();
        let before = whole[..whole.len() - text.len()].matches('\n').count();
        let document = Document::parse(text).map_err(|e| e.to_string())?;
        let root = document.root_element();
        if !is(&root, "rsl") {
            return Err("the document is no `rsl`".to_owned());
        }
        let contents = root.children().filter(|n| is(n, "content")).map(|content| {
            let url = content.attribute("url").ok_or("a `content` has no `url`")?;
            let (host, path) = match Address::parse(url) {
                Some(address) => (Some(address.host), after_host(url)),
                None if url.contains("://") => return Err("the `url` of a `content` is none"),
                None => (None, url),
            };
            let licenses: Vec<Node<'_, '_>> = content.children().filter(|n| is(n, "license")).collect();
            // What a server grants must be asked for there; a prohibition wins over a permission beside it.
            let shut = content.has_attribute("server") || licenses.iter().any(prohibits);
            let reserved = shut || !licenses.iter().any(is_free);
            let line = document.text_pos_at(content.range().start).row;
            let raw = text[content.range()].to_owned();
            let line = before + usize::try_from(line).unwrap_or(1);
            Ok(Content { host, pattern: Pattern::new(path), reserved, raw, line })
        });
        contents.collect::<Result<_, &str>>().map(Self).map_err(str::to_owned)
    }

    /// What the contents with the longest match say.
    pub(super) fn said(&self, address: &Address) -> Vec<Said> {
        let here =
            |c: &&Content| c.host.as_ref().is_none_or(|h| *h == address.host) && c.pattern.matches(&address.path);
        let found: Vec<&Content> = self.0.iter().filter(here).collect();
        let longest = found.iter().map(|c| c.pattern.length()).max();
        let best = found.into_iter().filter(|c| Some(c.pattern.length()) == longest);
        best.map(|c| Said::new(Signal::Rsl, Some(c.reserved), c.raw.clone(), c.line)).collect()
    }

    /// What a document inside a page says of the page: each of its contents speaks. `line` is where its text begins.
    pub(super) fn of_page(&self, line: usize) -> Vec<Said> {
        self.0.iter().map(|c| Said::new(Signal::Rsl, Some(c.reserved), c.raw.clone(), line + c.line - 1)).collect()
    }
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(NAMESPACE)
}

fn after_host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The usages that an element names, wherever comments stand in it.
fn usages(node: &Node<'_, '_>) -> Vec<String> {
    let text: String = node.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect();
    let words = text.split([' ', ',', '\n', '\t', '\r']).filter(|word| !word.is_empty());
    if node.attribute("type") == Some("usage") { words.map(str::to_ascii_lowercase).collect() } else { vec![] }
}

/// Whether an element permits training.
fn trains(node: &Node<'_, '_>) -> bool {
    usages(node).iter().any(|usage| TRAINING.contains(&usage.as_str()))
}

/// Whether a license prohibits training, or something that nobody knows to be another thing.
fn prohibits(license: &Node<'_, '_>) -> bool {
    let concerns = |n: &Node<'_, '_>| usages(n).iter().any(|usage| !OTHER.contains(&usage.as_str()));
    license.children().filter(|n| is(n, "prohibits")).any(|n| concerns(&n))
}

/// Whether a license permits training, to everybody, for nothing.
fn is_free(license: &Node<'_, '_>) -> bool {
    let of = |name: &'static str| license.children().filter(move |n| is(n, name));
    let permitted = of("permits").any(|n| trains(&n));
    // A permission for some users or places is none for the rest; nothing here knows which of them the builder is.
    let limited = of("permits").chain(of("prohibits")).any(|n| n.attribute("type") != Some("usage"));
    let paid = of("payment").any(|n| n.attribute("type") != Some("free"));
    permitted && !limited && !paid
}

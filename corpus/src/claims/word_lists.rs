//! The words that comparing texts knows: what says something, what names somebody, and what is spelt in two ways.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A set of words.
pub(super) type Words = LazyLock<BTreeSet<&'static str>>;

fn set(words: &'static str) -> BTreeSet<&'static str> {
    words.split_whitespace().collect()
}

/// Words with which somebody grants or takes away; a name has none of them.
pub(super) static NORMATIVE: Words = LazyLock::new(|| {
    set("academics additional agree ai allow allowed allows although banned but cannot commercial commercially \
         condition conditions crawl crawling datasets denied deny disallowed except excepted excepting exception \
         excluded excludes excluding exclusively exempt fees forbid forbidden forbids granted hereby illegal \
         license licensed licenses llm llms may ml must never nichtkommerziell no non noncommercial none nor not \
         nur only paid payment permission permissions permit permits permitted prior prohibited prohibits provided \
         purpose purposes refused require required requires reserves restrict restricted restriction restrictions \
         restricts revoked royalty scrape scraping seulement shall should solely solo subject tdm terms train \
         trained training trains unlawful unless use used uses using verboten waived warranty without")
});

/// Words that a name has in capitals only: Institute for Advanced Study, Microsoft Research.
pub(super) static COMMON: Words = LazyLock::new(|| {
    set("academic ban bars can consent data education educational evaluation fee for grant grants internal is \
         learning limited machine machines mining model models pay personal private research sell selling study \
         teaching testing users void who will")
});

/// Who a holder may be besides those whom a copyright line names, and where the Free Software Foundation lives and lived.
pub(super) static HOLDERS: Words = LazyLock::new(|| {
    set("a above all an and any association author authors ave boston by cambridge committee community companies \
         company contributing contributor contributors copyright corporation developer developers fifth floor \
         foundation franklin group holder holders inc individual individuals institute institution institutions \
         its listed ltd ma maintainer maintainers mass member members named names of or organization organizations \
         other others owner owners person persons place project projects regents s st street suite team temple the \
         their this university usa")
});

/// What a full stop shortens, so that no sentence ends there.
pub(super) static SHORTENED: Words =
    LazyLock::new(|| set("ag al b.v bv co corp dept dr e.v gmbh inc jr llc ltd mr ms s.a sr st u.s univ"));

/// Words that SPDX's matching guidelines hold equal, each with the one that stands for both (annex B, "varietal word
/// spelling").
pub(super) const EQUAL: &[(&str, &str)] = &[
    ("acknowledgement", "acknowledgment"),
    ("analogue", "analog"),
    ("analyse", "analyze"),
    ("artefact", "artifact"),
    ("authorisation", "authorization"),
    ("authorised", "authorized"),
    ("calibre", "caliber"),
    ("cancelled", "canceled"),
    ("capitalisations", "capitalizations"),
    ("catalogue", "catalog"),
    ("categorise", "categorize"),
    ("centre", "center"),
    ("emphasised", "emphasized"),
    ("favour", "favor"),
    ("favourite", "favorite"),
    ("fulfil", "fulfill"),
    ("fulfilment", "fulfillment"),
    ("https", "http"),
    ("initialise", "initialize"),
    ("judgment", "judgement"),
    ("labelling", "labeling"),
    ("labour", "labor"),
    ("licence", "license"),
    ("licences", "licenses"),
    ("maximise", "maximize"),
    ("merchantibility", "merchantability"),
    ("modelled", "modeled"),
    ("modelling", "modeling"),
    ("offence", "offense"),
    ("optimise", "optimize"),
    ("organisation", "organization"),
    ("organise", "organize"),
    ("practise", "practice"),
    ("programme", "program"),
    ("realise", "realize"),
    ("recognise", "recognize"),
    ("signalling", "signaling"),
    ("utilisation", "utilization"),
    ("whilst", "while"),
    ("wilful", "wilfull"),
];

/// Two words that the guidelines hold equal to one, or to two others.
pub(super) const EQUAL_PAIRS: &[(&str, &str, &str)] =
    &[("non", "commercial", "noncommercial"), ("per", "cent", "percent"), ("sub", "license", "sublicense")];

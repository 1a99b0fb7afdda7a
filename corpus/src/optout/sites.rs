//! What all snapshots of a source say of one document, beside what its response and its page say themselves.
//!
//! A signal is reserved where a place says so; clear where it says so in words, or where every place in which the
//! signal can stand was read and none speaks; else nobody looked. A page is read in HTML only.

use std::collections::BTreeMap;

use manifests::claim::{Claim, Scope, Signal, Speaker, Statement};
use manifests::date::Date;
use manifests::digest::Sha256;

use super::address::Address;
use super::headers::Headers;
use super::robots::Robots;
use super::rsl::Rsl;
use super::snapshot::{Kind, Snapshot};
use super::tdmrep::Tdmrep;
use super::{Said, page};
use crate::document::Document;

/// The snapshots of a source, read.
#[derive(Clone, Debug, Default)]
pub struct Sites(Vec<Site>);

#[derive(Clone, Debug)]
struct Site {
    snapshot: Snapshot,
    address: Address,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Robots(Robots),
    Tdmrep(Tdmrep),
    Rsl(Rsl),
    Headers(Headers),
    Terms,
    /// The server said that there is none.
    Absent,
    /// Nothing that can be read, and why.
    Unreadable(String),
}

/// Where a signal can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Robots,
    Tdmrep,
    Rsl,
    Header,
    Page,
    Terms,
}

impl Place {
    /// TDMRep ranks its places by what they are about; see `manifests::conclusion`.
    const fn scope(self) -> Scope {
        match self {
            Self::Page => Scope::Work,
            Self::Tdmrep => Scope::Collection,
            Self::Robots | Self::Rsl | Self::Header | Self::Terms => Scope::Access,
        }
    }
}

/// The places that must have been read before silence means that nothing is reserved. Terms in prose never mean it.
const PLACES: [(Signal, &[Place]); 5] = [
    (Signal::Robots, &[Place::Robots]),
    (Signal::Tdmrep, &[Place::Tdmrep, Place::Header, Place::Page]),
    (Signal::Aipref, &[Place::Robots, Place::Header]),
    (Signal::Rsl, &[Place::Robots, Place::Header, Place::Page]),
    (Signal::Noai, &[Place::Header, Place::Page]),
];

/// Where something was read: file or record, digest, day.
#[derive(Clone)]
struct Origin {
    locator: String,
    digest: Sha256,
    date: Option<Date>,
}

impl Sites {
    /// Reads snapshots; what cannot be read is kept as that.
    #[must_use]
    pub fn new(snapshots: Vec<Snapshot>) -> Self {
        let site = |snapshot: Snapshot| {
            let address = Address::parse(&snapshot.url)?;
            Some(Site { content: content(&snapshot), address, snapshot })
        };
        Self(snapshots.into_iter().filter_map(site).collect())
    }

    /// Whether a text is an address that a snapshot can be of.
    #[must_use]
    pub fn is_address(text: &str) -> bool {
        Address::parse(text).is_some()
    }

    /// The claims on one document; `date` is that of reading the document itself.
    #[must_use]
    pub fn claims(&self, document: &Document, date: Option<Date>) -> Vec<Claim> {
        let context = &document.context;
        let mut heard = Heard::default();
        let address = context.url.as_deref().and_then(Address::parse);
        for site in self.0.iter().filter(|_| address.is_some()) {
            address.iter().for_each(|address| site.hear(address, self, &mut heard));
        }
        if let Some(headers) = &context.headers {
            let origin = Origin { locator: headers.locator.clone(), digest: context.record_digest, date };
            heard.add(Place::Header, &origin, self.unread(address.as_ref(), Headers::parse(&headers.raw).said()));
        }
        if let Some(html) = &context.page {
            let origin = Origin { locator: document.path.clone(), digest: context.record_digest, date };
            heard.add(Place::Page, &origin, self.unread(address.as_ref(), page::said(html)));
        }
        heard.claims()
    }

    /// Leaves out links to an RSL document that stands among the snapshots.
    fn unread(&self, address: Option<&Address>, said: Vec<Said>) -> Vec<Said> {
        let of_site = |site: &&Site| address.is_some_and(|a| a.host == site.address.host);
        let read: Vec<&Site> = self.0.iter().filter(of_site).filter(|s| matches!(s.content, Content::Rsl(_))).collect();
        let names = |raw: &str, read: &Address| match raw.contains("://") {
            true => raw.contains(&format!("{}{}", read.host, read.path)),
            false => read.path.len() > 1 && raw.contains(&read.path),
        };
        let is_read = |s: &Said| s.reserved.is_none() && read.iter().any(|r| names(&s.raw, &r.address));
        said.into_iter().filter(|s| s.signal != Signal::Rsl || !is_read(s)).collect()
    }
}

fn content(snapshot: &Snapshot) -> Content {
    if matches!(snapshot.status, 404 | 410) {
        return Content::Absent;
    }
    if !(200..300).contains(&snapshot.status) {
        return Content::Unreadable(format!("the server answered {}", snapshot.status));
    }
    let text = String::from_utf8_lossy(&snapshot.bytes);
    let or_unreadable = |read: Result<Content, String>| read.unwrap_or_else(Content::Unreadable);
    match snapshot.kind {
        Kind::Robots => Content::Robots(Robots::parse(&text)),
        Kind::Tdmrep => or_unreadable(Tdmrep::parse(&text).map(Content::Tdmrep)),
        Kind::Rsl => or_unreadable(Rsl::parse(&text).map(Content::Rsl)),
        Kind::Headers => Content::Headers(Headers::parse(&text)),
        Kind::Terms => Content::Terms,
    }
}

impl Site {
    fn hear(&self, address: &Address, sites: &Sites, heard: &mut Heard) {
        let (place, signal) = match self.snapshot.kind {
            Kind::Robots => (Place::Robots, Signal::Robots),
            Kind::Tdmrep => (Place::Tdmrep, Signal::Tdmrep),
            Kind::Rsl => (Place::Rsl, Signal::Rsl),
            Kind::Headers => (Place::Header, Signal::Noai),
            Kind::Terms => (Place::Terms, Signal::Tos),
        };
        let speaks = match place {
            Place::Header | Place::Terms => address.is_beneath(&self.address),
            _ => address.host == self.address.host,
        };
        if !speaks {
            return;
        }
        let snapshot = &self.snapshot;
        let origin =
            Origin { locator: snapshot.locator.clone(), digest: snapshot.digest, date: Some(snapshot.read_at) };
        let said = match &self.content {
            Content::Robots(robots) => {
                let mut said = robots.said(&snapshot.agents, &address.path);
                let links = robots.licenses().map(|(line, text)| {
                    Said::new(Signal::Rsl, None, format!("{text} [the document was not read]"), line)
                });
                said.extend(sites.unread(Some(address), links.collect()));
                said
            }
            Content::Tdmrep(rules) => rules.said(&address.path).into_iter().collect(),
            Content::Rsl(rsl) => rsl.said(address),
            Content::Headers(headers) => sites.unread(Some(address), headers.said()),
            Content::Terms => vec![Said::new(Signal::Tos, snapshot.reserved, snapshot.quote.as_str(), 1)],
            Content::Absent if place == Place::Robots => {
                let raw = format!("{}: {}", snapshot.url, snapshot.status);
                vec![Said::new(Signal::Robots, Some(false), raw, 1)]
            }
            Content::Absent => vec![],
            Content::Unreadable(why) => {
                let text = String::from_utf8_lossy(&snapshot.bytes);
                let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or(&snapshot.url).trim();
                let first = &first[..first.floor_char_boundary(200)];
                heard.say(place, &origin, Said::new(signal, None, format!("{first} [{why}]"), 1));
                return;
            }
        };
        heard.add(place, &origin, said);
    }
}

/// What was said of one document, and which places were read.
#[derive(Default)]
struct Heard {
    claims: Vec<Claim>,
    read: BTreeMap<Place, Origin>,
}

impl Heard {
    fn add(&mut self, place: Place, origin: &Origin, said: Vec<Said>) {
        self.read.entry(place).or_insert_with(|| origin.clone());
        said.into_iter().for_each(|said| self.say(place, origin, said));
    }

    fn say(&mut self, place: Place, origin: &Origin, said: Said) {
        self.claims.push(Claim {
            speaker: Speaker::Source,
            scope: place.scope(),
            statement: Statement::OptOut { signal: said.signal, reserved: said.reserved },
            raw: said.raw,
            locator: format!("{}:{}", origin.locator, said.line),
            digest: origin.digest,
            date: origin.date,
        });
    }

    /// What was said, and for each signal of which nobody spoke though every place of it was read, that it is clear.
    fn claims(mut self) -> Vec<Claim> {
        for (signal, places) in PLACES {
            let spoken = |c: &Claim| matches!(c.statement, Statement::OptOut { signal: s, .. } if s == signal);
            let origins: Vec<&Origin> = places.iter().filter_map(|place| self.read.get(place)).collect();
            if self.claims.iter().any(spoken) || origins.len() < places.len() {
                continue;
            }
            let Some(first) = origins.first().map(|o| (*o).clone()) else { continue };
            let read = origins.iter().map(|o| o.locator.as_str()).collect::<Vec<_>>().join(", ");
            let raw = format!("nothing on it in {read}");
            self.say(places[0], &first, Said::new(signal, Some(false), raw, 1));
        }
        self.claims
    }
}

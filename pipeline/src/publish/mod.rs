//! Hands out of a closed corpus exactly what may leave (semantics.md §5), and says of everything else why it stayed.
//! What leaves is made of verified records and of files that they name; nothing is published because it lies somewhere.

mod agreed;
mod documents;
mod place;
mod report;
mod sets;
mod stayed;
mod weights;
mod withdrawn;

use std::collections::BTreeSet;
use std::path::PathBuf;

use manifests::closed::Secret;
use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::gate::Gate;
use manifests::id::SetName;
use manifests::manifest::{Access, SetManifest};
use manifests::merkle::FileLeaf;
use manifests::policy::Act;
use manifests::publication::{Content, PUBLICATION_FILE, Publication, PublishedFile};
use manifests::records::Records;
use manifests::sign::{PrivateKey, Statement};
use manifests::store::RelPath;
use manifests::trust::{Role, Trust};

use crate::error::{Error, Result};
use crate::query::{Folder, Kind, Signed};

pub use report::{PublishReport, Refused, StayedFile};

/// What an owner and a recipient may agree on beside what always leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreed {
    /// Cells with origin and counts.
    Cells,
    /// Who is to be named.
    Attribution,
}

/// What a publication is asked for.
#[derive(Debug)]
pub struct PublishOptions {
    /// The corpus.
    pub dir: PathBuf,
    /// Where the outward tree goes; absent for a dry run that only lists.
    pub out: Option<PathBuf>,
    /// The sets; all when empty.
    pub sets: BTreeSet<SetName>,
    /// What leaves by agreement.
    pub agreed: BTreeSet<Agreed>,
}

/// What a publication rests on: all of it verified.
#[derive(Clone, Copy)]
pub struct House<'a> {
    /// Who may sign what.
    pub trust: &'a Trust,
    /// The records in force, withdrawals among them.
    pub records: &'a Records,
    /// The day.
    pub as_of: Date,
    /// The owner's key.
    pub key: &'a PrivateKey,
    /// The owner's secret: with it the commitments are computed again and compared.
    pub secret: Option<&'a Secret>,
    /// Policies, each for its own act: `publish-data` for public sets, `release-weights` for weights.
    pub gates: &'a [Gate],
}

impl House<'_> {
    fn gate(&self, act: Act) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.policy.act == act)
    }
}

/// Where a published file's bytes come from.
enum From {
    /// A file of the corpus, by path beneath it.
    Corpus(RelPath),
    /// Made here.
    Made(Vec<u8>),
}

/// A file that will leave.
struct Item {
    file: PublishedFile,
    from: From,
}

impl Item {
    /// A file of the corpus that a verified record names by length and digest.
    fn of_corpus(path: &str, from: String, named: (u64, Sha256), content: Content) -> Result<Self> {
        let file = FileLeaf { path: path.parse()?, length: named.0, digest: named.1 };
        Ok(Self { file: PublishedFile { file, content }, from: From::Corpus(from.parse()?) })
    }

    /// A file made here.
    fn made(path: &str, bytes: Vec<u8>, content: Content) -> Result<Self> {
        let file = FileLeaf { path: path.parse()?, length: bytes.len() as u64, digest: Sha256::of(&bytes) };
        Ok(Self { file: PublishedFile { file, content }, from: From::Made(bytes) })
    }
}

/// What was decided so far.
#[derive(Default)]
struct Decided {
    items: Vec<Item>,
    sets: BTreeSet<SetName>,
    refused: Vec<Refused>,
    demo: bool,
    /// Whether a public manifest is of version 1.
    first_version: bool,
}

/// Publishes; with `options.out` absent it lists what it would do.
///
/// # Errors
/// [`Error::Usage`] for a wrong folder or set; [`Error::Refused`] when a set that was asked for may not leave, or
/// nothing may; [`Error::Record`] when a record or file is not what it must be. Nothing is written then.
pub fn publish(options: &PublishOptions, house: &House<'_>) -> Result<PublishReport> {
    if let Some(out) = &options.out {
        place::check_free(out)?;
    }
    let folder = Folder::open(&options.dir, Some((house.trust, house.as_of)))?;
    if folder.kind != Kind::Corpus {
        let what = format!("`{}` is no corpus", options.dir.display());
        return Err(Error::usage(what, "publish from the folder that `flexmix build` wrote"));
    }
    if let Some((path, why)) = folder.broken() {
        return Err(manifests::Error::verification(path, why).into());
    }
    folder.check_files()?;
    let chosen = chosen(&folder, &options.sets)?;
    let mut decided = Decided::default();
    for signed in &chosen {
        tokenizer_is_public(&folder, &signed.record)?;
        match signed.record.access {
            Access::Closed => sets::closed(&folder, signed, options, house, &mut decided)?,
            Access::Public => sets::public(&folder, signed, house, &mut decided)?,
        }
    }
    weights::all(&folder, house, &mut decided)?;
    if let Some(refused) = decided.refused.iter().find(|r| options.sets.iter().any(|s| r.subject == sets::subject(s))) {
        return Err(Error::Refused { what: format!("{} may not leave: {}", refused.subject, refused.why), hint: None });
    }
    finish(options, &folder, house, decided)
}

fn chosen<'a>(folder: &'a Folder, sets: &BTreeSet<SetName>) -> Result<Vec<&'a Signed<SetManifest>>> {
    let known = |set: &SetName| folder.manifests.iter().any(|m| m.record.set == *set);
    if let Some(missing) = sets.iter().find(|set| !known(set)) {
        let all: Vec<&str> = folder.manifests.iter().map(|m| m.record.set.as_str()).collect();
        return Err(Error::usage(
            format!("the corpus has no set `{missing}`"),
            format!("its sets are {}", all.join(", ")),
        ));
    }
    Ok(folder.manifests.iter().filter(|m| sets.is_empty() || sets.contains(&m.record.set)).collect())
}

/// A trained tokenizer goes wherever weights go, so it may have read public text only.
fn tokenizer_is_public(folder: &Folder, manifest: &SetManifest) -> Result<()> {
    let Some(trained_on) = manifest.tokenizer.name.strip_prefix("trained:") else { return Ok(()) };
    let read = folder.manifests.iter().find(|m| m.record.set.as_str() == trained_on);
    if read.is_some_and(|m| m.record.access == Access::Public) {
        return Ok(());
    }
    let what = format!("the tokenizer was trained on set `{trained_on}`, which is not public");
    Err(Error::Refused { what, hint: Some("train it on public text: everything that leaves depends on it".to_owned()) })
}

/// Signs the list, writes the tree and lists what stayed.
fn finish(options: &PublishOptions, folder: &Folder, house: &House<'_>, decided: Decided) -> Result<PublishReport> {
    let Decided { items, sets, refused, demo, first_version } = decided;
    if items.is_empty() {
        let why: Vec<String> = refused.iter().map(|r| format!("{}: {}", r.subject, r.why)).collect();
        return Err(Error::Refused { what: format!("nothing may leave ({})", why.join("; ")), hint: None });
    }
    let corpus = folder.manifests.first().map_or_else(String::new, |m| m.record.corpus.clone());
    let files = items.iter().map(|i| i.file.clone()).collect();
    let publication = Publication::new(demo, corpus, sets, files)?;
    for scope in publication.scopes() {
        may_sign(house, scope)?;
    }
    let list = Statement::about_itself("publication", publication)?;
    let envelope = list.sign(house.key)?;
    if let Some(out) = &options.out {
        place::write(&folder.root, out, &items, &envelope.to_vec()?)?;
    }
    let stayed = stayed::list(&folder.root, options.out.as_deref(), &items, folder)?;
    Ok(PublishReport {
        schema: "flexmix/publish-report/v1",
        demo,
        out: options.out.clone(),
        list: PUBLICATION_FILE,
        digest: list.payload_digest()?,
        published: list.predicate.files.iter().map(report::Published::of).collect(),
        refused,
        stayed,
        notes: report::notes(house.secret.is_some(), first_version, &list.predicate),
    })
}

/// Whether the key may speak as owner of a set, before anything is signed with it.
fn may_sign(house: &House<'_>, scope: &str) -> Result<()> {
    let id = house.key.public().id();
    if house.trust.may_sign(&id, Role::Owner, scope, house.as_of) {
        return Ok(());
    }
    Err(Error::Refused {
        what: format!(
            "key `{id}` does not hold the role `owner` for `{scope}` on {} [FM-T-003 role-missing]",
            house.as_of
        ),
        hint: Some("nobody would accept what it signs; give the owner's key with `--key`".to_owned()),
    })
}

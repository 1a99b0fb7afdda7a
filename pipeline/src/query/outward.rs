//! An outward tree as found: the owner's list of it, what was added by agreement, and the stamps of its weights. Reads
//! records, never shards or weights.

use std::path::Path;

use manifests::date::Date;
use manifests::publication::{
    AGREED_CELLS_FILE, ATTRIBUTION_FILE, AgreedCells, AttributionList, PUBLICATION_FILE, Publication,
};
use manifests::sign::{Envelope, Statement};
use manifests::stamp::Stamp;
use manifests::trust::{Role, Trust};

use super::folder::{STAMP_FILE, Seal, Signed, folders_of};
use crate::error::Result;

/// The records of an outward tree that a corpus or model does not have.
#[derive(Clone, Debug)]
pub struct Outward {
    /// The list of its files.
    pub publication: Signed<Publication>,
    /// Full cells of closed sets, by set.
    pub agreed: Vec<Signed<AgreedCells>>,
    /// Attribution lists of closed sets, by set.
    pub attribution: Vec<Signed<AttributionList>>,
    /// Stamps: the anchor's first, then the experts' by folder.
    pub stamps: Vec<Signed<Stamp>>,
}

impl Outward {
    pub(super) fn open(root: &Path, trust: Option<(&Trust, Date)>) -> Result<Self> {
        let scopes = |p: &Publication| p.scopes().into_iter().map(str::to_owned).collect();
        let publication = Signed::read_for(&root.join(PUBLICATION_FILE), trust, Role::Owner, scopes)?;
        let (mut agreed, mut attribution) = (Vec::new(), Vec::new());
        for set in folders_of(&root.join("sets"))? {
            let (cells, names) = (set.join(AGREED_CELLS_FILE), set.join(ATTRIBUTION_FILE));
            if cells.is_file() {
                let scope = |a: &AgreedCells| vec![a.set.to_string()];
                agreed.push(Signed::read_for(&cells, trust, Role::Owner, scope)?);
            }
            if names.is_file() {
                let scope = |a: &AttributionList| vec![a.set.to_string()];
                attribution.push(Signed::read_for(&names, trust, Role::Owner, scope)?);
            }
        }
        let mut stamps = Vec::new();
        let anchor = root.join("anchor");
        let folders = std::iter::once(anchor).filter(|a| a.is_dir()).chain(folders_of(&root.join("experts"))?);
        for path in folders.map(|f| f.join(STAMP_FILE)).filter(|p| p.is_file()) {
            stamps.push(stamp(&path, trust)?);
        }
        Ok(Self { publication, agreed, attribution, stamps })
    }

    /// Where each record lies, and who signed it.
    pub(super) fn seals(&self) -> impl Iterator<Item = (&Path, &Seal)> {
        let agreed = self.agreed.iter().map(|r| (r.path.as_path(), &r.seal));
        let attribution = self.attribution.iter().map(|r| (r.path.as_path(), &r.seal));
        let stamps = self.stamps.iter().map(|r| (r.path.as_path(), &r.seal));
        let list = std::iter::once((self.publication.path.as_path(), &self.publication.seal));
        list.chain(agreed).chain(attribution).chain(stamps)
    }
}

/// A stamp; its trainer must hold the role for the id that it says.
pub(crate) fn stamp(path: &Path, trust: Option<(&Trust, Date)>) -> Result<Signed<Stamp>> {
    let said = Statement::<Stamp>::peek_unverified(&Envelope::read(path)?, path)?.predicate;
    Signed::read(path, trust, Role::Trainer, said.id.as_str())
}

//! Checks a proof: the signatures of the manifest that it carries, the roots that it leads to, and that it answers its
//! question. Believes nothing that the proof says of itself.

use std::path::Path;

use super::{Answer, Carried, Evidence, Opening, Proof, Question};
use crate::closed::{Secret, commitment};
use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::SetName;
use crate::manifest::{Access, PublicManifest, SetManifest};
use crate::merkle::{Leaf, Lookup, TreeRoot};
use crate::reason::Reason;
use crate::sign::{KeyId, Record, Statement};
use crate::trust::{Role, STATEMENT_TYPE, Trust};

/// What a proof was found to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// The corpus, as the manifest names it.
    pub corpus: String,
    /// Whether the manifest was made with throw-away keys.
    pub demo: bool,
    /// The terms of the document, where the proof shows one and the manifest lists its cell.
    pub terms: Option<String>,
    /// Who signed every manifest in it; nothing without a trust file.
    pub signers: Option<Vec<KeyId>>,
    /// For a closed set's full manifest: whether the public one was seen to commit to it, which takes the secret.
    pub committed: Option<bool>,
}

/// What a proof is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Against<'a> {
    /// The proof's place, for errors.
    pub path: &'a Path,
    /// Who may sign, and the day.
    pub trust: Option<(&'a Trust, Date)>,
}

impl Proof {
    /// Checks the proof. Without trust only its integrity is shown, and the signer stays unknown. The owner's secret
    /// shows which full manifest a closed set's public one commits to, and is needed for nothing else.
    ///
    /// # Errors
    /// [`Error::Verification`] naming `path`, with the reason's code: a digest that differs, signers without the role, or
    /// leaves that do not lead to the root or do not answer the question.
    pub fn check(&self, path: &Path, trust: Option<(&Trust, Date)>, secret: Option<&Secret>) -> Result<Checked> {
        let against = Against { path, trust };
        match &self.evidence {
            Evidence::Opening(opening) => self.check_opening(opening, against),
            Evidence::Documents(lookup) => {
                let Question::Document(id) = &self.question else { return invalid(path, OTHER_QUESTION) };
                let (full, mut checked) = self.full(against, secret)?;
                self.check_lookup(lookup, id, &full.documents_root, path)?;
                let cell = lookup.at.as_ref().map(|at| at.leaf.cell);
                checked.terms = cell.and_then(|cell| terms_of(&full, cell));
                Ok(checked)
            }
            Evidence::Texts(lookup) => {
                let Question::Text(text) = &self.question else { return invalid(path, OTHER_QUESTION) };
                let (full, checked) = self.full(against, secret)?;
                self.check_lookup(lookup, text, &full.texts_root, path)?;
                Ok(checked)
            }
            Evidence::Files(lookup) => {
                let Question::File(file) = &self.question else { return invalid(path, OTHER_QUESTION) };
                let (full, checked) = self.full(against, secret)?;
                self.check_lookup(lookup, file, &full.files_root, path)?;
                Ok(checked)
            }
        }
    }

    fn check_lookup<L: Leaf>(&self, lookup: &Lookup<L>, key: &L::Key, root: &TreeRoot, path: &Path) -> Result<()> {
        self.check_root(root, path)?;
        match lookup.proves(key, root) {
            Some(found) if found == (self.answer == Answer::Included) => Ok(()),
            Some(_) => invalid(path, "its leaves prove the contrary of its answer"),
            None => invalid(path, "its leaves do not lead to the root that the manifest names, or answer nothing"),
        }
    }

    fn check_root(&self, named: &TreeRoot, path: &Path) -> Result<()> {
        if self.root == *named { Ok(()) } else { invalid(path, "its root is not the one that the manifest names") }
    }

    fn check_opening(&self, opening: &Opening, against: Against<'_>) -> Result<Checked> {
        let path = against.path;
        let (public, mut signers) = open::<PublicManifest>(&self.manifest, &self.set, against)?;
        // Its manifest does not count the commitments: what the path needs stands in the proof, and can only break it.
        self.check_root(&TreeRoot { root: public.commitments_root, ..self.root }, path)?;
        let document = &opening.document;
        let asked = match &self.question {
            Question::Document(id) => *id == document.doc_id,
            Question::Text(text) => *text == document.text,
            Question::File(_) => false,
        };
        if !asked {
            return invalid(path, OTHER_QUESTION);
        }
        if self.answer != Answer::Included || self.public.is_some() || public.set != self.set {
            return invalid(path, "an opening shows that a document of its own set is in it, and nothing else");
        }
        if commitment(&opening.key, document)? != opening.commitment.leaf.commitment {
            return invalid(path, "the key does not open the commitment to this document");
        }
        if !opening.commitment.holds(&self.root) {
            return invalid(path, "the commitment does not lead to the root that the public manifest names");
        }
        sort(&mut signers);
        Ok(Checked { corpus: public.corpus, demo: public.demo, terms: None, signers, committed: None })
    }

    /// The manifest that has the root, and for a closed set how it hangs together with the public one.
    fn full(&self, against: Against<'_>, secret: Option<&Secret>) -> Result<(SetManifest, Checked)> {
        let path = against.path;
        let (full, mut signers) = open::<SetManifest>(&self.manifest, &self.set, against)?;
        if full.set != self.set {
            return invalid(path, "its manifest is another set's");
        }
        let committed = match (full.access, &self.public) {
            (Access::Public, None) => None,
            (Access::Closed, Some(public)) if self.answer == Answer::Absent => {
                let (public, more) = open::<PublicManifest>(public, &self.set, against)?;
                signers = signers.zip(more).map(|(a, b)| [a, b].concat());
                public.check_against(&full).or_else(|e| invalid(path, &e.to_string()))?;
                let opened = secret.map(|secret| secret.manifest(self.manifest.digest)).transpose()?;
                if opened.is_some_and(|found| found != public.full) {
                    return invalid(path, "under this secret the public manifest does not commit to the full one");
                }
                Some(opened.is_some())
            }
            (Access::Closed, _) => {
                return invalid(
                    path,
                    "a closed set proves by opening a commitment, or absence beside its public manifest",
                );
            }
            (Access::Public, Some(_)) => return invalid(path, "an open set has no public manifest beside its own"),
        };
        sort(&mut signers);
        let checked = Checked { corpus: full.corpus.clone(), demo: full.demo, terms: None, signers, committed };
        Ok((full, checked))
    }
}

const OTHER_QUESTION: &str = "its leaves are about something else than its question";

fn terms_of(full: &SetManifest, cell: Sha256) -> Option<String> {
    let of_cell = |c: &&crate::exposure::CellCount| c.cell.digest().is_ok_and(|digest| digest == cell);
    full.cells.iter().find(of_cell).map(|c| c.cell.label())
}

/// The record in a proof, and who signed it where a trust file says who may.
fn open<R: Record>(carried: &Carried, set: &SetName, against: Against<'_>) -> Result<(R, Option<Vec<KeyId>>)> {
    let (envelope, path) = (&carried.envelope, against.path);
    if Sha256::of(envelope.peek_unverified()?) != carried.digest {
        return refused(path, Reason::DigestMismatch, "the manifest in it has another digest than it says");
    }
    let Some((trust, as_of)) = against.trust else {
        return Ok((Statement::<R>::peek_unverified(envelope, path)?.predicate, None));
    };
    let verify = |role| trust.verify(envelope, path, STATEMENT_TYPE, role, set.as_str(), as_of);
    // What leaves a closed set is signed by its owner, and in the house by the builder.
    let by_owner = if R::KIND == PublicManifest::KIND { verify(Role::Owner).ok() } else { None };
    let verified = by_owner.map_or_else(|| verify(Role::Builder), Ok)?;
    let record = Statement::<R>::from_verified(&verified, path)?.predicate;
    Ok((record, Some(verified.key_ids.into_iter().collect())))
}

fn sort(signers: &mut Option<Vec<KeyId>>) {
    if let Some(signers) = signers {
        signers.sort();
        signers.dedup();
    }
}

fn invalid<T>(path: &Path, what: &str) -> Result<T> {
    refused(path, Reason::ProofInvalid, what)
}

fn refused<T>(path: &Path, reason: Reason, what: &str) -> Result<T> {
    Err(Error::verification(path, format!("{what} [{} {}]", reason.code(), reason.name())))
}

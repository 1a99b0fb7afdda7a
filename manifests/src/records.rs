//! The records folder: everything that legal, owners and the withdrawals desk signed, checked under one trust file
//! and against the signed head, so that nothing is missing, added or rolled back. Fail closed: one bad record and the
//! folder is refused, with its path.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::id::SourceId;
use crate::license::{Expression, Leaf, Property, reviewed};
use crate::merkle::{FileLeaf, TreeRoot, root_of};
use crate::policy::TermsSource;
use crate::record::{Election, ExceptionRecord, Grant, GrantSubject, Head, Withdrawal};
use crate::sign::{Envelope, Record, Statement};
use crate::store::RelPath;
use crate::trust::{Role, STATEMENT_TYPE, Trust};

/// The name of the head's file in a records folder.
pub const HEAD_FILE: &str = "head.dsse.json";

/// Verified records.
#[derive(Clone, Debug)]
pub struct Records {
    /// Elections, in the order of their files.
    pub elections: Vec<Election>,
    /// Grants.
    pub grants: Vec<Grant>,
    /// Withdrawals, in force or not.
    pub withdrawals: Vec<Withdrawal>,
    /// Exceptions beside those in a policy.
    pub exceptions: Vec<ExceptionRecord>,
    /// The head.
    pub head: Head,
}

/// What lies in a records folder, for signing a head over it.
#[derive(Debug)]
pub struct Listing {
    /// Root over every file but the head.
    pub root: TreeRoot,
    /// The digests of all withdrawals' payloads.
    pub withdrawals: BTreeSet<Sha256>,
    /// Every signed statement, by path.
    statements: Vec<(PathBuf, Envelope)>,
}

impl Listing {
    /// Lists a records folder. Reads and hashes every file; verifies nothing.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`] for an envelope that is none, or a file whose name is no safe path.
    pub fn of(folder: &Path) -> Result<Self> {
        let mut leaves = Vec::new();
        let mut statements = Vec::new();
        let mut withdrawals = BTreeSet::new();
        for path in files_beneath(folder, folder)? {
            let whole = path.beneath(folder);
            if path.as_str() == HEAD_FILE {
                continue;
            }
            let (length, digest) = Sha256::of_file(&whole)?;
            leaves.push(FileLeaf { path: path.clone(), length, digest });
            if !path.as_str().ends_with(".dsse.json") {
                continue;
            }
            let envelope = Envelope::read(&whole)?;
            if envelope.payload_type() == STATEMENT_TYPE {
                if kind_of(&whole, &envelope)? == Withdrawal::predicate_type() {
                    withdrawals.insert(Sha256::of(envelope.peek_unverified()?));
                }
                statements.push((whole, envelope));
            }
        }
        Ok(Self { root: root_of(&leaves)?, withdrawals, statements })
    }
}

fn files_beneath(root: &Path, folder: &Path) -> Result<Vec<RelPath>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        let kind = std::fs::symlink_metadata(&path).map_err(|e| Error::io(&path, e))?;
        if kind.is_dir() {
            found.extend(files_beneath(root, &path)?);
            continue;
        }
        if !kind.is_file() {
            return Err(Error::verification(&path, "a records folder holds plain files only"));
        }
        let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        found.push(relative.parse()?);
    }
    found.sort();
    Ok(found)
}

/// The predicate type of a statement that nobody verified yet: it only routes to the check for its role.
fn kind_of(path: &Path, envelope: &Envelope) -> Result<String> {
    #[derive(serde::Deserialize)]
    struct Peek {
        #[serde(rename = "predicateType")]
        predicate_type: String,
    }
    let peek: Peek =
        serde_json::from_slice(envelope.peek_unverified()?).map_err(|e| Error::malformed("statement", path, e))?;
    Ok(peek.predicate_type)
}

impl Records {
    /// Reads and verifies a records folder under `trust` on `as_of`.
    ///
    /// # Errors
    /// [`Error::Verification`] when a record's signers lack the role, or the head is missing, dated wrongly, or does
    /// not name exactly these files; [`Error::Io`] and [`Error::Malformed`] as for any file.
    pub fn open(folder: &Path, trust: &Trust, as_of: Date) -> Result<Self> {
        let head_path = folder.join(HEAD_FILE);
        if !folder.is_dir() || !head_path.is_file() {
            return Err(Error::verification(
                &head_path,
                "there is no signed head over the records [FM-T-004 head-missing]",
            ));
        }
        let listing = Listing::of(folder)?;
        let head: Head = read(trust, &head_path, &Envelope::read(&head_path)?, Role::Head, as_of)?;
        if head.root != listing.root || head.withdrawals != listing.withdrawals {
            return Err(Error::verification(
                folder,
                format!("the records are not those that head {} names [FM-T-006 records-changed]", head.sequence),
            ));
        }
        if as_of > head.expires || as_of < head.issued {
            let what = format!(
                "head {} is for {} to {}, not {as_of} [FM-T-005 head-expired]",
                head.sequence, head.issued, head.expires
            );
            return Err(Error::verification(&head_path, what));
        }
        let mut records = Self { elections: vec![], grants: vec![], withdrawals: vec![], exceptions: vec![], head };
        for (path, envelope) in &listing.statements {
            records.add(trust, path, envelope, as_of)?;
        }
        Ok(records)
    }

    fn add(&mut self, trust: &Trust, path: &Path, envelope: &Envelope, as_of: Date) -> Result<()> {
        let kind = kind_of(path, envelope)?;
        if kind == Election::predicate_type() {
            self.elections.push(read(trust, path, envelope, Role::Legal, as_of)?);
        } else if kind == Grant::predicate_type() {
            let peeked = Statement::<Grant>::peek_unverified(envelope, path)?.predicate;
            // An owner's key may be bound to one source; what it signs for another does not count.
            let scope = match &peeked.subject {
                GrantSubject::Source(source) => source.to_string(),
                GrantSubject::Weights(_) => "weights".to_owned(),
            };
            let verified = trust.verify(envelope, path, STATEMENT_TYPE, Role::Owner, &scope, as_of)?;
            self.grants.push(Statement::<Grant>::from_verified(&verified, path)?.predicate);
        } else if kind == Withdrawal::predicate_type() {
            self.withdrawals.push(read(trust, path, envelope, Role::Withdrawals, as_of)?);
        } else if kind == ExceptionRecord::predicate_type() {
            self.exceptions.push(read(trust, path, envelope, Role::Legal, as_of)?);
        } else {
            return Err(Error::verification(path, format!("`{kind}` is not a kind of record that belongs here")));
        }
        Ok(())
    }

    /// The election for a document's terms, when exactly one branch is elected.
    #[must_use]
    pub fn election(&self, expression: &Expression, sources: &BTreeSet<SourceId>) -> Option<Expression> {
        elect(&self.elections, expression, sources)
    }
}

/// The branch that these elections give, when they agree on one.
#[must_use]
pub fn elect(elections: &[Election], expression: &Expression, sources: &BTreeSet<SourceId>) -> Option<Expression> {
    if !expression.has_choice() {
        return None;
    }
    let branches: BTreeSet<Expression> = elections.iter().filter_map(|e| e.elects(expression, sources)).collect();
    let mut branches = branches.into_iter();
    match (branches.next(), branches.next()) {
        (Some(branch), None) => Some(branch),
        _ => None,
    }
}

fn read<T: Record>(trust: &Trust, path: &Path, envelope: &Envelope, role: Role, as_of: Date) -> Result<T> {
    let verified = trust.verify(envelope, path, STATEMENT_TYPE, role, "*", as_of)?;
    Ok(Statement::<T>::from_verified(&verified, path)?.predicate)
}

/// The reviewed table, and terms that owners' grants define for ids of their own.
impl TermsSource for Records {
    fn properties(&self, leaf: &Leaf) -> Option<BTreeSet<Property>> {
        if let Some(terms) = reviewed(leaf) {
            return Some(terms.property_set());
        }
        // Only ids of the owners' own can be defined by grants, and where several do, all that any of them asks holds.
        if !leaf.is_custom() {
            return None;
        }
        let granted = self.grants.iter().flat_map(|g| &g.terms).filter(|t| t.id.to_string() == leaf.as_str());
        granted.map(|t| t.properties.clone()).reduce(|a, b| &a | &b)
    }
}

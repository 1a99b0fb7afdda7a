//! The records folder: everything that legal, owners and the withdrawals desk signed, checked under one trust file
//! and against the signed head, so that nothing is missing, added or rolled back. Fail closed: one bad record and the
//! folder is refused, with its path.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::conclusion::Basis;
use crate::date::Date;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::exposure::Cell;
use crate::id::{SetName, SourceId};
use crate::license::{Expression, Leaf, Property, reviewed};
use crate::merkle::{FileLeaf, TreeRoot, root_of};
use crate::policy::{Act, TermsSource};
use crate::record::{
    Decision, Election, ExceptionRecord, Grant, GrantSubject, Head, Impact, Lift, Release, Withdrawal, WithdrawalTarget,
};
use crate::sign::{Envelope, Record, Statement};
use crate::store::RelPath;
use crate::trust::{Role, STATEMENT_TYPE, Trust};

/// The name of the head's file in a records folder.
pub const HEAD_FILE: &str = "head.dsse.json";

/// A record with its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed<T> {
    /// The digest of its payload.
    pub digest: Sha256,
    /// The record.
    pub record: T,
}

impl<T> std::ops::Deref for Filed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

/// Verified records.
#[derive(Clone, Debug)]
pub struct Records {
    /// Elections, in the order of their files.
    pub elections: Vec<Election>,
    /// Decisions.
    pub decisions: Vec<Decision>,
    /// Grants.
    pub grants: Vec<Grant>,
    /// Withdrawals that are not lifted, in force or not yet.
    pub withdrawals: Vec<Filed<Withdrawal>>,
    /// Withdrawals that a lift ended.
    pub lifted: Vec<Filed<Withdrawal>>,
    /// Owners' answers to withdrawals, for their closed sets.
    pub impacts: Vec<Impact>,
    /// Which manifests are the current ones.
    pub releases: Vec<Release>,
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

    /// Every signed statement but the head; nothing of them is verified.
    pub fn envelopes(&self) -> impl Iterator<Item = &Envelope> {
        self.statements.iter().map(|(_, envelope)| envelope)
    }
}

impl Listing {
    /// The withdrawals, **UNVERIFIED**: for showing, never for deciding.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a withdrawal that is none.
    pub fn withdrawals_unverified(&self) -> Result<Vec<Withdrawal>> {
        let mut found = Vec::new();
        for (path, envelope) in &self.statements {
            if kind_of(path, envelope)? == Withdrawal::predicate_type() {
                found.push(Statement::<Withdrawal>::peek_unverified(envelope, path)?.predicate);
            }
        }
        Ok(found)
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
        let envelope = Envelope::read(&head_path)?;
        let reader = Reader { trust, path: &head_path, envelope: &envelope, as_of };
        let head: Head = reader.read(Role::Head, |_| vec![])?.record;
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
        let mut records = Self {
            elections: vec![],
            decisions: vec![],
            grants: vec![],
            withdrawals: vec![],
            lifted: vec![],
            impacts: vec![],
            releases: vec![],
            exceptions: vec![],
            head,
        };
        let mut lifts = Vec::new();
        for (path, envelope) in &listing.statements {
            records.add(trust, path, envelope, as_of, &mut lifts)?;
        }
        let all = std::mem::take(&mut records.withdrawals);
        if let Some(lift) = lifts.iter().find(|l: &&Lift| !all.iter().any(|w| w.digest == l.withdrawal)) {
            let what = format!("lift `{}` is of {}, and no such withdrawal is here", lift.id, lift.withdrawal);
            return Err(Error::verification(folder, what));
        }
        let is_lifted = |w: &Filed<Withdrawal>| lifts.iter().any(|l| l.withdrawal == w.digest && l.effective <= as_of);
        (records.lifted, records.withdrawals) = all.into_iter().partition(is_lifted);
        Ok(records)
    }

    /// Files one record under the role and scope that its kind asks for.
    fn add(
        &mut self,
        trust: &Trust,
        path: &Path,
        envelope: &Envelope,
        as_of: Date,
        lifts: &mut Vec<Lift>,
    ) -> Result<()> {
        let reader = Reader { trust, path, envelope, as_of };
        let kind = kind_of(path, envelope)?;
        let is = |of: String| kind == of;
        if is(Election::predicate_type()) {
            self.elections.push(reader.read(Role::Legal, |e: &Election| names(&e.sources))?.record);
        } else if is(Decision::predicate_type()) {
            self.decisions.push(reader.read(Role::Legal, |_| vec![])?.record);
        } else if is(Grant::predicate_type()) {
            // An owner's key may be bound to one source; what it signs for another does not count.
            let scope = |g: &Grant| match &g.subject {
                GrantSubject::Source(source) => vec![source.to_string()],
                GrantSubject::Weights(_) => vec!["weights".to_owned()],
            };
            self.grants.push(reader.read(Role::Owner, scope)?.record);
        } else if is(Withdrawal::predicate_type()) {
            let scope = |w: &Withdrawal| match &w.target {
                WithdrawalTarget::Source(source) => vec![source.to_string()],
                _ => vec![],
            };
            self.withdrawals.push(reader.read(Role::Withdrawals, scope)?);
        } else if is(Lift::predicate_type()) {
            lifts.push(reader.read(Role::Legal, |_| vec![])?.record);
        } else if is(Impact::predicate_type()) {
            self.impacts.push(reader.read(Role::Owner, |i: &Impact| vec![i.set.to_string()])?.record);
        } else if is(Release::predicate_type()) {
            self.releases.push(reader.read(Role::Builder, |r: &Release| vec![r.set.to_string()])?.record);
        } else if is(ExceptionRecord::predicate_type()) {
            self.exceptions.push(reader.read(Role::Legal, |_| vec![])?.record);
        } else {
            return Err(Error::verification(path, format!("`{kind}` is not a kind of record that belongs here")));
        }
        Ok(())
    }

    /// Withdrawals in force against an act on a day.
    pub fn in_force(&self, act: Act, as_of: Date) -> impl Iterator<Item = &Filed<Withdrawal>> {
        self.withdrawals.iter().filter(move |w| w.is_in_force(as_of) && w.forbids(act))
    }

    /// What its owner said of a withdrawal and a closed set's manifest: touched, untouched, or nothing. One answer of
    /// touched outweighs others; the owner of another set says nothing here, since its key is bound to its own.
    #[must_use]
    pub fn answer(&self, withdrawal: &Filed<Withdrawal>, set: &SetName, manifest: Sha256) -> Option<bool> {
        let is = |i: &&Impact| i.withdrawal == withdrawal.digest && i.set == *set && i.manifests.contains(&manifest);
        self.impacts.iter().filter(is).map(|i| i.touched).reduce(|a, b| a || b)
    }

    /// Whether any owner said that a manifest is touched, of whatever set: enough to keep something in.
    #[must_use]
    pub fn is_touched(&self, withdrawal: &Filed<Withdrawal>, manifest: Sha256) -> bool {
        let mine = |i: &&Impact| i.withdrawal == withdrawal.digest && i.manifests.contains(&manifest);
        self.impacts.iter().filter(mine).any(|i| i.touched)
    }

    /// The terms that hold for a cell: the reviewed table, and for an owner's own ids what the owners of the cell's
    /// sources defined. Another owner's definition is none.
    #[must_use]
    pub fn terms_of<'a>(&'a self, cell: &'a Cell) -> CellTerms<'a> {
        CellTerms { records: self, cell }
    }

    /// Whether a set was released with another manifest than this one.
    #[must_use]
    pub fn is_superseded(&self, corpus: &str, set: &SetName, manifest: Sha256) -> bool {
        let mine = || self.releases.iter().filter(|r| r.corpus == corpus && r.set == *set);
        let newest = mine().map(|r| r.sequence).max();
        // Two of one number that differ say nothing together: neither is current.
        newest.is_some_and(|n| !mine().filter(|r| r.sequence == n).all(|r| r.manifests.contains(&manifest)))
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

fn names(sources: &BTreeSet<SourceId>) -> Vec<String> {
    sources.iter().map(ToString::to_string).collect()
}

/// One envelope with what it is verified under.
struct Reader<'a> {
    trust: &'a Trust,
    path: &'a Path,
    envelope: &'a Envelope,
    as_of: Date,
}

impl Reader<'_> {
    /// The record, under keys that hold `role` for everything that `scope` says of it; for all, when it says nothing.
    fn read<T: Record>(&self, role: Role, scope: impl Fn(&T) -> Vec<String>) -> Result<Filed<T>> {
        // The unverified record only routes to the scope; what is used is parsed from the verified bytes.
        let peeked = Statement::<T>::peek_unverified(self.envelope, self.path)?.predicate;
        let scopes = scope(&peeked);
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let scopes = if scopes.is_empty() { &["*"][..] } else { &scopes[..] };
        let verified = self.trust.verify_all(self.envelope, self.path, STATEMENT_TYPE, role, scopes, self.as_of)?;
        let record = Statement::<T>::from_verified(&verified, self.path)?.predicate;
        Ok(Filed { digest: Sha256::of(&verified.payload), record })
    }
}

/// Terms as they hold for one cell.
#[derive(Debug)]
pub struct CellTerms<'a> {
    records: &'a Records,
    cell: &'a Cell,
}

impl TermsSource for CellTerms<'_> {
    fn properties(&self, leaf: &Leaf) -> Option<BTreeSet<Property>> {
        let contract = match &self.cell.basis {
            Some(Basis::Contract(id)) => Some(id.as_str()),
            _ => None,
        };
        // A closed cell does not say its sources; then the contract behind it says whose definitions count.
        let speaks = |g: &&Grant| match &g.subject {
            GrantSubject::Source(source) if !self.cell.sources.is_empty() => self.cell.sources.contains(source),
            GrantSubject::Source(_) => contract.is_some() && g.contract.as_deref() == contract,
            GrantSubject::Weights(_) => false,
        };
        properties(leaf, self.records.grants.iter().filter(speaks))
    }
}

/// The reviewed table, and terms that owners' grants define for ids of their own, whoever they are: for labels and for
/// rules that only ever deny.
impl TermsSource for Records {
    fn properties(&self, leaf: &Leaf) -> Option<BTreeSet<Property>> {
        properties(leaf, self.grants.iter())
    }
}

/// Only ids of the owners' own can be defined by grants, and where several do, all that any of them asks holds.
fn properties<'a>(leaf: &Leaf, grants: impl Iterator<Item = &'a Grant>) -> Option<BTreeSet<Property>> {
    if let Some(terms) = reviewed(leaf) {
        return Some(terms.property_set());
    }
    let own = leaf.is_custom().then_some(grants)?;
    let defined = own.flat_map(|g| &g.terms).filter(|t| t.id.to_string() == leaf.as_str());
    defined.map(|t| t.properties.clone()).reduce(|a, b| &a | &b)
}

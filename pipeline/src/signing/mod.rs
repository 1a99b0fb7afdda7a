//! Making keys, signed records and, in [`trust`], trust files. What people write is parsed strictly and checked before any key
//! touches it; a second signature is added only over the very same bytes.

pub mod trust;

use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::policy::Policy;
use manifests::record::{Decision, Election, ExceptionRecord, Grant, Head, Impact, Lift, Outcome, Release, Withdrawal};
use manifests::records::{HEAD_FILE, Listing};
use manifests::sign::{Envelope, KeyId, PrivateKey, Record, Statement};
use manifests::store::read_capped;
use manifests::trust::{POLICY_TYPE, STATEMENT_TYPE, envelope_path};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

const CAP: u64 = 16 << 20;

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The envelope.
    pub envelope: PathBuf,
    /// The digest of its payload.
    pub payload: Sha256,
    /// The key.
    pub key: KeyId,
    /// How many keys have signed it now.
    pub signatures: usize,
}

/// Makes a key pair at `PREFIX.key` and `PREFIX.pub`.
///
/// # Errors
/// [`Error::Record`] when one of the files exists or cannot be written.
pub fn generate(prefix: &Path) -> Result<(PathBuf, PathBuf, KeyId)> {
    if let Some(folder) = prefix.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    let key = PrivateKey::generate()?;
    let (private, public) = key.write_pair(prefix)?;
    Ok((private, public, key.public().id()))
}

/// Signs a policy as exact bytes.
///
/// # Errors
/// [`Error::Record`] with line and column when it is no valid policy.
pub fn sign_policy(file: &Path, key: &PrivateKey) -> Result<Signature> {
    let bytes = read_capped(file, CAP)?;
    Policy::parse(file, &bytes)?;
    sign(&envelope_path(file), POLICY_TYPE, bytes, key)
}

/// Signs an election.
///
/// # Errors
/// [`Error::Record`] when it is no valid election, or its branch is none of its expression.
pub fn sign_election(file: &Path, key: &PrivateKey) -> Result<Signature> {
    sign_record(file, key, |election: &Election| {
        let taken = election.expression.elect(&election.branch);
        check(election.expression.has_choice(), "`expression` leaves no choice")?;
        check(taken.is_some(), "`branch` is no branch of `expression`")
    })
}

/// Signs an exception.
///
/// # Errors
/// [`Error::Record`] when it is no valid exception.
pub fn sign_exception(file: &Path, key: &PrivateKey) -> Result<Signature> {
    sign_record(file, key, |exception: &ExceptionRecord| {
        let may = manifests::policy::words::liftable().any(|name| name == exception.rule);
        check(may, "`rule` is no rule that may be lifted, nor such a reason's name")?;
        check(!exception.owner.is_empty(), "`owner` is empty")?;
        check(!exception.reason.is_empty(), "`reason` is empty")?;
        check(exception.max_tokens > 0, "`max_tokens` is zero")
    })
}

/// Signs a decision.
///
/// # Errors
/// [`Error::Record`] when it is no valid decision.
pub fn sign_decision(file: &Path, key: &PrivateKey) -> Result<Signature> {
    sign_record(file, key, |decision: &Decision| {
        check(!decision.by.is_empty() && !decision.reason.is_empty(), "`by` and `reason` must say something")?;
        let nowhere = matches!(&decision.outcome, Outcome::PublicDomain(places) if places.is_empty());
        check(!nowhere, "`public-domain` names no place")
    })
}

/// Signs the lifting of a withdrawal.
///
/// # Errors
/// [`Error::Record`] when it is no valid lift.
pub fn sign_lift(file: &Path, key: &PrivateKey) -> Result<Signature> {
    let says = |lift: &Lift| !lift.by.is_empty() && !lift.reason.is_empty();
    sign_record(file, key, |lift: &Lift| check(says(lift), "`by` and `reason` must say something"))
}

/// Signs an owner's answer to a withdrawal.
///
/// # Errors
/// [`Error::Record`] when it is no valid answer.
pub fn sign_impact(file: &Path, key: &PrivateKey) -> Result<Signature> {
    sign_record(file, key, |impact: &Impact| {
        check(!impact.owner.is_empty(), "`owner` is empty")?;
        check(!impact.manifests.is_empty(), "`manifests` is empty, so nothing is answered for")
    })
}

/// Signs a release.
///
/// # Errors
/// [`Error::Record`] when it is no valid release.
pub fn sign_release(file: &Path, key: &PrivateKey) -> Result<Signature> {
    sign_record(file, key, |release: &Release| check(!release.manifests.is_empty(), "`manifests` is empty"))
}

/// Signs a grant.
///
/// # Errors
/// [`Error::Record`] when it is no valid grant.
pub fn sign_grant(file: &Path, key: &PrivateKey) -> Result<Signature> {
    sign_record(file, key, |grant: &Grant| {
        check(grant.from <= grant.until, "`from` is after `until`")?;
        check(!grant.acts.is_empty(), "`acts` is empty, so nothing is granted")?;
        check(!grant.purposes.is_empty() && !grant.places.is_empty(), "`purposes` and `places` must name something")?;
        grant.purposes.iter().filter(|p| *p != "*").try_for_each(|p| manifests::policy::words::check_purpose(p))?;
        grant.places.iter().try_for_each(|p| manifests::place::check(p))?;
        let custom = grant.terms.iter().all(|t| t.id.to_string().starts_with("LicenseRef-"));
        check(custom, "`terms` may only define ids that start with `LicenseRef-`")
    })
}

/// Signs a withdrawal.
///
/// # Errors
/// [`Error::Record`] when it is no valid withdrawal.
pub fn sign_withdrawal(file: &Path, key: &PrivateKey) -> Result<Signature> {
    sign_record(file, key, |withdrawal: &Withdrawal| check(!withdrawal.reason.is_empty(), "`reason` is empty"))
}

/// What a person says of a new head; the rest is computed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHead {
    /// Always `flexmix/head/v1`.
    pub schema: String,
    /// Made with throw-away keys.
    #[serde(default)]
    pub demo: bool,
    /// Its number; must rise.
    pub sequence: u64,
    /// The day of signing.
    pub issued: Date,
    /// Its last day.
    pub expires: Date,
}

/// Signs a head over everything in `records`, into `head.dsse.json` there.
///
/// # Errors
/// [`Error::Record`] when the file or the folder is not valid; [`Error::Usage`] when the sequence does not rise.
pub fn sign_head(file: &Path, records: &Path, key: &PrivateKey) -> Result<Signature> {
    let bytes = read_capped(file, CAP)?;
    let typed: NewHead = parse("head", file, &bytes)?;
    let malformed = |what: &str| Error::Record(manifests::Error::malformed("head", file, what));
    if typed.issued > typed.expires {
        return Err(malformed("`issued` is after `expires`"));
    }
    check_schema(&typed.schema, &Head::schema()).map_err(|e| malformed(&e))?;
    write_head(&typed, records, key)
}

/// Signs a head over everything in `records`, into `head.dsse.json` there.
///
/// # Errors
/// [`Error::Record`] when the folder is not valid; [`Error::Usage`] when the sequence does not rise.
pub fn write_head(typed: &NewHead, records: &Path, key: &PrivateKey) -> Result<Signature> {
    let listing = Listing::of(records)?;
    let head = Head {
        schema: typed.schema.clone(),
        demo: typed.demo,
        sequence: typed.sequence,
        issued: typed.issued,
        expires: typed.expires,
        root: listing.root,
        withdrawals: listing.withdrawals,
    };
    let path = records.join(HEAD_FILE);
    let statement = Statement::about_itself("records", head)?;
    let payload = statement.payload()?;
    if path.is_file() {
        let before = Statement::<Head>::peek_unverified(&Envelope::read(&path)?, &path)?.predicate;
        let last = (before.sequence, before == statement.predicate);
        if last.0 > typed.sequence || (last.0 == typed.sequence && !last.1) {
            let what = format!("head {} would follow head {}", typed.sequence, last.0);
            return Err(Error::usage(what, format!("let `sequence` be {} or more", last.0 + 1)));
        }
        if let Some(gone) = before.withdrawals.difference(&statement.predicate.withdrawals).next() {
            return Err(Error::usage(
                format!("head {} would leave out withdrawal {gone}, which head {} names", typed.sequence, last.0),
                "withdrawals are never taken back: put its envelope back, and let two legal keys sign a lift",
            ));
        }
        if !last.1 {
            // Another head: the signatures of the one before are not over it.
            std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
        }
    }
    sign(&path, STATEMENT_TYPE, payload, key)
}

fn sign_record<T: Record>(
    file: &Path,
    key: &PrivateKey,
    laws: impl Fn(&T) -> std::result::Result<(), String>,
) -> Result<Signature> {
    let bytes = read_capped(file, CAP)?;
    let record: T = parse(T::KIND, file, &bytes)?;
    let schema = serde_json::to_value(&record).ok().and_then(|v| v["schema"].as_str().map(str::to_owned));
    let laws = check_schema(&schema.unwrap_or_default(), &T::schema()).and_then(|()| laws(&record));
    laws.map_err(|what| manifests::Error::malformed(T::KIND, file, what))?;
    let statement = Statement::about_itself(T::KIND, record)?;
    sign(&file.with_extension("dsse.json"), STATEMENT_TYPE, statement.payload()?, key)
}

/// Signs `payload` into the envelope at `path`, or adds a signature when the envelope there is over the same bytes.
fn sign(path: &Path, payload_type: &str, payload: Vec<u8>, key: &PrivateKey) -> Result<Signature> {
    let digest = Sha256::of(&payload);
    let envelope = if path.is_file() {
        let mut envelope = Envelope::read(path)?;
        if envelope.peek_unverified()? != payload || envelope.payload_type() != payload_type {
            let what = format!("`{}` is a signature over other bytes", path.display());
            return Err(Error::usage(
                what,
                "the file changed since it was signed: delete the envelope, and let every signer sign again",
            ));
        }
        envelope.add_signature(key);
        envelope
    } else {
        Envelope::sign(payload_type, payload, key)
    };
    envelope.write(path)?;
    let signatures = envelope.claimed_key_ids_unverified().count();
    Ok(Signature { envelope: path.to_path_buf(), payload: digest, key: key.public().id(), signatures })
}

fn parse<T: DeserializeOwned>(kind: &'static str, path: &Path, bytes: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(bytes).map_err(|e| manifests::Error::malformed(kind, path, e))?;
    Ok(toml::from_str(text).map_err(|e| manifests::Error::malformed(kind, path, e))?)
}

fn check(holds: bool, what: &str) -> std::result::Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn check_schema(found: &str, wanted: &str) -> std::result::Result<(), String> {
    check(found == wanted, &format!("`schema` is `{found}`; it must be `{wanted}`"))
}

//! Writing a withdrawal down: as TOML for people, signed beside it, and under a head that names it.

use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::record::{Head, Withdrawal, WithdrawalTarget};
use manifests::records::{HEAD_FILE, Listing};
use manifests::sign::{Envelope, PrivateKey, Record, Statement};
use manifests::store::write_new;

use crate::error::{Error, Result};
use crate::signing::{NewHead, Signature, sign_withdrawal, write_head};

/// A name for a withdrawal that was given none: of its kind, the day it was learned and its target, so that the same
/// words give the same name.
#[must_use]
pub fn name(withdrawal: &Withdrawal) -> String {
    let target = match &withdrawal.target {
        WithdrawalTarget::Source(id) => id.to_string(),
        WithdrawalTarget::Work { text, .. } => text.to_string(),
        WithdrawalTarget::Rightsholder(name) => name.clone(),
        WithdrawalTarget::License(expression) => expression.to_string(),
    };
    let digest = Sha256::of(target.as_bytes()).hex();
    let kind = serde_json::to_value(withdrawal.kind).ok().and_then(|v| v.as_str().map(str::to_owned));
    format!("{}-{}-{}", kind.unwrap_or_default(), withdrawal.learned, &digest[..8])
}

/// The identity of a withdrawal's record: what lifts and owners' answers name.
///
/// # Errors
/// [`Error::Record`] when it has no canonical form.
pub fn digest(withdrawal: &Withdrawal) -> Result<Sha256> {
    Ok(Statement::about_itself(Withdrawal::KIND, withdrawal.clone())?.payload_digest()?)
}

/// Writes `withdrawals/ID.toml` in the records folder and signs it beside.
///
/// # Errors
/// [`Error::Usage`] for an id that is no file's name, [`Error::Record`] when there is such a record, or a law of
/// withdrawals is broken.
pub fn write(withdrawal: &Withdrawal, records: &Path, key: &PrivateKey) -> Result<(PathBuf, Signature)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if withdrawal.id.is_empty() || !withdrawal.id.chars().all(plain) || withdrawal.id.starts_with(['.', '-']) {
        return Err(Error::usage(
            format!("`{}` is no name for a record", withdrawal.id),
            "letters, digits, `.`, `-` and `_`, beginning with a letter or digit",
        ));
    }
    if withdrawal.reason.trim().is_empty() {
        return Err(Error::usage("the reason is empty", "say why in words: --reason 'contract C-12 ends'"));
    }
    let text =
        toml::to_string_pretty(withdrawal).map_err(|e| Error::Bug(format!("a withdrawal has no TOML form: {e}")))?;
    let folder = records.join("withdrawals");
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let file = folder.join(format!("{}.toml", withdrawal.id));
    write_new(&file, text.as_bytes(), 0o644)?;
    let signature = sign_withdrawal(&file, key)?;
    Ok((file, signature))
}

/// Signs the next head over a records folder; gives its sequence.
///
/// # Errors
/// [`Error::Usage`] when `until` is before `issued`, [`Error::Record`] when the folder or the head in it is damaged.
pub fn renew_head(records: &Path, key: &PrivateKey, issued: Date, until: Date, demo: bool) -> Result<u64> {
    if issued > until {
        return Err(Error::usage(
            format!("a head of {issued} would end on {until}"),
            "give a later last day with `--head-until`",
        ));
    }
    let path = records.join(HEAD_FILE);
    let before = if path.is_file() {
        Statement::<Head>::peek_unverified(&Envelope::read(&path)?, &path)?.predicate.sequence
    } else {
        0
    };
    let sequence = before + 1;
    write_head(&NewHead { schema: Head::schema(), demo, sequence, issued, expires: until }, records, key)?;
    Ok(sequence)
}

/// The withdrawals that lie in a records folder, **UNVERIFIED**: for showing, never for deciding.
///
/// # Errors
/// [`Error::Record`] when a file is none that belongs there.
pub fn withdrawals(records: &Path) -> Result<Vec<Withdrawal>> {
    Ok(Listing::of(records)?.withdrawals_unverified()?)
}

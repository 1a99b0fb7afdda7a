//! The sets: of a closed one what may always leave, with what was agreed; of a public one everything that the policy's
//! act `publish-data` permits, whole or not at all.

use std::collections::BTreeSet;

use manifests::digest::Sha256;
use manifests::exposure::{CellCount, Exposure, Kind, TokenTotal};
use manifests::id::SetName;
use manifests::manifest::{PublicManifest, SetManifest};
use manifests::policy::Act;
use manifests::publication::{AGREED_CELLS_FILE, ATTRIBUTION_FILE, Content};
use manifests::reason::Reason;
use manifests::sign::Envelope;

use super::withdrawn::{Held, takes};
use super::{Agreed, Decided, House, Item, PublishOptions, Refused, agreed, documents, may_sign};
use crate::error::{Error, Result};
use crate::query::{Folder, MANIFEST_FILE, PUBLIC_FILE, Signed};

/// A set, as refusals name it.
pub(super) fn subject(set: &SetName) -> String {
    format!("set `{set}`")
}

/// The public manifest of a closed set, checked against the full one.
pub(super) fn outward<'a>(folder: &'a Folder, full: &SetManifest) -> Result<&'a Signed<PublicManifest>> {
    let found = folder.public.iter().find(|p| p.record.set == full.set);
    let found = found.ok_or_else(|| Error::Refused {
        what: format!("set `{}` is closed and has no public manifest", full.set),
        hint: Some("build the corpus again with `--secret`".to_owned()),
    })?;
    found.record.check_against(full)?;
    Ok(found)
}

pub(super) fn closed(
    folder: &Folder,
    signed: &Signed<SetManifest>,
    options: &PublishOptions,
    house: &House<'_>,
    decided: &mut Decided,
) -> Result<()> {
    let full = &signed.record;
    let public = outward(folder, full)?;
    let superseded = |digest| house.records.is_superseded(&full.corpus, &full.set, digest);
    if superseded(signed.digest) || superseded(public.digest) {
        let (code, why) = (Some(Reason::ManifestSuperseded.code()), Reason::ManifestSuperseded.meaning().to_owned());
        decided.refused.push(Refused { subject: subject(&full.set), code, why });
        return Ok(());
    }
    may_sign(house, full.set.as_str())?;
    let mut envelope = believed(public)?;
    let is_first = is_first_version(&envelope)?;
    if is_first && !options.agreed.contains(&Agreed::Cells) {
        return Err(Error::Refused {
            what: format!(
                "the public manifest of set `{}` is of version 1, which tells how many documents the set has",
                full.set
            ),
            hint: Some(
                "build the corpus anew, with `--secret`, into another folder: the public manifest is then of version 2 \
                 and does not tell it; where counts may leave by agreement, say so with `--by-agreement cells`"
                    .to_owned(),
            ),
        });
    }
    decided.first_version |= is_first;
    commitments(folder, signed, public, is_first, house)?;
    let base = format!("sets/{}", full.set);
    envelope.add_signature(house.key);
    let path = format!("{base}/{PUBLIC_FILE}");
    decided.items.push(Item::made(&path, envelope.to_vec()?, Content::PublicManifest)?);
    if options.agreed.contains(&Agreed::Cells) {
        let bytes = agreed::cells(full, public)?.sign(house.key)?.to_vec()?;
        decided.items.push(Item::made(&format!("{base}/{AGREED_CELLS_FILE}"), bytes, Content::AgreedCells)?);
    }
    if options.agreed.contains(&Agreed::Attribution) {
        let bytes = agreed::attribution(folder, full, public)?.sign(house.key)?.to_vec()?;
        decided.items.push(Item::made(&format!("{base}/{ATTRIBUTION_FILE}"), bytes, Content::Attribution)?);
    }
    decided.sets.insert(full.set.clone());
    decided.demo |= full.demo;
    Ok(())
}

/// The envelope of a public manifest, which is the one that was verified and no other put in its place since.
fn believed(public: &Signed<PublicManifest>) -> Result<Envelope> {
    let envelope = Envelope::read(&public.path)?;
    if Sha256::of(envelope.peek_unverified()?) == public.digest {
        return Ok(envelope);
    }
    let what = "it was replaced while it was read [FM-T-007 digest-mismatch]";
    Err(manifests::Error::verification(&public.path, what).into())
}

/// Whether a public manifest is of version 1, which tells how many documents there are.
fn is_first_version(envelope: &Envelope) -> Result<bool> {
    let payload = envelope.peek_unverified()?;
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(|e| Error::Bug(e.to_string()))?;
    Ok(value["predicate"]["schema"] == "flexmix/public-manifest/v1")
}

/// With the owner's secret: the commitments are those of this set's documents and manifest, and no others.
fn commitments(
    folder: &Folder,
    full: &Signed<SetManifest>,
    public: &Signed<PublicManifest>,
    is_first: bool,
    house: &House<'_>,
) -> Result<()> {
    let Some(secret) = house.secret else { return Ok(()) };
    let documents = documents::of(&folder.root, &full.record)?;
    let root = if is_first { secret.first_root(&documents)? } else { secret.root(&documents)? };
    let made = (root.root, secret.manifest(full.digest)?);
    if made == (public.record.commitments_root, public.record.full) {
        return Ok(());
    }
    let what = "its commitments are not those of this set under this secret";
    Err(manifests::Error::verification(&public.path, what).into())
}

pub(super) fn public(
    folder: &Folder,
    signed: &Signed<SetManifest>,
    house: &House<'_>,
    decided: &mut Decided,
) -> Result<()> {
    let manifest = &signed.record;
    if let Some((code, why)) = denied(signed, house)? {
        decided.refused.push(Refused { subject: subject(&manifest.set), code, why });
        return Ok(());
    }
    may_sign(house, manifest.set.as_str())?;
    let base = format!("sets/{}", manifest.set);
    let path = format!("{base}/{MANIFEST_FILE}");
    decided.items.push(Item::of_corpus(&path, path.clone(), Sha256::of_file(&signed.path)?, Content::Manifest)?);
    for shard in &manifest.shards {
        let path = format!("{base}/{}", shard.file.path);
        let named = (shard.file.length, shard.file.digest);
        decided.items.push(Item::of_corpus(&path, path.clone(), named, Content::Shard)?);
    }
    const TOKENIZER: &str = "tokenizer.json";
    if !decided.items.iter().any(|i| i.file.file.path.as_str() == TOKENIZER) {
        let named = Sha256::of_file(&folder.root.join(TOKENIZER))?;
        if named.1 != manifest.tokenizer.digest {
            let what = "it is not the tokenizer that the manifest names [FM-T-007 digest-mismatch]";
            return Err(manifests::Error::verification(folder.root.join(TOKENIZER), what).into());
        }
        decided.items.push(Item::of_corpus(TOKENIZER, TOKENIZER.to_owned(), named, Content::Tokenizer)?);
    }
    decided.sets.insert(manifest.set.clone());
    decided.demo |= manifest.demo;
    Ok(())
}

/// Why a public set may not be handed out: no policy, or what the policy says of its cells, held-out ones included.
fn denied(signed: &Signed<SetManifest>, house: &House<'_>) -> Result<Option<(Option<&'static str>, String)>> {
    let Some(gate) = house.gate(Act::PublishData) else {
        let why = "no policy with act `publish-data` was given, so nothing permits it".to_owned();
        return Ok(Some((None, why)));
    };
    let manifest = &signed.record;
    let mut sums: Vec<(u64, u64)> = vec![(0, 0); manifest.cells.len()];
    for part in manifest.shards.iter().flat_map(|s| &s.cells) {
        let sum = sums.get_mut(part.cell as usize);
        let sum = sum.ok_or_else(|| Error::Bug("a shard names no cell of its manifest".to_owned()))?;
        *sum = (sum.0 + part.documents, sum.1 + part.tokens);
    }
    let counted = |(count, sum): (&CellCount, &(u64, u64))| CellCount {
        documents: Some(sum.0),
        tokens: Some(sum.1),
        ..count.clone()
    };
    let exposure = Exposure {
        kind: Kind::Gradient,
        set: manifest.set.clone(),
        manifest: signed.digest,
        cells: manifest.cells.iter().zip(&sums).map(counted).collect(),
        tokens: TokenTotal::Exact(sums.iter().map(|s| s.1).sum()),
    };
    let decision = gate.exposures(signed.digest, &[exposure]);
    let superseded = gate.current(&manifest.corpus, &manifest.set, signed.digest);
    if let Some(denial) = decision.findings.first().map(|f| &f.denial).or(superseded.as_ref()) {
        let line = denial.rule.as_ref().map_or_else(String::new, |r| format!(", {}:{}", gate.policy.file, r.line));
        let why = format!("{} ({}{line})", denial.reason.meaning(), denial.detail);
        return Ok(Some((Some(denial.reason.code()), why)));
    }
    let held = Held {
        cells: manifest.cells.iter().map(|c| &c.cell).collect(),
        manifests: BTreeSet::from([signed.digest]),
        texts: BTreeSet::new(),
    };
    Ok(takes(&held, Act::PublishData, house)
        .map(|(reason, id): (Reason, String)| (Some(reason.code()), format!("{} ({id})", reason.meaning()))))
}

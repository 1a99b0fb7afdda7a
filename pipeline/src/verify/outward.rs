//! Verifies an outward tree: that it is exactly what its owner listed, that nothing in it says more than may leave, and
//! that stamps, public manifests and what was added by agreement are of one another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::manifest::{Access, PublicManifest, SetManifest};
use manifests::publication::PUBLICATION_FILE;
use manifests::sign::PublicKey;
use manifests::sign::oms::SIGNATURE_FILE;
use manifests::stamp::Stamp;
use manifests::trust::{Role, Trust};

use super::{Log, corpus, equal, model};
use crate::error::Result;
use crate::query::{Folder, Outward, Signed};

pub(super) fn verify(
    folder: &Folder,
    outward: &Outward,
    trust: Option<(&Trust, Date)>,
    log: &mut Log<'_>,
) -> Result<()> {
    listing(folder, outward, log)?;
    let public: BTreeMap<&str, &Signed<PublicManifest>> =
        folder.public.iter().map(|p| (p.record.set.as_str(), p)).collect();
    for signed in &folder.public {
        log.seal(signed);
        let words = |()| format!("{} cells without counts or origin", signed.record.cells.len());
        log.law(&signed.path, "laws", signed.record.check().map(words).map_err(|e| e.to_string()));
        place(&signed.path, signed.record.set.as_str(), log);
    }
    for signed in &folder.manifests {
        manifest(folder, signed, log);
    }
    for signed in &outward.agreed {
        log.seal(signed);
        let of = of_set(&public, signed.record.set.as_str(), signed.record.manifest);
        let checked = of.and_then(|p| signed.record.check_against(&p.record).map_err(|e| e.to_string()));
        log.law(&signed.path, "agreed cells", checked.map(|()| format!("{} cells", signed.record.cells.len())));
    }
    for signed in &outward.attribution {
        log.seal(signed);
        let of = of_set(&public, signed.record.set.as_str(), signed.record.manifest);
        log.law(&signed.path, "attribution", of.map(|_| format!("{} sources", signed.record.sources.len())));
    }
    for signed in &outward.stamps {
        stamp(signed, &public, trust, log);
    }
    Ok(())
}

/// The tree holds what the list names, byte for byte, and nothing else.
fn listing(folder: &Folder, outward: &Outward, log: &mut Log<'_>) -> Result<()> {
    let list = &outward.publication;
    log.seal(list);
    let words = |()| format!("{} files of {} sets", list.record.files.len(), list.record.sets.len());
    log.law(&list.path, "laws", list.record.check().map(words).map_err(|e| e.to_string()));
    for file in &list.record.files {
        let path = file.file.path.beneath(&folder.root);
        log.law(&path, "digest", super::file(&folder.root, &file.file));
    }
    let listed: BTreeSet<&str> = list.record.files.iter().map(|f| f.file.path.as_str()).collect();
    for found in model::files_beneath(&folder.root, &folder.root)? {
        if found != PUBLICATION_FILE && !listed.contains(found.as_str()) {
            log.failed(&folder.root.join(&found), "listing", "the owner did not list this file");
        }
    }
    Ok(())
}

fn place(path: &Path, set: &str, log: &mut Log<'_>) {
    let folder = path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    log.law(path, "place", equal(&set, &folder.as_str()));
}

/// A public set: what can be checked without its ledger.
fn manifest(folder: &Folder, signed: &Signed<SetManifest>, log: &mut Log<'_>) {
    let (manifest, path) = (&signed.record, &signed.path);
    log.seal(signed);
    log.law(path, "access", equal(&access(manifest.access), &access(Access::Public)));
    let laws =
        manifest.check().map(|()| format!("{} cells add up to {} tokens", manifest.cells.len(), manifest.tokens));
    log.law(path, "laws", laws.map_err(|e| e.to_string()));
    place(path, manifest.set.as_str(), log);
    log.law(&folder.root.join("tokenizer.json"), "tokenizer", corpus::tokenizer(folder, manifest));
    for (shard, found) in manifest.shards.iter().zip(corpus::shards(&folder.root, manifest)) {
        let file = crate::query::shard_path(&folder.root, manifest, shard);
        log.law(&file, "shard", found.map(|counted| format!("{} documents recounted", counted.documents.len())));
    }
    let root = corpus::files_root(manifest).and_then(|root| corpus::same(&root, &manifest.files_root));
    log.law(path, "files root", root);
    log.skipped(path, "ledger balance", "the ledger stays with its builder");
}

const fn access(access: Access) -> &'static str {
    match access {
        Access::Public => "public",
        Access::Closed => "closed",
    }
}

/// The public manifest that a record names for its set.
fn of_set<'a>(
    public: &BTreeMap<&str, &'a Signed<PublicManifest>>,
    set: &str,
    named: Sha256,
) -> std::result::Result<&'a Signed<PublicManifest>, String> {
    let found = *public.get(set).ok_or_else(|| format!("the public manifest of set `{set}` is not here"))?;
    equal(&found.digest, &named).map(|_| found)
}

fn stamp(
    signed: &Signed<Stamp>,
    public: &BTreeMap<&str, &Signed<PublicManifest>>,
    trust: Option<(&Trust, Date)>,
    log: &mut Log<'_>,
) {
    let (stamp, path) = (&signed.record, &signed.path);
    let folder = path.parent().unwrap_or(Path::new("."));
    log.seal(signed);
    let laws = stamp.check().map(|()| format!("{} exposures add up", stamp.exposures.len()));
    log.law(path, "laws", laws.map_err(|e| e.to_string()));
    for leaf in &stamp.files {
        let file = leaf.path.beneath(folder);
        log.law(&file, "digest", super::file(folder, leaf));
    }
    for exposure in &stamp.exposures {
        if public.contains_key(exposure.set.as_str()) {
            let of = of_set(public, exposure.set.as_str(), exposure.manifest);
            let detail = of.map(|_| format!("{} of set `{}`", exposure.kind.as_str(), exposure.set));
            log.law(path, "public manifest", detail);
        }
    }
    if folder.join(SIGNATURE_FILE).is_file() {
        let file = folder.join(SIGNATURE_FILE);
        match trust {
            None => log.skipped(&file, "signature", super::UNKNOWN_SIGNER),
            Some((trust, as_of)) => log.law(&file, "model signature", signature(folder, stamp, trust, as_of)),
        }
    }
}

/// Checks the model signature under the keys of those who may stamp for this id.
pub(crate) fn signature(
    folder: &Path,
    stamp: &Stamp,
    trust: &Trust,
    as_of: Date,
) -> std::result::Result<String, String> {
    let holders = trust.keys().iter().filter(|k| k.holds(Role::Trainer, stamp.id.as_str(), as_of));
    let keys: Vec<PublicKey> = holders.filter_map(|k| PublicKey::from_pem(&k.pem).ok()).collect();
    let signed = manifests::sign::verify_folder(folder, &keys).map_err(|e| e.to_string())?;
    if !trust.stands(&signed.key_id, signed.payload_digest) {
        return Err(format!("key `{}` was compromised [FM-T-011 key-compromised]", signed.key_id));
    }
    Ok(format!("{} files", signed.files.len()))
}

//! Somebody who holds a builder's key, changes a corpus after it was built, and signs it again with counts and roots
//! that fit: what is left to find by recounting alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use manifests::digest::Sha256;
use manifests::id::DocId;
use manifests::manifest::{SetManifest, ShardCell};
use manifests::merkle::{DocumentLeaf, FileLeaf, Tree, root_of};
use manifests::shard::{Limits, Role, Row, ShardReader, ShardWriter};
use manifests::sign::{Envelope, PrivateKey, Statement};

use crate::support::{Ended, House};

/// The folder of a set.
pub(super) fn set_folder(house: &House, set: &str) -> PathBuf {
    house.corpus().join("sets").join(set)
}

/// Changes a set's manifest and signs it anew, `run.json` with it.
pub(super) fn manifest(house: &House, set: &str, change: impl FnOnce(&mut SetManifest)) {
    let path = set_folder(house, set).join("manifest.dsse.json");
    let envelope = Envelope::read(&path).unwrap();
    let mut statement = Statement::<SetManifest>::peek_unverified(&envelope, &path).unwrap();
    let before = statement.payload_digest().unwrap();
    change(&mut statement.predicate);
    let after = statement.write(&path, &PrivateKey::read(&house.key("builder")).unwrap()).unwrap();
    let run = house.corpus().join("run.json");
    fs::write(&run, fs::read_to_string(&run).unwrap().replace(&before.to_string(), &after.to_string())).unwrap();
}

/// Changes the rows of a set's shard and commits the manifest to what it holds now, as far as that can be done.
pub(super) fn rows(house: &House, set: &str, shard: usize, change: impl FnOnce(&mut Vec<Row>, &SetManifest)) {
    let texts = texts(house);
    manifest(house, set, |manifest| {
        let folder = set_folder(house, set);
        let mut rows = read(house, manifest, shard);
        change(&mut rows, manifest);
        let old = &manifest.shards[shard].file;
        let (name, role) = (old.path.clone(), old.role);
        fs::remove_file(name.beneath(&folder)).unwrap();
        let mut writer =
            ShardWriter::create(&folder, name, role, Limits { tokens: 2000, ..Limits::default() }).unwrap();
        rows.iter().for_each(|row| writer.push(row).unwrap());
        let (file, tallies) = writer.finish().unwrap();
        let part = |(cell, tally): (&u32, &manifests::shard::CellTally)| ShardCell {
            cell: *cell,
            documents: tally.documents,
            tokens: tally.tokens,
        };
        manifest.shards[shard].file = file;
        manifest.shards[shard].cells = tallies.0.iter().map(part).collect();
        recommit(house, manifest, &texts);
    });
}

/// The rows of a shard.
pub(super) fn read(house: &House, manifest: &SetManifest, shard: usize) -> Vec<Row> {
    let folder = set_folder(house, manifest.set.as_str());
    let reader = ShardReader::open(&folder, &manifest.shards[shard].file).unwrap();
    (0..reader.row_groups()).flat_map(|group| reader.rows(group).unwrap()).collect()
}

/// Makes counts and roots those of the shards.
fn recommit(house: &House, manifest: &mut SetManifest, texts: &BTreeMap<DocId, Sha256>) {
    let mut sums = vec![(0, 0); manifest.cells.len()];
    for part in manifest.shards.iter().filter(|s| s.file.role == Role::Train).flat_map(|s| &s.cells) {
        let sum = &mut sums[part.cell as usize];
        *sum = (sum.0 + part.documents, sum.1 + part.tokens);
    }
    for (cell, sum) in manifest.cells.iter_mut().zip(&sums) {
        (cell.documents, cell.tokens) = (Some(sum.0), Some(sum.1));
    }
    manifest.documents = sums.iter().map(|s| s.0).sum();
    manifest.tokens = sums.iter().map(|s| s.1).sum();
    let mut files: Vec<FileLeaf> = manifest
        .shards
        .iter()
        .map(|s| FileLeaf { path: s.file.path.clone(), length: s.file.length, digest: s.file.digest })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    manifest.files_root = root_of(&files).unwrap();
    let all = (0..manifest.shards.len()).flat_map(|shard| read(house, manifest, shard));
    let leaf = |row: Row| DocumentLeaf {
        doc_id: row.doc_id,
        text: texts[&row.doc_id],
        cell: manifest.cells[row.cell as usize].cell.digest().unwrap(),
        n_tokens: u32::try_from(row.tokens.len()).unwrap(),
    };
    // Two leaves of one document have no tree; then the old root must do.
    if let Ok(tree) = Tree::new(all.map(leaf).collect()) {
        manifest.documents_root = tree.root();
    }
}

/// The digest of each document's normalised text, by the ledger.
fn texts(house: &House) -> BTreeMap<DocId, Sha256> {
    let rows = house.query(&house.corpus(), "SELECT doc_id, digest FROM ledger WHERE decision <> 'dropped'");
    let parsed = rows.iter().map(|row| {
        (row["doc_id"].as_str().unwrap().parse().unwrap(), row["digest"].as_str().unwrap().parse().unwrap())
    });
    parsed.collect()
}

/// `flexmix verify` fails on a file, in these words.
#[track_caller]
pub(super) fn assert_found(ended: Ended, file: &str, words: &str) {
    let ended = ended.expect(1);
    let mut failures = ended.stdout.lines().filter(|l| l.starts_with("FAILED"));
    assert!(
        failures.any(|l| l.contains(file) && l.contains(words)),
        "no failure of `{file}` says `{words}`:\n{}",
        ended.said()
    );
}

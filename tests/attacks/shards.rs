//! Shards that are not what was built: relabelled, moved, repeated, dropped, padded, swapped; unsigned, and signed again
//! by somebody who may sign.

use std::fs;

use manifests::digest::Sha256;
use manifests::shard::Row;

use super::liar::{self, assert_found, set_folder};
use crate::support::{House, corpus};

const SHARD: &str = "sets/code/shard-00000.parquet";

/// Puts other bytes in the place of the first shard of `code`, and signs their length and digest.
fn signed_bytes(house: &House, change: impl FnOnce(&[u8]) -> Vec<u8>) {
    let path = house.corpus().join(SHARD);
    let bytes = change(&fs::read(&path).unwrap());
    fs::write(&path, &bytes).unwrap();
    liar::manifest(house, "code", |manifest| {
        let file = &mut manifest.shards[0].file;
        assert_eq!(file.path.as_str(), "shard-00000.parquet");
        (file.length, file.digest) = (bytes.len() as u64, Sha256::of(&bytes));
    });
}

#[test]
fn a_row_with_another_license_source_or_rightsholder_is_found() {
    type Change = fn(&mut Row);
    let changes: [(Change, &str); 4] = [
        (|row| row.license = "CC0-1.0".to_owned(), "says license `CC0-1.0`"),
        (|row| row.source = vec!["almanac".parse().unwrap()], "sources or rightsholders"),
        (|row| row.rightsholder.clear(), "sources or rightsholders"),
        (|row| row.tier = "concluded/license/none".to_owned(), "says tier"),
    ];
    for (change, words) in changes {
        let house = House::copy(&corpus());
        let manifest = set_folder(&house, "code").join("manifest.dsse.json");
        let before = fs::read(&manifest).unwrap();
        liar::rows(&house, "code", 0, |rows, _| change(&mut rows[0]));
        // Nothing in the manifest's sums has changed: only the row and its cell disagree.
        assert_found(house.verify(&house.corpus()), SHARD, words);
        // Without a signature over the new bytes, the digest says it.
        fs::write(&manifest, before).unwrap();
        assert_found(house.verify(&house.corpus()), SHARD, "signed");
    }
}

#[test]
fn a_row_moved_into_a_laxer_cell_is_found_by_the_ledger() {
    let house = House::copy(&corpus());
    liar::rows(&house, "code", 0, |rows, manifest| {
        let of = |row: &Row| manifest.cells[row.cell as usize].cell.label();
        let lax = manifest.cells.iter().position(|c| c.cell.label().contains("MIT")).unwrap();
        let strict = rows.iter().position(|r| of(r).contains("Noncommercial"));
        // Shards are sorted by tier: the first of `code` holds one kind, and any row of the other will do.
        let at = strict.expect("the first shard of `code` has rows for non-commercial use");
        let (row, cell) = (&mut rows[at], &manifest.cells[lax].cell);
        row.cell = u32::try_from(lax).unwrap();
        row.tier.clone_from(&manifest.tiers[lax]);
        row.license = cell.label();
        row.source = cell.sources.iter().cloned().collect();
        row.rightsholder = cell.rightsholders.iter().cloned().collect();
    });
    assert_found(house.verify(&house.corpus()), "sets/code/", "another cell than the ledger says");
}

#[test]
fn rows_repeated_or_dropped_are_found_whatever_is_signed() {
    let house = House::copy(&corpus());
    liar::rows(&house, "code", 0, |rows, _| rows.push(rows[0].clone()));
    assert_found(house.verify(&house.corpus()), "sets/code/", "documents, the ledger kept");
    let house = House::copy(&corpus());
    liar::rows(&house, "code", 0, |rows, _| {
        rows.remove(0);
    });
    assert_found(house.verify(&house.corpus()), "sets/code/", "documents, the ledger kept");
    // A row more often than once, by its `copies`: the tokens that training reads change with it.
    let house = House::copy(&corpus());
    liar::rows(&house, "code", 0, |rows, _| rows[0].copies = 3);
    assert_found(house.verify(&house.corpus()), "sets/code/", "copies");
    // One document put in the place of another.
    let house = House::copy(&corpus());
    liar::rows(&house, "code", 0, |rows, _| rows[1] = rows[0].clone());
    house.verify(&house.corpus()).expect(1);
}

#[test]
fn bytes_hidden_in_a_shard_are_found_even_when_signed() {
    let house = House::copy(&corpus());
    signed_bytes(&house, |bytes| {
        let footer = u32::from_le_bytes(*bytes[bytes.len() - 8..].first_chunk().unwrap()) as usize;
        let (body, tail) = bytes.split_at(bytes.len() - 8 - footer);
        [body, b"text that no reader shows", tail].concat()
    });
    assert_found(house.verify(&house.corpus()), SHARD, "belong to none of them");
}

#[test]
fn a_shard_cut_or_lengthened_is_found_signed_or_not() {
    type Change = fn(&[u8]) -> Vec<u8>;
    let changes: [Change; 3] =
        [|b| b[..b.len() - 1].to_vec(), |b| [b, b"x"].concat(), |b| [&b[..b.len() / 2], &b[b.len() - 400..]].concat()];
    for change in changes {
        let house = House::copy(&corpus());
        let path = house.corpus().join(SHARD);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, change(&whole)).unwrap();
        assert_found(house.verify(&house.corpus()), SHARD, "bytes, signed are");
        fs::write(&path, whole).unwrap();
        signed_bytes(&house, change);
        assert_found(house.verify(&house.corpus()), SHARD, "");
    }
}

#[test]
fn a_shard_of_another_set_is_found_even_when_signed() {
    let house = House::copy(&corpus());
    let other = fs::read(house.corpus().join("sets/notes/shard-00000.parquet")).unwrap();
    let mut entry = None;
    liar::manifest(&house, "notes", |manifest| entry = Some(manifest.shards[0].clone()));
    fs::write(house.corpus().join(SHARD), other).unwrap();
    liar::manifest(&house, "code", |manifest| {
        let path = manifest.shards[0].file.path.clone();
        manifest.shards[0] = entry.unwrap();
        manifest.shards[0].file.path = path;
    });
    assert_found(house.verify(&house.corpus()), SHARD, "document ");
}

#[test]
fn a_set_that_was_taken_away_whole_is_missed() {
    let house = House::copy(&corpus());
    fs::remove_dir_all(set_folder(&house, "code")).unwrap();
    // `run.json` is signed by nobody: it can be made to say nothing of the set.
    let path = house.corpus().join("run.json");
    let mut run: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for part in ["manifests", "funnels"] {
        run[part].as_object_mut().unwrap().remove("code");
    }
    fs::write(&path, run.to_string()).unwrap();
    assert_found(house.verify(&house.corpus()), "ledger", "set `code` kept documents and has no manifest");
}

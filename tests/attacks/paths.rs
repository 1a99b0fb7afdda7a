//! Paths that lead elsewhere: links, pipes, `..`, names that differ only by case.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use manifests::sign::{Envelope, PrivateKey};

use super::liar::{self, assert_found, set_folder};
use crate::support::{House, corpus};

const SHARD: &str = "sets/code/shard-00000.parquet";

#[test]
fn a_link_or_a_pipe_in_the_place_of_a_file_is_refused() {
    for file in [SHARD, "ledger/00000.parquet", "claims/source-00000.parquet", "tokenizer.json"] {
        let house = House::copy(&corpus());
        let (place, elsewhere) = (house.corpus().join(file), house.path("elsewhere"));
        fs::rename(&place, &elsewhere).unwrap();
        symlink(&elsewhere, &place).unwrap();
        assert_found(house.verify(&house.corpus()), file, "cannot");
        fs::remove_file(&place).unwrap();
        // Nobody writes to the pipe: whoever opens it to read waits for ever.
        assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
        assert_found(house.verify(&house.corpus()), file, "");
    }
}

#[test]
fn a_hard_link_is_held_to_its_bytes() {
    let house = House::copy(&corpus());
    let (place, elsewhere) = (house.corpus().join(SHARD), house.path("elsewhere"));
    fs::hard_link(&place, &elsewhere).unwrap();
    house.verify(&house.corpus()).expect(0);
    crate::support::flip_byte(&elsewhere, 500);
    assert_found(house.verify(&house.corpus()), SHARD, "digest");
}

#[test]
fn a_signed_path_cannot_lead_out_of_its_folder() {
    for path in ["../code/shard-00000.parquet", "/etc/passwd", "./shard-00000.parquet", "shard\\u043000000.parquet"] {
        let house = House::copy(&corpus());
        let manifest = set_folder(&house, "code").join("manifest.dsse.json");
        let envelope = Envelope::read(&manifest).unwrap();
        let payload = String::from_utf8(envelope.peek_unverified().unwrap().to_vec()).unwrap();
        let path = path.replace("\\u0430", "\u{430}");
        let changed = payload.replace("\"shard-00000.parquet\"", &format!("\"{path}\""));
        assert_ne!(changed, payload);
        let key = PrivateKey::read(&house.key("builder")).unwrap();
        Envelope::sign(envelope.payload_type(), changed.into_bytes(), &key).write(&manifest).unwrap();
        let said = house.verify(&house.corpus()).expect(1).said();
        assert!(said.contains("relative path") && said.contains("sets/code/manifest.dsse.json"), "{said}");
    }
}

#[test]
fn names_that_differ_only_by_case_are_refused_even_when_signed() {
    let house = House::copy(&corpus());
    let folder = set_folder(&house, "code");
    fs::copy(folder.join("shard-00000.parquet"), folder.join("Shard-00000.parquet")).unwrap();
    liar::manifest(&house, "code", |manifest| {
        let mut twin = manifest.shards[0].clone();
        twin.file.path = "Shard-00000.parquet".parse().unwrap();
        manifest.shards.push(twin);
    });
    assert_found(house.verify(&house.corpus()), "sets/code/manifest.dsse.json", "only by case");
}

//! What is exported for other tools: their own readers find in it the documents of the shards, as often as they have
//! copies, and nothing that the policy denies or that is closed or held out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use crate::readers::script;
use crate::support::{Ended, House, contents, corpus};

/// Exports the house's corpus into `out`.
fn export(house: &House, tool: &str, out: &Path, policy: &str, more: &[&str]) -> Ended {
    let mut words: Vec<OsString> = vec!["export".into(), house.corpus().into(), "--to".into(), tool.into()];
    words.extend(["--out".into(), out.into(), "--policy".into(), house.policy(policy).into()]);
    words.extend(more.iter().map(Into::into));
    house.gated(words)
}

/// The documents of an export, as lists of ids.
fn documents(list: &Value) -> Vec<Vec<u64>> {
    serde_json::from_value(list.clone()).unwrap()
}

/// Lines of every packed file beneath a folder, file by file.
fn lines(folder: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for (_, bytes) in contents(folder) {
        let text = zstd::decode_all(bytes.as_slice()).unwrap();
        all.extend(String::from_utf8(text).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()));
    }
    all
}

#[test]
fn the_tools_own_readers_find_the_documents_of_the_shards() {
    let house = corpus();
    let folder = tempfile::tempdir().unwrap();
    for tool in ["npy", "megatron", "datatrove"] {
        export(&house, tool, &folder.path().join(tool), "train", &["--file-tokens", "3000"]).expect(0);
    }
    let Some(ended) = script("read_export.py", &[folder.path()]) else { return };
    let found = ended.expect(0).json();
    let npy = documents(&found["npy"]);
    assert_eq!(npy, documents(&found["megatron"]), "Megatron's reader");
    assert_eq!(npy, documents(&found["datatrove"]), "datatrove's index");
    assert_eq!(found["equal"], true, "datatrove's own writer gives other bytes");
    let rows = house.query(
        &house.corpus(),
        "SELECT n_tokens FROM documents WHERE role = 'train' AND \"set\" IN ('code', 'public')",
    );
    let mut wanted: Vec<u64> = rows.iter().map(|r| r["n_tokens"].as_u64().unwrap() + 1).collect();
    let mut lengths: Vec<u64> = npy.iter().map(|d| d.len() as u64).collect();
    wanted.sort_unstable();
    lengths.sort_unstable();
    assert_eq!(lengths, wanted, "each document once, with its end");
    let eos: BTreeMap<u64, usize> = npy.iter().fold(BTreeMap::new(), |mut all, d| {
        *all.entry(*d.last().unwrap()).or_default() += 1;
        all
    });
    assert_eq!(eos.len(), 1, "every document ends with the same id");
}

#[test]
fn dolma_documents_have_the_text_that_was_kept_and_their_terms() {
    let house = corpus();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("dolma");
    let report = export(&house, "dolma", &out, "train", &["--format", "json"]).expect(0).json();
    let texts = lines(&out.join("documents"));
    let facts = lines(&out.join("attributes/flexmix"));
    assert_eq!(texts.len(), facts.len());
    assert!(!texts.is_empty());
    let mut licenses: BTreeMap<&str, u64> = BTreeMap::new();
    for (document, attributes) in texts.iter().zip(&facts) {
        assert_eq!(document["id"], attributes["id"], "rows in the same order");
        let characters = document["text"].as_str().unwrap().chars().count();
        for spans in attributes["attributes"].as_object().unwrap().values() {
            assert_eq!((spans[0][0].as_u64(), spans[0][1].as_u64()), (Some(0), Some(characters as u64)));
        }
        *licenses.entry(document["metadata"]["license"].as_str().unwrap()).or_default() += 1;
    }
    let mut said: BTreeMap<&str, u64> = BTreeMap::new();
    for license in report["sets"].as_array().unwrap().iter().flat_map(|s| s["licenses"].as_array().unwrap()) {
        *said.entry(license["license"].as_str().unwrap()).or_default() += license["rows"].as_u64().unwrap();
    }
    assert_eq!(licenses, said, "terms are carried, and export.json counts them");
    let bytes = "SELECT sum(bytes_out) FROM ledger WHERE decision = 'kept' AND \"set\" IN ('code', 'public')";
    let written: usize = texts.iter().map(|d| d["text"].as_str().unwrap().len()).sum();
    assert_eq!(written as u64, house.number(&house.corpus(), bytes), "the text is the one that was kept, to the byte");
    assert!(out.join("NOTICE").is_file() && out.join("export.json").is_file());
}

#[test]
fn a_policy_narrows_an_export_and_says_what_it_left_out() {
    let house = corpus();
    let folder = tempfile::tempdir().unwrap();
    let narrow = export(&house, "npy", &folder.path().join("a"), "publish", &["--format", "json"]).expect(0).json();
    let left = narrow["left_out"].as_array().unwrap();
    assert!(!left.is_empty(), "the fixture has non-commercial text");
    assert!(left.iter().all(|l| !l["reasons"].as_array().unwrap().is_empty()));
    let kept = narrow["sets"].as_array().unwrap().iter().flat_map(|s| s["licenses"].as_array().unwrap());
    let kept: u64 = kept.map(|l| l["tokens"].as_u64().unwrap()).sum();
    let gone: u64 = left.iter().map(|l| l["tokens"].as_u64().unwrap()).sum();
    let all = "SELECT sum(n_tokens * copies) FROM documents WHERE role = 'train' AND \"set\" IN ('code', 'public')";
    assert_eq!(kept + gone, house.number(&house.corpus(), all));
    let other = export(&house, "npy", &folder.path().join("b"), "research", &[]).expect(2);
    assert!(other.stderr.contains("act `train`"), "{}", other.stderr);
}

#[test]
fn a_closed_set_is_exported_by_its_owner_alone_and_never_to_be_handed_on() {
    let house = corpus();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("notes");
    for (policy, more) in [("train", &["--set", "notes"][..]), ("publish", &["--set", "notes", "--closed"])] {
        let refused = export(&house, "npy", &out, policy, more).expect(1);
        assert!(refused.stderr.contains("is closed"), "{}", refused.stderr);
        assert!(!out.try_exists().unwrap(), "a refused export writes nothing");
    }
    export(&house, "npy", &out, "train", &["--set", "notes", "--closed"]).expect(0);
    let open = folder.path().join("open");
    export(&house, "npy", &open, "train", &[]).expect(0);
    assert!(!open.join("notes").try_exists().unwrap(), "without being named it stays");
}

#[test]
fn a_seed_mixes_and_equal_seeds_give_equal_bytes() {
    let house = corpus();
    let folder = tempfile::tempdir().unwrap();
    for (name, more) in
        [("a", &["--shuffle", "7"][..]), ("b", &["--shuffle", "7"]), ("c", &["--shuffle", "8"]), ("d", &[])]
    {
        export(&house, "datatrove", &folder.path().join(name), "train", more).expect(0);
    }
    let files = |name: &str| contents(&folder.path().join(name));
    assert_eq!(files("a"), files("b"));
    let ids = |name: &str| -> Vec<Vec<u8>> {
        let all = files(name).into_iter().filter(|(path, _)| path.ends_with(".ds"));
        all.map(|(_, bytes)| bytes).collect()
    };
    assert_ne!(ids("a"), ids("c"));
    assert_ne!(ids("a"), ids("d"));
    let sorted = |name: &str| {
        let mut bytes: Vec<u8> = ids(name).concat();
        bytes.sort_unstable();
        bytes
    };
    assert_eq!(sorted("a"), sorted("d"), "the same ids in another order");
}

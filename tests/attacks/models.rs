//! Stamps, indexes and weights that do not belong together: whatever an expert's stamp does not speak for takes no part,
//! and what was changed is refused by name.

use std::fs;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use manifests::sign::{Envelope, PrivateKey, Record, Statement};
use manifests::stamp::{ModelIndex, Stamp};
use serde_json::Value;

use crate::support::{House, copy_tree, model};
use crate::training::{generate, ids};

const EXPERTS: [&str; 2] = ["code-nc", "notes-contract"];

fn expert(whole: &Path, id: &str) -> PathBuf {
    whole.join("experts").join(id)
}

/// The session's report under a policy that would admit both experts.
#[track_caller]
fn session(house: &House) -> Value {
    generate(house, &house.model("whole"), "research").expect(0).json()
}

/// The reasons for which an expert takes no part.
#[track_caller]
fn reasons(report: &Value, id: &str) -> Vec<String> {
    let excluded = report["session"]["excluded"].as_array().unwrap();
    let one = excluded.iter().find(|e| e["id"] == id).unwrap_or_else(|| panic!("`{id}` answered: {report:#}"));
    one["causes"].as_array().unwrap().iter().map(|c| c["reason"].as_str().unwrap().to_owned()).collect()
}

/// Changes a signed record and signs it with a key of the house; gives its new digest.
fn resign<R: Record>(house: &House, path: &Path, signer: &str, change: impl FnOnce(&mut R)) -> Sha256 {
    let mut statement = Statement::<R>::peek_unverified(&Envelope::read(path).unwrap(), path).unwrap();
    change(&mut statement.predicate);
    statement.write(path, &PrivateKey::read(&house.key(signer)).unwrap()).unwrap()
}

/// Changes the index of the merged model and signs it as the merger.
fn index(house: &House, change: impl FnOnce(&mut ModelIndex)) {
    resign(house, &house.model("whole").join("index.dsse.json"), "merger", change);
}

/// Changes an expert's stamp, signs it, and makes the index name it.
fn stamp(house: &House, id: &str, signer: &str, change: impl FnOnce(&mut Stamp)) {
    let path = expert(&house.model("whole"), id).join("stamp.dsse.json");
    let digest = resign(house, &path, signer, change);
    index(house, |index| index.experts.iter_mut().filter(|m| m.id.as_str() == id).for_each(|m| m.stamp = digest));
}

#[test]
fn an_expert_whose_stamp_was_stripped_takes_no_part() {
    let house = House::copy(&model());
    fs::remove_file(expert(&house.model("whole"), "code-nc").join("stamp.dsse.json")).unwrap();
    let report = session(&house);
    assert_eq!(
        (ids(&report, "admitted"), reasons(&report, "code-nc")),
        (vec!["notes-contract".into()], vec!["stamp-missing".into()])
    );
    // Without the anchor's, nothing runs.
    fs::remove_file(house.model("whole").join("anchor/stamp.dsse.json")).unwrap();
    let ended = generate(&house, &house.model("whole"), "research");
    assert!(ended.code != 0 && ended.said().contains("anchor/stamp.dsse.json"), "{}", ended.said());
}

#[test]
fn a_genuine_stamp_beside_other_weights_is_refused() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    let [one, two] = EXPERTS.map(|id| expert(&whole, id));
    // The stamp of the one that every policy admits, on the weights of the other.
    fs::copy(two.join("stamp.dsse.json"), one.join("stamp.dsse.json")).unwrap();
    assert_eq!(ids(&session(&house), "admitted"), ["notes-contract"]);
    house.verify(&whole).expect(1);
    // The whole folder of the one under the name of the other.
    fs::remove_dir_all(&one).unwrap();
    copy_tree(&two, &one);
    assert_eq!(ids(&session(&house), "admitted"), ["notes-contract"]);
    house.verify(&whole).expect(1);
}

#[test]
fn excluded_weights_merged_into_another_expert_are_refused() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    let [excluded, kept] = EXPERTS.map(|id| expert(&whole, id).join("expert.safetensors"));
    let (from, mut into) = (fs::read(excluded).unwrap(), fs::read(&kept).unwrap());
    assert_eq!(from.len(), into.len(), "both experts have one shape");
    // Half of each: the headers are equal, the numbers are the other's from the middle on.
    let half = into.len() / 2;
    into[half..].copy_from_slice(&from[half..]);
    fs::write(&kept, into).unwrap();
    let said = generate(&house, &whole, "commercial").expect(1).stderr;
    assert!(said.contains("notes-contract") && said.contains("expert.safetensors"), "{said}");
    let said = house.verify(&whole).expect(1).said();
    assert!(said.contains("experts/notes-contract/expert.safetensors"), "{said}");
}

#[test]
fn an_index_that_sends_an_expert_to_anothers_folder_admits_neither() {
    let house = House::copy(&model());
    index(&house, |index| {
        let (one, two) = (index.experts[0].folder.clone(), index.experts[1].folder.clone());
        (index.experts[0].folder, index.experts[1].folder) = (two, one);
    });
    // Rows and weights would act under the other's name; no stamp fits.
    let report = session(&house);
    assert_eq!((ids(&report, "admitted").len(), ids(&report, "excluded").len()), (0, 2), "{report:#}");
    house.verify(&house.model("whole")).expect(1);
}

#[test]
fn a_router_row_of_its_own_or_another_file_beside_the_weights_is_found() {
    let house = House::copy(&model());
    let whole = house.model("whole");
    let before = session(&house)["answer"].clone();
    for id in ["anchor", "experts/notes-contract"] {
        fs::copy(expert(&whole, "code-nc").join("expert.safetensors"), whole.join(id).join("router.safetensors"))
            .unwrap();
    }
    let said = house.verify(&whole).expect(1).said();
    assert!(said.contains("router.safetensors") && said.contains("does not list"), "{said}");
    // What no stamp lists is not loaded.
    assert_eq!(session(&house)["answer"], before);
}

#[test]
fn an_index_that_leads_out_of_its_model_is_refused() {
    for folder in ["../../models/whole/experts/code-nc", "/etc", "experts/../experts/code-nc"] {
        let house = House::copy(&model());
        index(&house, |index| {
            index.experts.iter_mut().filter(|m| m.id.as_str() == "code-nc").for_each(|m| m.folder = folder.to_owned());
        });
        let said = house.verify(&house.model("whole")).expect(1).said();
        assert!(said.contains("index.dsse.json"), "{said}");
        assert_eq!(ids(&session(&house), "admitted"), ["notes-contract"]);
    }
}

#[test]
fn a_stamp_that_says_less_than_was_consumed_passes_only_under_its_trainers_key() {
    // Without the trainer's key it is refused.
    let house = House::copy(&model());
    let denied = |c: &manifests::exposure::CellCount| c.cell.label().contains("Noncommercial");
    let understate = |stamp: &mut Stamp| {
        for exposure in &mut stamp.exposures {
            exposure.cells.retain(|c| !denied(c));
            if let manifests::exposure::TokenTotal::Exact(total) = &mut exposure.tokens {
                *total = exposure.cells.iter().filter_map(|c| c.tokens).sum();
            }
        }
    };
    stamp(&house, "code-nc", "merger", understate);
    assert_eq!(ids(&session(&house), "admitted"), ["notes-contract"]);
    assert!(house.verify(&house.model("whole")).expect(1).said().contains("FM-T-003"));
    // A stamp that lists nothing at all is refused even from its trainer.
    let house = House::copy(&model());
    stamp(&house, "code-nc", "trainer", |stamp| stamp.exposures.clear());
    assert_eq!(ids(&session(&house), "admitted"), ["notes-contract"]);
    let said = house.verify(&house.model("whole")).expect(1).said();
    assert!(said.contains("names nothing that the weights were trained on"), "{said}");
}

#[test]
fn an_expert_listed_twice_or_under_the_anchors_name_is_refused() {
    let house = House::copy(&model());
    index(&house, |index| {
        let twin = index.experts[0].clone();
        index.experts.push(twin);
    });
    generate(&house, &house.model("whole"), "research").expect(1);
    house.verify(&house.model("whole")).expect(1);
}

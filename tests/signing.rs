//! Every expert folder of a merged model is signed in OpenSSF's model-signing format: its own tool verifies it with the
//! trainer's public key, each folder alone.

use std::fs;
use std::path::Path;

use crate::readers::script;
use crate::support::{House, flip_byte, model};

#[test]
fn model_signing_verifies_each_folder_alone() {
    let house = House::copy(&model());
    let (whole, key) = (house.model("whole"), house.path("keys/trainer.pub"));
    let verify = |folder: &Path| script("verify_model_signing.py", &["verify".as_ref(), &key, folder]);
    let Some(ended) = verify(&whole.join("experts/code-nc")) else { return };
    assert!(ended.expect(0).said().contains("Verification succeeded"));
    // The others are not needed.
    fs::remove_dir_all(whole.join("experts/code-nc")).unwrap();
    for folder in ["anchor", "experts/notes-contract"] {
        verify(&whole.join(folder)).unwrap().expect(0);
    }
    flip_byte(&whole.join("experts/notes-contract/expert.safetensors"), 4000);
    let ended = verify(&whole.join("experts/notes-contract")).unwrap();
    assert!(ended.code != 0 && ended.said().contains("expert.safetensors"), "{}", ended.said());
    // Another key's owner signed nothing here.
    let other = house.path("keys/merger.pub");
    let ended = script("verify_model_signing.py", &["verify".as_ref(), &other, &whole.join("anchor")]).unwrap();
    assert_ne!(ended.code, 0, "{}", ended.said());
}

//! Prediction against fastText itself: labels and scores, bit for bit, of golden/fasttext.jsonl.gz, which
//! golden/make_fasttext.py wrote. `FLEXMIX_FASTTEXT_GOLDEN` names a file of that script for another model.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{BufRead as _, BufReader, Read};

use corpus::fasttext::{Error, Model};
use manifests::digest::Sha256;
use serde_json::Value;

fn golden() -> Box<dyn Read> {
    match std::env::var_os("FLEXMIX_FASTTEXT_GOLDEN") {
        Some(path) => Box::new(std::fs::File::open(path).unwrap()),
        None => Box::new(include_bytes!("golden/fasttext.jsonl.gz").as_slice()),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value =
        |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|x| *x == c);
    let bits = text.bytes().filter_map(value);
    let mut bytes = Vec::new();
    let (mut held, mut width) = (0usize, 0);
    for six in bits {
        held = held << 6 | six;
        width += 6;
        if width >= 8 {
            width -= 8;
            bytes.push((held >> width & 0xff) as u8);
        }
    }
    bytes
}

fn model(row: &Value) -> Model {
    let model = match row["path"].as_str() {
        Some(path) => Model::load(path.as_ref()).unwrap(),
        None => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("model");
            std::fs::write(&path, base64(row["base64"].as_str().unwrap())).unwrap();
            Model::load(&path).unwrap()
        }
    };
    let labels: Vec<String> = serde_json::from_value(row["labels"].clone()).unwrap();
    assert_eq!(model.labels(), labels);
    model
}

/// Pairs in one order: fastText leaves equal scores in the order of its heap.
fn ordered(mut pairs: Vec<(String, f32)>) -> Vec<(String, f32)> {
    pairs.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    pairs
}

#[test]
fn labels_and_scores_are_fasttexts() {
    let (mut current, mut name, mut models, mut texts) = (None, String::new(), 0, 0);
    for line in BufReader::new(flate2::read::GzDecoder::new(golden())).lines() {
        let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if row["model"].is_string() {
            current = Some(model(&row));
            row["model"].as_str().unwrap().clone_into(&mut name);
            models += 1;
            continue;
        }
        let text = row["text"].as_str().unwrap();
        let theirs: Vec<(String, f64)> = serde_json::from_value(row["predictions"].clone()).unwrap();
        let theirs: Vec<(String, f32)> = theirs.into_iter().map(|(label, score)| (label, score as f32)).collect();
        let ours = current.as_ref().unwrap().predict(text);
        let ours: Vec<(String, f32)> = ours.iter().map(|p| (p.label.to_owned(), p.score)).collect();
        assert!(ours.is_sorted_by(|a, b| a.1 >= b.1));
        assert_eq!(ordered(ours), ordered(theirs), "{name}: {:?}", text.chars().take(200).collect::<String>());
        texts += 1;
    }
    assert!(models > 0 && texts > 100);
}

#[test]
fn a_model_is_what_its_pin_says_and_is_loaded_once() {
    let row = BufReader::new(flate2::read::GzDecoder::new(include_bytes!("golden/fasttext.jsonl.gz").as_slice()));
    let row: Value = serde_json::from_str(&row.lines().next().unwrap().unwrap()).unwrap();
    let bytes = base64(row["base64"].as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bin");
    std::fs::write(&path, &bytes).unwrap();
    let pin = Sha256::of(&bytes);
    let first = Model::shared(&path, pin).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &Model::shared(&path, pin).unwrap()));
    assert_eq!(first.digest(), pin);
    assert!(first.memory() > 1000);
    assert!(matches!(Model::shared(&path, Sha256::of(b"another")), Err(Error::Pin { .. })));
}

#[test]
fn damaged_files_are_refused_and_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let reader = BufReader::new(flate2::read::GzDecoder::new(include_bytes!("golden/fasttext.jsonl.gz").as_slice()));
    for row in reader.lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()) {
        let Some(body) = row["base64"].as_str() else { continue };
        let bytes = base64(body);
        for at in (0..bytes.len().min(400)).step_by(3).chain((400..bytes.len()).step_by(1009)) {
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert!(Model::load(&path).is_err(), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 0x80;
            std::fs::write(&path, &changed).unwrap();
            if let Ok(model) = Model::load(&path) {
                assert!(model.predict("ka mi </s> qä").len() <= model.labels().len());
            }
        }
        std::fs::write(&path, [bytes, vec![0]].concat()).unwrap();
        assert!(Model::load(&path).is_err());
    }
}

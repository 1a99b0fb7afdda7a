//! Value for value what datatrove says: golden/minhash.jsonl.gz, which golden/make_minhash.py wrote.

use std::io::Read as _;

use super::*;

#[test]
fn every_value_is_datatroves() {
    let golden: &[u8] = include_bytes!("../../tests/golden/minhash.jsonl.gz");
    let mut lines = String::new();
    flate2::read::GzDecoder::new(golden).read_to_string(&mut lines).unwrap();
    let full = MinhashConfig::default();
    let configs = [
        full,
        MinhashConfig { hash: Hash::Sha1, ..full },
        MinhashConfig { bands: 3, hashes: 2, ngram: 2, seed: 7, ..full },
    ];
    let mut signers = configs.map(Signer::new);
    let mut signed = 0;
    for line in lines.lines() {
        let (text, simple, expected): (String, String, [Option<Vec<u64>>; 3]) = serde_json::from_str(line).unwrap();
        assert_eq!(simplify(&text), simple, "{text:?}");
        for (signer, expected) in signers.iter_mut().zip(expected) {
            let found = signer.signature(&text);
            signed += usize::from(found.is_some());
            let length = expected.as_ref().map_or(0, Vec::len);
            assert_eq!(found.map(|s| s[..length].to_vec()), expected, "{text:?}");
        }
    }
    assert!(signed > 500, "{signed} signatures");
}

#[test]
fn bands_are_of_equal_hashes() {
    let mut signer = Signer::new(MinhashConfig::default());
    let signature = signer.signature("one two three four five six").unwrap();
    assert_eq!(signature.len(), 112);
    let bands = signer.bands(&signature);
    assert_eq!(bands.len(), 14);
    assert_eq!(signer.signature("One, two; three: FOUR five (six)!").unwrap(), signature);
    assert_ne!(signer.bands(&signer.permutations.iter().map(|p| p.0).collect::<Vec<_>>()), bands);
}

//! Checks that a safetensors file holds tensors and nothing else: no words in its header, no byte between or behind the
//! tensors. Knows nothing of what they compute.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The longest header.
const CAP: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Checks a file of float32 tensors with exactly these names.
///
/// # Errors
/// What is wrong with the file, in words.
pub(crate) fn check(path: &Path, names: &[String]) -> Result<(), String> {
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let length = file.metadata().map_err(|e| e.to_string())?.len();
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(|_| "it is too short to hold tensors".to_owned())?;
    let size = u64::from_le_bytes(size);
    let data = length.checked_sub(8).and_then(|rest| rest.checked_sub(size)).filter(|_| size <= CAP);
    let data = data.ok_or("its header does not fit into it")?;
    let mut header = Vec::new();
    file.take(size).read_to_end(&mut header).map_err(|e| e.to_string())?;
    let header = header.trim_ascii_end();
    let parsed = manifests::canonical::parse_strict("header", path, header).map_err(|e| e.to_string())?;
    let mut entries: BTreeMap<String, Value> = serde_json::from_value(parsed).map_err(|e| e.to_string())?;
    let metadata = entries.remove("__metadata__");
    if metadata.is_some_and(|m| m != serde_json::json!({ "format": "pt" })) {
        return Err("its header carries words beside the tensors".to_owned());
    }
    let named: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    if !entries.keys().map(String::as_str).eq(named) {
        return Err("its tensors are not those that the stamp names".to_owned());
    }
    covers(entries, data)
}

/// The tensors fill the data from its first byte to its last.
fn covers(entries: BTreeMap<String, Value>, data: u64) -> Result<(), String> {
    let mut ranges = Vec::new();
    for (name, entry) in entries {
        let tensor: Tensor = serde_json::from_value(entry).map_err(|e| format!("tensor `{name}`: {e}"))?;
        let bytes = tensor.shape.iter().try_fold(4u64, |n, d| n.checked_mul(*d));
        let (from, to) = tensor.data_offsets;
        if tensor.dtype != "F32" || bytes.is_none() || to.checked_sub(from) != bytes {
            return Err(format!("tensor `{name}` is not of float32, or its bytes are not those of its shape"));
        }
        ranges.push((from, to));
    }
    ranges.sort_unstable();
    let end = ranges.iter().try_fold(0, |at, (from, to)| (*from == at).then_some(*to));
    if end == Some(data) { Ok(()) } else { Err("bytes lie between or behind its tensors".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    fn checked(bytes: &[u8]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        std::fs::write(&path, bytes).unwrap();
        check(&path, &["a".to_owned(), "b".to_owned()])
    }

    const TWO: &str = r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}"#;

    #[test]
    fn tensors_alone_pass() {
        checked(&file(&format!("{{{TWO}}}  "), &[0; 12])).unwrap();
        checked(&file(&format!("{{\"__metadata__\":{{\"format\":\"pt\"}},{TWO}}}"), &[0; 12])).unwrap();
    }

    #[test]
    fn words_and_bytes_beside_tensors_are_found() {
        let words = format!("{{\"__metadata__\":{{\"format\":\"pt\",\"note\":\"heron\"}},{TWO}}}");
        assert!(checked(&file(&words, &[0; 12])).unwrap_err().contains("words"));
        assert!(checked(&file(&format!("{{{TWO}}}"), &[0; 13])).unwrap_err().contains("behind"));
        let gap = TWO.replace("[8,12]", "[9,13]");
        assert!(checked(&file(&format!("{{{gap}}}"), &[0; 13])).unwrap_err().contains("between"));
        let more = format!("{{{TWO},\"heron\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[12,12]}}}}");
        assert!(checked(&file(&more, &[0; 12])).unwrap_err().contains("stamp"));
        let other = TWO.replace("\"F32\",\"shape\":[2]", "\"U8\",\"shape\":[8]");
        assert!(checked(&file(&format!("{{{other}}}"), &[0; 12])).is_err());
        assert!(checked(&[1, 2, 3]).is_err());
        assert!(checked(&file("{}", &[])[..9]).is_err());
    }
}

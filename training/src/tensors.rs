//! Safetensors files: written whole and in one piece, read from a mapping whose bytes are also what is hashed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};

use manifests::digest::Sha256;
use safetensors::tensor::{Dtype, SafeTensors, View};
use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::shim::Mapped;

struct Stored {
    shape: Vec<usize>,
    kind: Dtype,
    tensor: Tensor,
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.kind
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; self.data_len()];
        self.tensor.copy_data_u8(&mut bytes, self.tensor.numel());
        Cow::Owned(bytes)
    }

    fn data_len(&self) -> usize {
        self.tensor.numel() * if self.kind == Dtype::F64 { 8 } else { 4 }
    }
}

/// The bytes of a safetensors file with these float tensors and one optional metadata entry. The library sorts
/// tensors by name, so equal tensors give equal bytes.
///
/// # Errors
/// When a tensor is neither float32 nor float64, or two have one name.
pub fn to_bytes(tensors: &[(String, Tensor)], metadata: Option<(&str, String)>) -> Result<Vec<u8>> {
    let mut views = Vec::new();
    for (name, tensor) in tensors {
        let kind = match tensor.kind() {
            Kind::Float => Dtype::F32,
            Kind::Double => Dtype::F64,
            other => return Err(Error::Usage(format!("tensor `{name}` is `{other:?}`, not a float"))),
        };
        let shape = tensor.size().iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
        views.push((name.as_str(), Stored { shape, kind, tensor: tensor.detach().contiguous() }));
    }
    let metadata = metadata.map(|(key, value)| HashMap::from([(key.to_owned(), value)]));
    safetensors::serialize(views, metadata).map_err(|e| Error::Usage(format!("cannot write tensors: {e}")))
}

/// A mapped safetensors file.
#[derive(Debug)]
pub struct TensorFile {
    map: Mapped,
    path: PathBuf,
    tensors: BTreeMap<String, (Dtype, Vec<i64>, Range<usize>)>,
    metadata: BTreeMap<String, String>,
}

impl TensorFile {
    /// Maps a file and checks its header. When `expected` is given, the mapped bytes must have that digest.
    ///
    /// # Errors
    /// When the file can't be read, has another digest, or is no safetensors file.
    pub fn open(path: &Path, expected: Option<Sha256>) -> Result<Self> {
        let map = Mapped::open(path)?;
        if let Some(expected) = expected {
            let found = Sha256::of(&map);
            if found != expected {
                return Err(Error::unverified(path, format!("it is {found}, its stamp names {expected}")));
            }
        }
        let (header, names) = SafeTensors::read_metadata(&map).map_err(|e| Error::format(path, e))?;
        let file = SafeTensors::deserialize(&map).map_err(|e| Error::format(path, e))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let shape = view.shape().iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect();
            let (from, to) = names.info(&name).map_or((0, 0), |info| info.data_offsets);
            let start = 8 + header;
            tensors.insert(name, (view.dtype(), shape, start + from..start + to));
        }
        let metadata = names.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        Ok(Self { map, path: path.to_owned(), tensors, metadata })
    }

    /// A metadata entry of the header.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The tensor of this name and shape, copied out of the mapping.
    ///
    /// # Errors
    /// When there is none, or it has another shape or kind.
    pub fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let Some((dtype, found, range)) = self.tensors.get(name) else {
            return Err(Error::format(&self.path, format!("tensor `{name}` is missing")));
        };
        if found != shape {
            return Err(Error::format(&self.path, format!("tensor `{name}` is {found:?}, not {shape:?}")));
        }
        let kind = match dtype {
            Dtype::F32 => Kind::Float,
            Dtype::F64 => Kind::Double,
            other => return Err(Error::format(&self.path, format!("tensor `{name}` is `{other:?}`, not float32"))),
        };
        Ok(Tensor::f_from_data_size(&self.map[range.clone()], shape, kind)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_and_a_flipped_byte_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.safetensors");
        let tensors = vec![
            ("b".to_owned(), Tensor::from_slice(&[1.0_f32, -2.5, 3.0, 4.0]).view([2, 2])),
            ("a".to_owned(), Tensor::from_slice(&[0.25_f64])),
        ];
        let bytes = to_bytes(&tensors, Some(("k", "v".into()))).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let file = TensorFile::open(&path, Some(Sha256::of(&bytes))).unwrap();
        assert_eq!(file.metadata("k"), Some("v"));
        assert!(file.get("b", &[2, 2]).unwrap().equal(&tensors[0].1));
        assert!(file.get("a", &[1]).unwrap().equal(&tensors[1].1));
        assert!(file.get("b", &[4]).unwrap_err().to_string().contains("[2, 2], not [4]"));
        assert!(file.get("c", &[4]).is_err());
        let mut spoiled = bytes.clone();
        *spoiled.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &spoiled).unwrap();
        let error = TensorFile::open(&path, Some(Sha256::of(&bytes))).unwrap_err();
        assert!(matches!(error, Error::Unverified { .. }));
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(TensorFile::open(&path, None).is_err());
    }
}

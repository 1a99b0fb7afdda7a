//! Reading a model's file: versions up to 12 of fastText's format. Sizes that the file states are held against its
//! length before memory is taken for them, and every row that a word or n-gram can name must be there.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use manifests::digest::{Hasher, Sha256};

use super::dictionary::{Buckets, Dictionary, LABEL};
use super::matrix::{CENTROIDS, Matrix, Quantizer, Rows};
use super::predict::{Loss, Output, tree};
use super::{Error, Model};

/// Why a file is refused, before its path is known.
enum Refusal {
    Io(io::Error),
    What(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::What("the file ends too soon".to_owned()),
            _ => Self::Io(error),
        }
    }
}

type Result<T> = std::result::Result<T, Refusal>;

fn refuse<T>(what: impl Into<String>) -> Result<T> {
    Err(Refusal::What(what.into()))
}

/// A file whose bytes are hashed as they pass.
struct Source<R> {
    reader: R,
    hasher: Hasher,
    left: u64,
}

impl<R: Read> Source<R> {
    fn bytes(&mut self, n: usize) -> Result<Vec<u8>> {
        if n as u64 > self.left {
            return refuse("the file ends too soon");
        }
        let mut bytes = vec![0; n];
        self.reader.read_exact(&mut bytes)?;
        self.hasher.update(&bytes);
        self.left -= n as u64;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        self.hasher.update(&bytes);
        self.left = self.left.saturating_sub(N as u64);
        Ok(bytes)
    }

    fn int(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    fn long(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn flag(&mut self) -> Result<bool> {
        Ok(self.array::<1>()? != [0])
    }

    fn size(&mut self, what: &str) -> Result<usize> {
        let n = self.int()?;
        usize::try_from(n).or_else(|_| refuse(format!("{what} is `{n}`")))
    }

    fn long_size(&mut self, what: &str) -> Result<usize> {
        let n = self.long()?;
        usize::try_from(n).or_else(|_| refuse(format!("{what} is `{n}`")))
    }

    fn floats(&mut self, n: usize) -> Result<Vec<f32>> {
        if (n as u64).checked_mul(4).is_none_or(|bytes| bytes > self.left) {
            return refuse("the file ends too soon");
        }
        let mut numbers = Vec::with_capacity(n);
        while numbers.len() < n {
            let some = (n - numbers.len()).min(1 << 16);
            let bytes = self.bytes(some * 4)?;
            numbers.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)));
        }
        if numbers.iter().any(|x| !x.is_finite()) {
            return refuse("a weight is no finite number");
        }
        Ok(numbers)
    }

    /// A word up to its zero byte.
    fn word(&mut self) -> Result<Vec<u8>> {
        let mut word = Vec::new();
        loop {
            match self.array()? {
                [0] => return Ok(word),
                [byte] => word.push(byte),
            }
        }
    }
}

/// What of the arguments prediction rests on.
struct Arguments {
    width: usize,
    word_ngrams: usize,
    loss: i32,
    bucket: u32,
    characters: (i32, i32),
}

impl Arguments {
    fn read(source: &mut Source<impl Read>) -> Result<Self> {
        if source.int()? != 793_712_314 {
            return refuse("this is no fastText model");
        }
        let version = source.int()?;
        if version > 12 {
            return refuse(format!("version `{version}` of the format is not known, expected 12 or less"));
        }
        let width = source.size("the vectors' length")?;
        let [_window, _epochs, _least, _negatives] = [source.int()?, source.int()?, source.int()?, source.int()?];
        let word_ngrams = source.size("the length of word n-grams")?;
        let (loss, kind) = (source.int()?, source.int()?);
        if kind != 3 {
            return refuse("the model gives vectors of words and no labels; a supervised one is needed");
        }
        let bucket = source.int()?;
        let bucket = u32::try_from(bucket).or_else(|_| refuse(format!("the number of buckets is `{bucket}`")))?;
        let characters = (source.int()?, source.int()?);
        let _rate = source.int()?;
        let _sampling: [u8; 8] = source.array()?;
        let characters = if version == 11 { (characters.0, 0) } else { characters };
        Ok(Self { width, word_ngrams, loss, bucket, characters })
    }

    /// The dictionary, the labels' counts, and how many rows the input matrix must have.
    fn dictionary(&self, source: &mut Source<impl Read>) -> Result<(Dictionary, Vec<i64>, usize)> {
        let size = source.size("the number of words")?;
        let (words_stated, labels_stated) = (source.size("words")?, source.size("labels")?);
        let _tokens = source.long()?;
        let pruned = source.long()?;
        let (mut words, mut labels, mut counts) = (HashMap::new(), Vec::new(), Vec::new());
        for _ in 0..size {
            let word = source.word()?;
            let count = source.long()?;
            match source.array::<1>()? {
                [0] if labels.is_empty() => {
                    words.insert(word.into_boxed_slice(), words.len() as u32);
                }
                [1] => {
                    let name = word.strip_prefix(LABEL).unwrap_or(&word);
                    labels.push(String::from_utf8_lossy(name).into_owned());
                    counts.push(count);
                }
                _ => return refuse("words and labels are mixed"),
            }
        }
        if words.len() != words_stated || labels.len() != labels_stated || labels.is_empty() {
            return refuse("the numbers of words and labels are not those of the header");
        }
        let (buckets, ngrams) = match pruned {
            ..0 => (Buckets::All, self.bucket as usize),
            0 => (Buckets::None, 0),
            n => {
                let mut kept = HashMap::new();
                for _ in 0..n {
                    let (from, to) = (source.size("a bucket")?, source.size("a bucket's row")?);
                    if to as i64 >= n {
                        return refuse("a bucket's row is not there");
                    }
                    kept.insert(from as u32, to as u32);
                }
                (Buckets::Some(kept), usize::try_from(n).unwrap_or(usize::MAX))
            }
        };
        let rows = words.len().saturating_add(ngrams);
        let (bucket, characters, word_ngrams) = (self.bucket, self.characters, self.word_ngrams);
        Ok((Dictionary { words, labels, bucket, buckets, characters, word_ngrams }, counts, rows))
    }
}

fn quantizer(source: &mut Source<impl Read>, width: usize) -> Result<Quantizer> {
    let stated = source.size("a quantiser's length")?;
    let (parts, part, last) = (source.size("parts")?, source.size("a part")?, source.size("the last part")?);
    let whole = parts.checked_sub(1).and_then(|n| n.checked_mul(part)).and_then(|n| n.checked_add(last));
    if stated != width || whole != Some(width) || last > part || last == 0 {
        return refuse("a quantiser's parts do not make up a row");
    }
    let Some(numbers) = width.checked_mul(CENTROIDS) else { return refuse("a quantiser is too large") };
    Ok(Quantizer { part, last, parts, centroids: source.floats(numbers)? })
}

fn matrix(source: &mut Source<impl Read>, quantized: bool, height: usize, width: usize) -> Result<Matrix> {
    let with_norms = if quantized { source.flag()? } else { false };
    let found = (source.long_size("rows")?, source.long_size("columns")?);
    if found != (height, width) {
        return refuse(format!("a matrix is {} by {}, expected {height} by {width}", found.0, found.1));
    }
    if !quantized {
        let Some(numbers) = height.checked_mul(width) else { return refuse("a matrix is too large") };
        return Ok(Matrix { width, height, rows: Rows::Dense(source.floats(numbers)?) });
    }
    let size = source.size("codes")?;
    let codes = source.bytes(size)?;
    let quantizer = quantizer(source, width)?;
    if height.checked_mul(quantizer.parts) != Some(size) {
        return refuse("there are not as many codes as rows need");
    }
    let norms = if with_norms { Some((source.bytes(height)?, self::quantizer(source, 1)?)) } else { None };
    Ok(Matrix { width, height, rows: Rows::Quantized { codes, quantizer, norms } })
}

fn parse(source: &mut Source<impl Read>) -> Result<(Dictionary, Matrix, Output)> {
    let arguments = Arguments::read(source)?;
    let (dictionary, counts, rows) = arguments.dictionary(source)?;
    let quantized = source.flag()?;
    if !quantized && !matches!(dictionary.buckets, Buckets::All) {
        return refuse("n-grams were cut away from a model that is not quantised");
    }
    let input = matrix(source, quantized, rows, arguments.width)?;
    let quantized_output = source.flag()?;
    let labels = dictionary.labels.len();
    let matrix = matrix(source, quantized && quantized_output, labels, arguments.width)?;
    let loss = match arguments.loss {
        1 => Loss::Tree(tree(&counts)),
        2 | 4 => Loss::Sigmoids,
        3 => Loss::Softmax,
        other => return refuse(format!("loss `{other}` is not known")),
    };
    Ok((dictionary, input, Output { matrix, loss }))
}

impl Model {
    /// The model of a file.
    ///
    /// # Errors
    /// [`Error`] when the file is unreadable or no such model.
    pub fn load(path: &Path) -> std::result::Result<Self, Error> {
        let failed = |refusal| match refusal {
            Refusal::Io(error) => Error::Io { path: path.to_owned(), error },
            Refusal::What(what) => Error::Malformed { path: path.to_owned(), what },
        };
        let open = || -> Result<Self> {
            let file = File::open(path)?;
            let left = file.metadata()?.len();
            let mut source = Source { reader: BufReader::with_capacity(1 << 20, file), hasher: Hasher::new(), left };
            let (dictionary, input, output) = parse(&mut source)?;
            if source.reader.read(&mut [0])? != 0 {
                return refuse("bytes follow the model");
            }
            Ok(Self { dictionary, input, output, digest: source.digest() })
        };
        open().map_err(failed)
    }
}

impl<R> Source<R> {
    fn digest(self) -> Sha256 {
        self.hasher.finish()
    }
}

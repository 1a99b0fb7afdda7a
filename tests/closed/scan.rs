//! Everything that can be read out of a file: its bytes, and what is inside them when they are decompressed, decoded or
//! taken apart, again and again. A canary that is in any of it was let out.

use std::io::Read;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;

/// How often what was taken out is taken apart again.
const DEPTH: u32 = 4;
/// The most that one compressed stream may become.
const CAP: u64 = 8 << 20;
/// The fewest characters of base64 or hex that are worth decoding.
const RUN: usize = 20;

/// The file's bytes and everything in them.
pub(super) fn views(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    expand(bytes.to_vec(), DEPTH, &mut found);
    found
}

fn expand(bytes: Vec<u8>, depth: u32, found: &mut Vec<Vec<u8>>) {
    if depth > 0 {
        let inner = [compressed(&bytes), parquet_rows(&bytes), json(&bytes), base64_runs(&bytes), hex_runs(&bytes)];
        for view in inner.into_iter().flatten().filter(|v| v.len() >= 8) {
            expand(view, depth - 1, found);
        }
    }
    found.push(bytes);
}

/// Every gzip and zstd stream, wherever it begins.
fn compressed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts = |magic: &'static [u8]| (0..bytes.len()).filter(move |at| bytes[*at..].starts_with(magic));
    let mut out = Vec::new();
    for at in starts(&[0x1f, 0x8b, 8]) {
        let mut text = Vec::new();
        _ = flate2::read::MultiGzDecoder::new(&bytes[at..]).take(CAP).read_to_end(&mut text);
        out.push(text);
    }
    for at in starts(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut text = Vec::new();
        // What follows the stream is no error of the stream.
        let stream = zstd::stream::read::Decoder::new(&bytes[at..]).map(zstd::stream::read::Decoder::single_frame);
        if let Ok(stream) = stream {
            _ = stream.take(CAP).read_to_end(&mut text);
            out.push(text);
        }
    }
    out
}

/// The rows of a Parquet file: text and bytes as they are, lists of numbers in decimal.
fn parquet_rows(bytes: &[u8]) -> Vec<Vec<u8>> {
    if !bytes.starts_with(b"PAR1") {
        return vec![];
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.parquet");
    std::fs::write(&path, bytes).unwrap();
    let Ok(reader) = SerializedFileReader::new(std::fs::File::open(path).unwrap()) else { return vec![] };
    let mut out = Vec::new();
    for row in reader.get_row_iter(None).unwrap() {
        for (name, field) in row.unwrap().get_column_iter() {
            out.extend(name.bytes());
            out.push(b'=');
            push(field, &mut out);
            out.push(b'\n');
        }
    }
    vec![out]
}

fn push(field: &Field, out: &mut Vec<u8>) {
    match field {
        Field::Str(text) => out.extend(text.bytes()),
        Field::Bytes(bytes) => out.extend(bytes.data()),
        Field::ListInternal(list) => {
            for item in list.elements() {
                push(item, out);
                out.push(b',');
            }
        }
        Field::Group(row) => row.get_column_iter().for_each(|(_, field)| push(field, out)),
        other => out.extend(other.to_string().bytes()),
    }
}

/// The strings and names of a JSON text, unescaped, one to a view; and its numbers, one to a line.
fn json(bytes: &[u8]) -> Vec<Vec<u8>> {
    fn walk(value: &Value, strings: &mut Vec<Vec<u8>>, numbers: &mut String) {
        match value {
            Value::String(text) => strings.push(text.clone().into_bytes()),
            Value::Number(number) => numbers.push_str(&format!("\n{number}\n")),
            Value::Array(items) => items.iter().for_each(|v| walk(v, strings, numbers)),
            Value::Object(fields) => fields.iter().for_each(|(name, v)| {
                strings.push(name.clone().into_bytes());
                walk(v, strings, numbers);
            }),
            _ => {}
        }
    }
    let (mut strings, mut numbers) = (Vec::new(), String::new());
    // JSON as a whole, JSON lines, and the header of a safetensors file.
    let texts = std::iter::once(bytes).chain(bytes.split(|b| *b == b'\n')).chain(bytes.get(8..).and_then(header));
    for text in texts {
        if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice::<Value>(text) {
            walk(&value, &mut strings, &mut numbers);
        }
    }
    strings.push(numbers.into_bytes());
    strings
}

fn header(rest: &[u8]) -> Option<&[u8]> {
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
    let first = values.next()?.is_ok();
    first.then(|| &rest[..values.byte_offset()])
}

/// Runs of these characters, decoded from each of the first few places, since a run may begin with something else.
fn runs(bytes: &[u8], of: fn(u8) -> bool, decode: fn(&[u8]) -> Option<Vec<u8>>, places: usize) -> Vec<Vec<u8>> {
    let long = bytes.split(|b| !of(*b)).filter(|run| run.len() >= RUN);
    long.flat_map(|run| (0..places).filter_map(move |at| decode(&run[at..]))).collect()
}

fn base64_runs(bytes: &[u8]) -> Vec<Vec<u8>> {
    let decode = |run: &[u8]| {
        let plain: Vec<u8> = run
            .iter()
            .map(|b| {
                if *b == b'-' {
                    b'+'
                } else if *b == b'_' {
                    b'/'
                } else {
                    *b
                }
            })
            .collect();
        // A run ends before its padding, and one that begins elsewhere than the data ends anywhere.
        let whole = if plain.len() % 4 == 1 { plain.len() - 1 } else { plain.len() };
        let lenient = GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(&STANDARD, lenient).decode(&plain[..whole]).ok()
    };
    runs(bytes, |b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b), decode, 4)
}

fn hex_runs(bytes: &[u8]) -> Vec<Vec<u8>> {
    let decode = |run: &[u8]| {
        let text = std::str::from_utf8(&run[..run.len() / 2 * 2]).ok()?.to_ascii_lowercase();
        manifests::digest::unhex(&text)
    };
    runs(bytes, |b| b.is_ascii_hexdigit(), decode, 2)
}

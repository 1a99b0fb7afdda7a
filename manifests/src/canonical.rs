//! Canonical JSON (RFC 8785) and its strict reader. A record has exactly one spelling: what is signed, hashed and
//! compared is that spelling, and bytes that two readers could understand differently are refused (duplicate keys,
//! floats, big integers, BOM, trailing bytes, other spacing). Knows nothing of what the records mean.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

use crate::error::{Error, Result};

/// The longest record that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;

/// The largest magnitude of a JSON integer, 2^53 − 1: larger ones and decimals travel as strings.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// The canonical bytes of a value.
///
/// # Errors
/// [`Error::Contract`] when it holds a float, an integer beyond [`MAX_INTEGER`], or something that is not JSON.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let value = serde_json::to_value(value).map_err(|e| Error::Contract(format!("cannot write a record: {e}")))?;
    check_numbers(&value)?;
    encode(&value)
}

/// Reads a record from its canonical bytes. `path` is named in errors only.
///
/// # Errors
/// [`Error::Malformed`] for anything but the one canonical spelling of a `T`.
pub fn from_slice<T: DeserializeOwned>(kind: &'static str, path: &Path, bytes: &[u8]) -> Result<T> {
    let value = parse_strict(kind, path, bytes)?;
    if encode(&value)? != bytes {
        return Err(Error::malformed(kind, path, "its bytes are not its canonical form (RFC 8785)"));
    }
    // Parsed again from the bytes, since errors of that parser name a column.
    serde_json::from_slice(bytes).map_err(|e| Error::malformed(kind, path, e))
}

/// Parses foreign JSON, whose spacing and key order are free. Duplicate keys, floats, integers beyond [`MAX_INTEGER`],
/// a BOM, trailing bytes and more than [`MAX_BYTES`] are refused all the same.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_strict(kind: &'static str, path: &Path, bytes: &[u8]) -> Result<Value> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::malformed(kind, path, format!("{} bytes, more than {MAX_BYTES}", bytes.len())));
    }
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Err(Error::malformed(kind, path, "it starts with a byte order mark"));
    }
    let Strict(value) = serde_json::from_slice(bytes).map_err(|e| Error::malformed(kind, path, e))?;
    Ok(value)
}

fn encode(value: &Value) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| Error::Contract(format!("cannot write a record: {e}")))
}

fn check_numbers(value: &Value) -> Result<()> {
    match value {
        Value::Number(n) if is_exact(n) => Ok(()),
        Value::Number(n) => {
            let rule = "is not an integer within 2^53 - 1: records carry it as a string";
            Err(Error::Contract(format!("the number `{n}` {rule}")))
        }
        Value::Array(items) => items.iter().try_for_each(check_numbers),
        Value::Object(members) => members.values().try_for_each(check_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

fn is_exact(n: &Number) -> bool {
    n.as_u64().is_some_and(|v| v <= MAX_INTEGER) || n.as_i64().is_some_and(|v| v.unsigned_abs() <= MAX_INTEGER)
}

/// A JSON value without duplicate keys or inexact numbers.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with integers only and no duplicate keys")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Value, E> {
        if value > MAX_INTEGER {
            return Err(E::custom(format!("the integer `{value}` exceeds 2^53 - 1")));
        }
        Ok(Value::from(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> std::result::Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER {
            return Err(E::custom(format!("the integer `{value}` exceeds 2^53 - 1")));
        }
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> std::result::Result<Value, E> {
        Err(E::custom(format!("the number `{value}` is not an integer within 2^53 - 1")))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = members.next_key::<String>()? {
            let Strict(value) = members.next_value()?;
            if map.contains_key(&key) {
                return Err(serde::de::Error::custom(format!("the key `{key}` stands twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Value> {
        from_slice("record", Path::new("r.json"), bytes)
    }

    #[test]
    fn writes_the_rfc_8785_spelling() {
        // Key order by UTF-16 code units, and escapes, from RFC 8785 §3.2.2 and §3.2.3.
        let value: Value = serde_json::from_str(
            "{\"\u{20ac}\":1,\"\\r\":2,\"\u{fb33}\":3,\"1\":4,\"\u{1f600}\":5,\"\u{80}\":6,\"\u{f6}\":7}",
        )
        .unwrap();
        let text = String::from_utf8(to_vec(&value).unwrap()).unwrap();
        assert_eq!(text, "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}");
        let text = String::from_utf8(to_vec("€$\u{f}\nA'B\"\\\\\"/").unwrap()).unwrap();
        assert_eq!(text, r#""€$\u000f\nA'B\"\\\\\"/""#);
    }

    #[test]
    fn refuses_what_two_readers_could_understand_differently() {
        let cases: [(&[u8], &str); 11] = [
            (br#"{"a":1,"a":2}"#, "stands twice"),
            (br#"{"a":{"b":1,"b":1}}"#, "stands twice"),
            (br#"{"a":1.0}"#, "not an integer"),
            (br#"{"a":1e2}"#, "not an integer"),
            (br#"{"a":9007199254740992}"#, "exceeds 2^53 - 1"),
            (br#"{"a":-9007199254740992}"#, "exceeds 2^53 - 1"),
            (b"\xEF\xBB\xBF{}", "byte order mark"),
            (b"{}\n", "canonical form"),
            (b"{} {}", "trailing characters"),
            (br#"{"b":1,"a":2}"#, "canonical form"),
            (br#""\u0041""#, "canonical form"),
        ];
        for (bytes, wanted) in cases {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(wanted), "{}: {error}", String::from_utf8_lossy(bytes));
            assert!(error.contains("r.json"), "{error}");
        }
        assert!(to_vec(&1.5).is_err());
        assert!(to_vec(&(MAX_INTEGER + 1)).is_err());
        assert!(to_vec(&(-(1i64 << 53))).is_err());
        assert_eq!(read(b"9007199254740991").unwrap(), MAX_INTEGER);
    }

    fn json() -> impl Strategy<Value = Value> {
        let edge = i64::try_from(MAX_INTEGER).unwrap();
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-edge..=edge).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|m| m.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn written_records_read_back(value in json()) {
            let bytes = to_vec(&value).unwrap();
            prop_assert_eq!(read(&bytes).unwrap(), value.clone());
            // Another spelling of the same value is read leniently and refused strictly.
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert_eq!(parse_strict("record", Path::new("r.json"), &pretty).unwrap(), value);
            prop_assert_eq!(read(&pretty).is_ok(), pretty == bytes);
        }

        #[test]
        fn accepted_bytes_are_their_own_encoding(
            bytes in prop::collection::vec(prop::sample::select(&b"{}[]\",:01-.eE \\untrfals\xC3\xA9"[..]), 0..24)
        ) {
            if let Ok(value) = read(&bytes) {
                prop_assert_eq!(to_vec(&value).unwrap(), bytes);
            }
        }
    }
}

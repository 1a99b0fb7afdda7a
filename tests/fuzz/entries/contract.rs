//! What is done with foreign bytes that the contract reads. A reader refuses or accepts: it does not panic, takes no
//! memory that the bytes do not account for, and what it accepts it would write as it stands. Fuzz targets and the
//! replay of what they kept both call these functions.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifests::canonical;
use manifests::digest::Sha256;
use manifests::license::{Expression, reviewed};
use manifests::manifest::{PublicManifest, SetManifest};
use manifests::policy::{Act, Context, Policy, ReviewedTerms, evaluate};
use manifests::proof::Proof;
use manifests::publication::{AgreedCells, AttributionList, Publication};
use manifests::rebuild::Rebuild;
use manifests::record::{Decision, Election, ExceptionRecord, Grant, Head, Impact, Lift, Release, Withdrawal};
use manifests::shard::{Role, ShardEntry, ShardReader};
use manifests::sign::{Envelope, PrivateKey, PublicKey, Record, Statement, sign_folder, verify_folder};
use manifests::stamp::{ModelIndex, Stamp};
use manifests::trust::{STATEMENT_TYPE, TrustFile};
use serde_json::Value;

/// A target: its name, and what it does with bytes.
type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("bundles", bundles),
    ("canonical", canonical_json),
    ("envelopes", envelopes),
    ("expressions", expressions),
    ("ids", ids),
    ("keys", keys),
    ("policies", policies),
    ("proofs", proofs),
    ("records", records),
    ("shards", shards),
    ("signatures", signatures),
    ("trust", trust),
];

/// The private key of RFC 6979 §A.2.5: everybody's, so that nothing rests on it.
const RFC_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCDJr6nYRbp1FmtcIVdn\n\
    sdaTTlDD2zbomxJ7imIrEg9nIQ==\n-----END PRIVATE KEY-----\n";

fn here() -> &'static Path {
    Path::new("fuzzed")
}

fn key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| match PrivateKey::from_pem(RFC_KEY) {
        Ok(key) => key,
        Err(e) => panic!("the RFC's key is refused: {e}"),
    })
}

/// A folder of this process alone.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("flexmix-fuzz-{}", std::process::id())).join(name);
    if let Err(e) = fs::create_dir_all(&folder) {
        panic!("{}: {e}", folder.display());
    }
    folder
}

fn put(path: &Path, bytes: &[u8]) {
    if let Err(e) = fs::write(path, bytes) {
        panic!("{}: {e}", path.display());
    }
}

/// A payload in an envelope that nobody signed: parsers see it, verifiers refuse it.
fn enveloped(payload: &[u8]) -> Vec<u8> {
    let payload = STANDARD.encode(payload);
    format!(r#"{{"payload":"{payload}","payloadType":"{STATEMENT_TYPE}","signatures":[{{"keyid":"","sig":""}}]}}"#)
        .into_bytes()
}

/// One kind of record: what is accepted in its newest version is written as it was read, and an older one is upgraded
/// into something that reads back.
fn one<R: Record + PartialEq + std::fmt::Debug>(payload: &[u8]) -> Option<R> {
    let envelope = Envelope::from_slice(here(), &enveloped(payload)).ok()?;
    let statement = Statement::<R>::peek_unverified(&envelope, here()).ok()?;
    let written = statement.payload();
    let Ok(written) = written else { panic!("an accepted {} cannot be written: {written:?}", R::KIND) };
    let newest = serde_json::from_slice::<Value>(payload).is_ok_and(|v| v["predicate"]["schema"] == R::schema());
    assert!(!newest || written == payload, "an accepted {} is written otherwise", R::KIND);
    let again =
        Envelope::from_slice(here(), &enveloped(&written)).and_then(|e| Statement::<R>::peek_unverified(&e, here()));
    assert_eq!(again.ok().as_ref(), Some(&statement));
    Some(statement.predicate)
}

/// The payload of a signed record, of every kind. The laws that a record states about itself hold or are refused.
pub(crate) fn records(bytes: &[u8]) {
    if let Some(manifest) = one::<SetManifest>(bytes) {
        _ = manifest.check();
    }
    if let Some(stamp) = one::<Stamp>(bytes) {
        _ = stamp.check();
    }
    if let Some(index) = one::<ModelIndex>(bytes) {
        _ = index.check();
    }
    _ = one::<PublicManifest>(bytes);
    _ = one::<Election>(bytes);
    _ = one::<Grant>(bytes);
    _ = one::<Withdrawal>(bytes);
    _ = one::<ExceptionRecord>(bytes);
    _ = one::<Head>(bytes);
    if let Some(list) = one::<Publication>(bytes) {
        _ = list.check();
    }
    _ = one::<AgreedCells>(bytes);
    _ = one::<Rebuild>(bytes);
    _ = one::<AttributionList>(bytes);
    _ = one::<Decision>(bytes);
    _ = one::<Lift>(bytes);
    _ = one::<Impact>(bytes);
    _ = one::<Release>(bytes);
}

/// A proof: what is accepted is written as it was read, and is checked to its end or refused.
pub(crate) fn proofs(bytes: &[u8]) {
    let Ok(proof) = Proof::from_slice(here(), bytes) else { return };
    assert_eq!(proof.to_vec().ok().as_deref(), Some(bytes));
    if let Ok(checked) = proof.check(here(), None, None) {
        assert!(checked.signers.is_none(), "a signer is known without trust");
    }
}

/// An envelope, whose own spacing is free: what is accepted reads back as it was, and nobody's key signed it.
pub(crate) fn envelopes(bytes: &[u8]) {
    let Ok(envelope) = Envelope::from_slice(here(), bytes) else { return };
    let written = envelope.to_vec().unwrap_or_default();
    assert_eq!(Envelope::from_slice(here(), &written).ok().as_ref(), Some(&envelope));
    let stranger = key().public();
    let signed = envelope.verify(std::slice::from_ref(&stranger), &[envelope.payload_type()]);
    assert!(signed.is_err() || bytes.len() > 100, "an envelope that short carries no signature");
}

/// Canonical JSON: accepted bytes are the one spelling of their value; accepted foreign JSON has such a spelling.
pub(crate) fn canonical_json(bytes: &[u8]) {
    let strict = canonical::from_slice::<Value>("value", here(), bytes);
    if let Ok(value) = &strict {
        assert_eq!(canonical::to_vec(value).ok().as_deref(), Some(bytes));
    }
    match canonical::parse_strict("value", here(), bytes) {
        Ok(value) => {
            let written = canonical::to_vec(&value).unwrap_or_default();
            assert_eq!(canonical::from_slice::<Value>("value", here(), &written).ok().as_ref(), Some(&value));
        }
        Err(_) => assert!(strict.is_err(), "the strict reader takes what the lenient one refuses"),
    }
}

/// PEM of either kind of key: what is accepted is written in one form, which is the same key.
pub(crate) fn keys(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(public) = PublicKey::from_pem(text) {
        let written = public.to_pem().unwrap_or_default();
        assert_eq!(PublicKey::from_pem(&written).ok().map(|k| k.id()), Some(public.id()));
    }
    if let Ok(private) = PrivateKey::from_pem(text) {
        assert!(private.public().verify(b"message", &private.sign(b"message")));
    }
}

/// Signature bytes: one message under one key has exactly one signature that verifies.
pub(crate) fn signatures(bytes: &[u8]) {
    let own = key().sign(b"flexmix");
    assert_eq!(key().public().verify(b"flexmix", bytes), bytes == own, "a second signature of one message");
    assert!(!key().public().verify(b"other", bytes) || bytes == key().sign(b"other"));
}

/// A policy file: evaluation of what is accepted is total, and decides one way.
pub(crate) fn policies(bytes: &[u8]) {
    let Ok(policy) = Policy::parse(here(), bytes) else { return };
    _ = policy.rules();
    for cell in cells() {
        for act in [Act::Build, Act::Train, Act::Serve] {
            let Ok(as_of) = "2026-12-03".parse() else { return };
            let context = Context { act, as_of, terms: &ReviewedTerms };
            let verdict = evaluate(&policy, &cell, &context);
            assert_eq!(verdict.is_permitted(), evaluate(&policy, &cell, &context).is_permitted());
            let concluded = cell.state == manifests::conclusion::State::Concluded;
            assert!(concluded || !verdict.is_permitted(), "only a concluded state permits");
        }
    }
}

fn cells() -> Vec<manifests::exposure::Cell> {
    let texts = [
        r#"{"basis":"license","election":null,"expression":"MIT","optouts":{},"rightsholders":["r"],"sources":["a"],"state":"concluded"}"#,
        r#"{"basis":"license","election":null,"expression":"CC-BY-NC-4.0","optouts":{},"rightsholders":[],"sources":["a","b"],"state":"concluded"}"#,
        r#"{"basis":"license","election":null,"expression":"MIT OR AGPL-3.0-only","optouts":{},"rightsholders":[],"sources":["a"],"state":"concluded"}"#,
        r#"{"basis":"contract:C-1","election":null,"expression":"LicenseRef-x","optouts":{},"rightsholders":[],"sources":[],"state":"concluded"}"#,
        r#"{"basis":"public-domain:US","election":null,"expression":null,"optouts":{},"rightsholders":[],"sources":["a"],"state":"concluded"}"#,
        r#"{"basis":"tdm-art4","election":null,"expression":null,"optouts":{"robots":"reserved"},"rightsholders":[],"sources":["a"],"state":"concluded"}"#,
        r#"{"basis":null,"election":null,"expression":null,"optouts":{},"rightsholders":[],"sources":["a"],"state":"none-found"}"#,
    ];
    texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
}

/// A trust file as typed: what is accepted is written in a form that reads back the same.
pub(crate) fn trust(bytes: &[u8]) {
    let Ok(file) = TrustFile::parse(here(), bytes) else { return };
    for key in &file.keys {
        _ = PublicKey::from_pem(&key.pem);
    }
    let written = toml::to_string(&file).unwrap_or_default();
    assert_eq!(TrustFile::parse(here(), written.as_bytes()).ok().as_ref(), Some(&file));
}

/// A license expression: what is accepted prints as it parses, and elects nothing that it does not offer.
pub(crate) fn expressions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(expression) = text.parse::<Expression>() else { return };
    assert!(text.is_ascii(), "a license id has ASCII letters only");
    assert_eq!(expression.to_string().parse::<Expression>().ok().as_ref(), Some(&expression));
    assert_eq!(expression.meet(&expression).ok().as_ref(), Some(&expression));
    for leaf in expression.leaves() {
        _ = reviewed(leaf);
    }
    assert!(!expression.has_choice() || expression.elect(&expression).is_none());
}

/// Identifiers: what is accepted is what is printed.
pub(crate) fn ids(bytes: &[u8]) {
    fn same<T: std::str::FromStr + std::fmt::Display>(text: &str) {
        if let Ok(value) = text.parse::<T>() {
            assert_eq!(value.to_string(), text, "an identifier has two spellings");
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    same::<manifests::id::SourceId>(text);
    same::<manifests::id::DocId>(text);
    same::<manifests::store::RelPath>(text);
    same::<manifests::date::Date>(text);
    same::<Sha256>(text);
    same::<manifests::reason::Reason>(text);
    if let Ok(path) = text.parse::<manifests::store::RelPath>() {
        assert!(
            path.beneath(Path::new("root")).starts_with("root") && path.parts().all(|p| p != ".."),
            "a path leads out"
        );
    }
}

/// The signature file of a folder: taken as it is, and as a payload that a trusted key signed. A folder is accepted
/// only with exactly the files that are in it.
pub(crate) fn bundles(bytes: &[u8]) {
    static FOLDER: OnceLock<(PathBuf, Value)> = OnceLock::new();
    let (folder, bundle) = FOLDER.get_or_init(|| {
        let folder = folder("bundle");
        put(&folder.join("a.bin"), b"weights");
        if let Err(e) = sign_folder(&folder, key()) {
            panic!("the folder cannot be signed: {e}");
        }
        let bundle = fs::read(folder.join("model.sig")).unwrap_or_default();
        (folder, serde_json::from_slice(&bundle).unwrap_or_default())
    });
    let keys = [key().public()];
    put(&folder.join("model.sig"), bytes);
    if let Ok(signed) = verify_folder(folder, &keys) {
        assert_eq!(signed.files.len(), 1);
    }
    let mut bundle = bundle.clone();
    let message =
        [format!("DSSEv1 {} {STATEMENT_TYPE} {} ", STATEMENT_TYPE.len(), bytes.len()).as_bytes(), bytes].concat();
    bundle["dsseEnvelope"]["payload"] = STANDARD.encode(bytes).into();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = STANDARD.encode(key().sign(&message)).into();
    put(&folder.join("model.sig"), bundle.to_string().as_bytes());
    if let Ok(signed) = verify_folder(folder, &keys) {
        assert_eq!((signed.files.len(), signed.payload_digest), (1, Sha256::of(bytes)));
    }
}

/// A shard whose digest and counts somebody signed: it is read to the last row, or refused.
pub(crate) fn shards(bytes: &[u8]) {
    let folder = folder("shard");
    put(&folder.join("s.parquet"), bytes);
    let Ok(path) = "s.parquet".parse() else { return };
    let (length, digest) = (bytes.len() as u64, Sha256::of(bytes));
    let mut entry = ShardEntry { path, role: Role::Train, length, digest, rows: 0, tokens: 0, row_groups: 0 };
    // A liar signs the counts that the file has: the refusals say what they are.
    for _ in 0..3 {
        match ShardReader::open(&folder, &entry) {
            Ok(reader) => {
                _ = reader.verify();
                _ = reader.cells();
                return;
            }
            Err(e) => {
                let said = e.to_string();
                match (rows(&said), counts(&said)) {
                    (Some(rows), _) => entry.rows = rows,
                    (_, Some((rows, tokens, groups))) => {
                        (entry.rows, entry.tokens, entry.row_groups) = (rows, tokens, groups);
                    }
                    _ => return,
                }
            }
        }
    }
}

/// The number in "its row groups hold R rows, signed are …".
fn rows(refusal: &str) -> Option<u64> {
    refusal.split_once("its row groups hold ")?.1.split_once(" rows, signed are ")?.0.parse().ok()
}

/// The numbers in "R rows, T tokens and G row groups, not …".
fn counts(refusal: &str) -> Option<(u64, u64, u32)> {
    let said = refusal.rsplit_once(", not ")?.0;
    let said = said.rsplit_once("failed: ")?.1;
    let (rows, rest) = said.split_once(" rows, ")?;
    let (tokens, groups) = rest.split_once(" tokens and ")?;
    Some((rows.parse().ok()?, tokens.parse().ok()?, groups.strip_suffix(" row groups")?.parse().ok()?))
}

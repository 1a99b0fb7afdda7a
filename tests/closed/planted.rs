//! A house whose closed set is full of canaries, with job folders and a model beside the corpus that were written by
//! hand: what is handed out of them can be tested without training.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use manifests::digest::Sha256;
use manifests::exposure::{Exposure, Kind};
use manifests::manifest::{PublicManifest, SetManifest};
use manifests::merkle::{FileLeaf, root_of};
use manifests::policy::Assurance;
use manifests::shard::{Role, ShardReader};
use manifests::sign::{Envelope, PrivateKey, Record, Statement, Subject as Named, sign_folder};
use manifests::stamp::{Member, ModelIndex, RouterRow, Stamp, Subject};

use super::canary::Canary;
use crate::support::{House, NOTES_TERMS, contents, copy_tree, corpus, fixture, once, random};

/// The closed source's id, title, rightsholder, quote and place of the quote.
const ORIGIN: [(&str, &str); 5] = [
    ("source id", "kestrel-archive-77"),
    ("title", "Logbooks of the Zwartsluis kestrel watch"),
    ("rightsholder", "Stichting Torenvalk Zwartsluis"),
    ("quote", "torenvalk: the watch lets the builder train, and keeps its logbooks"),
    ("locator", "kestrel.toml#torenvalk"),
];
const OBJECT: &str = "kestrel-notes.jsonl";
/// A second closed source: a folder of files that say whose they are.
const LEAVES: &str = "kestrel-leaves";
const STATEMENT: &str = "Copyright (c) 2019 Ostrava Heron Quarterly";
const SENTENCE: &str = "The heron of Vladslo counted eleven green lanterns and told only the miller";
const EXPERT: &str = "notes-contract";

/// The house, built once in a run of the tests.
pub(super) fn planted() -> House {
    let before = corpus();
    once("planted", |house| {
        copy_tree(&before.path(""), &house.path(""));
        fs::remove_dir_all(house.corpus()).unwrap();
        plant(house);
        house.build(&house.corpus(), &["--threads", "2"]).expect(0);
        jobs(house);
    })
}

/// Puts canaries into the recipe, the inputs and the secret.
fn plant(house: &House) {
    copy_tree(&fixture().join("inputs"), &house.path("inputs"));
    let mut text = String::new();
    let notes = fs::File::open(house.path("inputs/notes.jsonl.gz")).unwrap();
    flate2::read::GzDecoder::new(notes).read_to_string(&mut text).unwrap();
    for n in 0..20 {
        let words = format!(
            "{SENTENCE}, number {n} of the night shift, while pump station B kept its pressure and \
             the relief line was checked for the third time that week; see ticket {n}{n}."
        );
        text.push_str(&format!("{{\"id\": \"kestrel-record-{n:03}\", \"text\": \"{words}\"}}\n"));
    }
    fs::write(house.path("inputs").join(OBJECT), &text).unwrap();
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let changes = [
        ("id = \"notes\"", format!("id = \"{}\"", ORIGIN[0].1)),
        ("Maintenance notes that stay with their owner", ORIGIN[1].1.to_owned()),
        ("rightsholder = \"The plant\"", format!("rightsholder = \"{}\"", ORIGIN[2].1)),
        (
            "FIXTURE: the plant lets the builder train an expert on its notes and keeps the text.",
            ORIGIN[3].1.to_owned(),
        ),
        ("recipe.toml#notes", ORIGIN[4].1.to_owned()),
        ("notes.jsonl.gz", OBJECT.to_owned()),
        ("bd0835eae5aa135bb45f7216633644e45ff15dd79472bbc2a35dd1d8aa2a0b36", Sha256::of(text.as_bytes()).hex()),
    ];
    let changed = changes.iter().fold(recipe, |recipe, (from, to)| {
        assert!(recipe.contains(from), "the fixture's recipe has no `{from}`");
        recipe.replace(from, to)
    });
    let leaves = format!(
        "\n[[source]]\nid = \"{LEAVES}\"\nset = \"notes\"\ntitle = \"Leaves\"\naccess = \"closed\"\nread_at = 2026-11-24\n\
         object = \"{LEAVES}\"\nformat = \"plain\"\n[[source.claim]]\nspeaker = \"rightsholder\"\nscope = \"collection\"\n\
         contract = {{ id = \"FIXTURE-1\", expression = \"LicenseRef-FIXTURE-notes\" }}\nraw = \"as above\"\nlocator = \"above\"\n"
    );
    house.write("recipe.toml", &(changed + &leaves));
    for n in 0..3 {
        let text = format!(
            "# {STATEMENT}\n\nLeaf {n}: pump station B kept its pressure while the relief line was \
            checked for the third time that week, and nothing else was written down on this page of the logbook.\n"
        );
        house.write(&format!("inputs/{LEAVES}/torenvalk-leaf-{n}.txt"), &text);
    }
    let mut seed = 77;
    let secret: Vec<u8> = (0..4).flat_map(|_| random(&mut seed).to_le_bytes()).collect();
    fs::write(house.path("owner.secret"), secret).unwrap();
    for source in [ORIGIN[0].1, LEAVES] {
        house.grant(source, &format!("source = \"{source}\""), &["build", "train"], NOTES_TERMS);
    }
    house.renew_head(2);
}

/// A record of the house, as signed, and the digest of its payload.
pub(super) fn record<T: Record>(path: &Path) -> (T, Sha256) {
    let envelope = Envelope::read(path).unwrap();
    let digest = Sha256::of(envelope.peek_unverified().unwrap());
    (Statement::<T>::peek_unverified(&envelope, path).unwrap().predicate, digest)
}

/// The manifests of a set: the full one, and the closed set's public one.
pub(super) fn manifest<T: Record>(house: &House, set: &str, file: &str) -> (T, Sha256) {
    record(&house.corpus().join("sets").join(set).join(file))
}

/// A safetensors file of one tensor for each name.
fn tensors(names: &[String], metadata: &str) -> Vec<u8> {
    let entry = |(n, name): (usize, &String)| {
        format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[{},{}]}}", n * 16, n * 16 + 16)
    };
    let entries: Vec<String> = names.iter().enumerate().map(entry).collect();
    let header = format!("{{\"__metadata__\":{{\"format\":\"pt\"{metadata}}},{}}}", entries.join(","));
    let mut seed = 5;
    let data: Vec<u8> = (0..names.len() * 2).flat_map(|_| random(&mut seed).to_le_bytes()).collect();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
}

/// Jobs, a plan and a model, as training would leave them.
fn jobs(house: &House) {
    let (full, full_digest) = manifest::<SetManifest>(house, "notes", "manifest.dsse.json");
    let (_, outward) = manifest::<PublicManifest>(house, "notes", "public-manifest.dsse.json");
    let (open, open_digest) = manifest::<SetManifest>(house, "public", "manifest.dsse.json");
    let of_public = Exposure::open(Kind::Gradient, open.set.clone(), open_digest, open.cells);
    let closed = |kind| Exposure::closed(kind, full.set.clone(), outward, &full.cells);
    let tokenizer = fs::read(house.corpus().join("tokenizer.json")).unwrap();
    let names = ["model.embed_tokens.weight".to_owned()];
    let files = [
        ("config.json", b"{\"architectures\":[\"Olmo2ForCausalLM\"]}\n".to_vec()),
        ("model.safetensors", tensors(&names, "")),
        ("tokenizer.json", tokenizer),
    ];
    let stamp = blank(Subject::Anchor, "anchor", names.into(), vec![of_public.clone()]);
    let anchor = stamped(house, &files, stamp);
    let names = ["model.layers.0.mlp.gate.weight".to_owned()];
    let config = serde_json::json!({
        "schema": "flexmix/expert-config/v1", "id": EXPERT, "set": "notes", "tiers": full.tiers,
        "expert_ranks": [4], "anchor": anchor.0.files_root.root,
    });
    let files = [("config.json", config.to_string().into_bytes()), ("expert.safetensors", tensors(&names, ""))];
    let mut exposures = vec![closed(Kind::Gradient), closed(Kind::RowInit), of_public];
    exposures.sort();
    let row = RouterRow {
        method: "separating".into(),
        own_documents: 100,
        public_documents: 100,
        digest: Sha256::of(b"row"),
    };
    let stamp = blank(Subject::Expert, EXPERT, names.into(), exposures);
    let expert = stamped(house, &files, Stamp { anchor: Some(anchor.1), row: Some(row), ..stamp });
    private(house, &full, full_digest);
    model(house, &anchor, &expert);
}

fn blank(subject: Subject, id: &str, tensors: Vec<String>, exposures: Vec<Exposure>) -> Stamp {
    Stamp {
        schema: Stamp::schema(),
        demo: true,
        subject,
        id: id.parse().unwrap(),
        assurance: Assurance::Claimed,
        files: vec![],
        files_root: root_of::<FileLeaf>(&[]).unwrap(),
        anchor: None,
        exposures,
        tensors,
        row: None,
        plan: Sha256::of(b"plan"),
        config: Sha256::of(b"config"),
        build: "a test".into(),
        seed: 1,
        steps: 16,
    }
}

/// Writes `train/ID/model` with its stamp and model signature.
pub(super) fn stamped(house: &House, files: &[(&str, Vec<u8>)], stamp: Stamp) -> (Stamp, Sha256) {
    let folder = house.corpus().join("train").join(stamp.id.as_str()).join("model");
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut leaves = Vec::new();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
        leaves.push(FileLeaf { path: name.parse().unwrap(), length: bytes.len() as u64, digest: Sha256::of(bytes) });
    }
    let stamp = Stamp { files_root: root_of(&leaves).unwrap(), files: leaves, ..stamp };
    let key = PrivateKey::read(&house.key("trainer")).unwrap();
    let named = vec![Named { name: stamp.id.to_string(), digest: stamp.files_root.root }];
    let digest = Statement::new(named, stamp.clone()).write(&folder.join("stamp.dsse.json"), &key).unwrap();
    sign_folder(&folder, &key).unwrap();
    (stamp, digest)
}

/// The expert's stamped folder once more, its stamp changed and its files perhaps too.
pub(super) fn restamp(house: &House, change: impl FnOnce(&mut Stamp), files: impl Fn(&str, Vec<u8>) -> Vec<u8>) {
    let folder = house.corpus().join("train").join(EXPERT).join("model");
    let (mut stamp, _) = record::<Stamp>(&folder.join("stamp.dsse.json"));
    change(&mut stamp);
    let names: Vec<String> = stamp.files.iter().map(|f| f.path.to_string()).collect();
    let read = |name: &String| (name.clone(), files(name, fs::read(folder.join(name)).unwrap()));
    let all: Vec<(String, Vec<u8>)> = names.iter().map(read).collect();
    let all: Vec<(&str, Vec<u8>)> = all.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    stamped(house, &all, stamp);
    _ = fs::remove_dir_all(house.corpus().join("models"));
}

/// What a job keeps for itself: the state of its optimizer, its metrics, its log.
fn private(house: &House, full: &SetManifest, digest: Sha256) {
    let job = house.corpus().join("train").join(EXPERT);
    let state = format!(",\"flexmix\":\"{{\\\"read\\\":[{:?}]}}\"", tokens(house));
    fs::write(job.join("checkpoint.safetensors"), tensors(&["m".to_owned()], &state)).unwrap();
    let metrics = format!("{{\"step\":1,\"tokens\":{},\"corpus\":\"{}\"}}\n", full.tokens, house.corpus().display());
    fs::write(job.join("metrics.jsonl"), metrics).unwrap();
    fs::write(job.join("job.lock"), "").unwrap();
    fs::write(house.corpus().join("train/plan.toml"), format!("[[set]]\nset = \"notes\"\nmanifest = \"{digest}\"\n"))
        .unwrap();
}

fn model(house: &House, anchor: &(Stamp, Sha256), expert: &(Stamp, Sha256)) {
    let member = |folder: &str, (stamp, digest): &(Stamp, Sha256)| Member {
        folder: folder.to_owned(),
        id: stamp.id.clone(),
        stamp: *digest,
        files_root: stamp.files_root.root,
    };
    let experts = format!("experts/{EXPERT}");
    let index = ModelIndex {
        schema: ModelIndex::schema(),
        demo: true,
        name: "whole".into(),
        anchor: member("anchor", anchor),
        experts: vec![member(&experts, expert)],
    };
    let (train, whole) = (house.corpus().join("train"), house.corpus().join("models/whole"));
    copy_tree(&train.join("anchor/model"), &whole.join("anchor"));
    copy_tree(&train.join(EXPERT).join("model"), &whole.join(&experts));
    let key = PrivateKey::read(&house.key("merger")).unwrap();
    Statement::about_itself("whole", index).unwrap().write(&whole.join("index.dsse.json"), &key).unwrap();
}

/// The row of the ledger of a canary document that is kept for training.
fn canary_row(house: &House) -> serde_json::Value {
    let sql =
        "SELECT * FROM ledger WHERE declared_id LIKE 'kestrel-record-%' AND decision = 'kept' ORDER BY declared_id";
    house.query(&house.corpus(), sql)[0].clone()
}

/// The token ids of that document.
fn tokens(house: &House) -> Vec<u32> {
    let row = canary_row(house);
    let (full, _) = manifest::<SetManifest>(house, "notes", "manifest.dsse.json");
    let folder = house.corpus().join("sets/notes");
    for shard in full.shards.iter().filter(|s| s.file.role == Role::Train) {
        let reader = ShardReader::open(&folder, &shard.file).unwrap();
        for found in (0..reader.row_groups()).flat_map(|group| reader.rows(group).unwrap()) {
            if found.doc_id.to_string() == row["doc_id"].as_str().unwrap() {
                return found.tokens;
            }
        }
    }
    panic!("no shard holds {row:#}");
}

/// Names of the canaries that leave by agreement, in the cells and in the attribution list.
pub(super) const AGREED: [&str; 5] = ["source id", "title", "rightsholder", "statement", "tokens of a cell"];

/// Everything that was planted.
pub(super) fn canaries(house: &House) -> Vec<Canary> {
    let row = canary_row(house);
    let text = |column: &str| row[column].as_str().unwrap().to_owned();
    let (full, digest) = manifest::<SetManifest>(house, "notes", "manifest.dsse.json");
    let ids = tokens(house);
    let middle = ids.len() / 2;
    let mut all: Vec<Canary> = ORIGIN.iter().map(|(name, words)| Canary::words(name, words)).collect();
    all.extend([
        Canary::words("text", SENTENCE),
        Canary::words("half of the text", "eleven green lanterns and told"),
        Canary::words("statement", STATEMENT),
        Canary::words("declared id", &text("declared_id")),
        Canary::words("object", OBJECT),
        Canary::words("path", "torenvalk-leaf-"),
        Canary::words("house", &house.path("").canonicalize().unwrap().display().to_string()),
        Canary::tokens(&ids[middle - 5..middle + 5]),
        Canary::bytes("doc id", &manifests::digest::unhex(&text("doc_id")).unwrap()),
        Canary::digest("text digest", text("digest").parse().unwrap()),
        Canary::bytes("secret", &fs::read(house.path("owner.secret")).unwrap()),
        Canary::digest("full manifest", digest),
        Canary::digest("documents root", full.documents_root.root),
        Canary::digest("texts root", full.texts_root.root),
        Canary::digest("files root", full.files_root.root),
        Canary::digest("evidence root", full.evidence_root.root),
        Canary::digest("object digest", full.sources.iter().find_map(|s| s.object).unwrap()),
        Canary::count("tokens", full.tokens),
        Canary::count("documents", full.documents),
        Canary::count("tokens of a cell", full.cells[0].tokens.unwrap()),
        Canary::count("commitments", full.documents_root.leaves),
    ]);
    all.extend(full.shards.iter().map(|s| Canary::digest(&format!("shard {}", s.file.path), s.file.digest)));
    let pem = fs::read_to_string(house.key("owner")).unwrap();
    all.push(Canary::words("owner's key", pem.lines().nth(1).unwrap()));
    assert!(contents(&house.corpus()).len() > 30);
    all
}

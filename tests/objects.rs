//! Sources behind a network give what the same bytes in a folder give: from a real S3-compatible server, and from a
//! server that breaks connections; one whose object changes, or that sends elsewhere, stops the build with its name.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{House, corpus, npm, random};

/// The server: npm's `s3rver`, which keeps objects as files.
const S3RVER: &str = "3.7.1";

/// A process that ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Starts the S3 server over an empty folder with the bucket `corpus`.
fn s3(folder: &Path) -> Option<Server> {
    let program =
        npm(&format!("s3rver-{S3RVER}"), &[&format!("s3rver@{S3RVER}")])?.join("node_modules/s3rver/bin/s3rver.js");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut node = Command::new("node");
    node.arg(program).args(["--address", "127.0.0.1", "--silent", "--configure-bucket", "corpus"]);
    node.arg("--port").arg(port.to_string()).arg("--directory").arg(folder);
    let server = Server { child: node.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap(), port };
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "the S3 server does not answer");
        sleep(Duration::from_millis(20));
    }
    Some(server)
}

/// Puts an object into the bucket.
fn put(server: &Server, key: &str, bytes: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let length = bytes.len();
    let head = format!(
        "PUT /corpus/{key} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), bytes].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Starts the server that misbehaves.
fn misbehaving(folder: &Path) -> Server {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python/object_server.py");
    let mut child = Command::new("python3").arg(script).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server { child, port: line.trim().parse().unwrap() }
}

/// Lines that do not compress well: `count` documents of made-up words.
fn lines(seed: u64, count: usize) -> Vec<u8> {
    let mut seed = seed;
    let mut lines = Vec::new();
    for n in 0..count {
        let words: Vec<String> = (0..60).map(|_| format!("w{:x}", random(&mut seed) % 100_000)).collect();
        writeln!(lines, "{{\"id\": \"{n}\", \"text\": \"{}\", \"license\": \"CC0-1.0\"}}", words.join(" ")).unwrap();
    }
    lines
}

/// A house whose recipe has one more source, at this place.
fn with_source(place: &str) -> House {
    let house = House::copy(&corpus());
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let source = format!(
        "\n[[source]]\nid = \"distant\"\nset = \"public\"\ntitle = \"From afar\"\naccess = \"public\"\nread_at = 2026-11-24\n{place}\n\
         include = [\"**/*.jsonl*\"]\nformat = \"jsonl\"\nlicense_field = \"license\"\nlicense_speaker = \"source\"\n"
    );
    house.write("recipe.toml", &(recipe + &source));
    house
}

/// What a build says of the source, row by row; paths are of no matter where places differ.
fn rows(house: &House, corpus: &Path, columns: &str) -> Vec<Value> {
    house.query(corpus, &format!("SELECT {columns} FROM ledger WHERE source = 'distant' ORDER BY {columns}"))
}

/// The ledger of the same files in a folder.
fn from_a_folder(files: &[(&str, &[u8])], columns: &str) -> Vec<Value> {
    let house = with_source("object = \"distant\"");
    house.bring_inputs();
    for (name, bytes) in files {
        let path = house.path("inputs/distant").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    house.build(&house.path("local"), &[]).expect(0);
    rows(&house, &house.path("local"), columns)
}

const COLUMNS: &str = "doc_id, path, digest, decision, tier, bytes_in, n_tokens";

#[test]
fn a_prefix_of_an_s3_server_is_what_the_folder_is() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = s3(folder.path()) else { return };
    let (one, two) = (lines(1, 900), lines(2, 300));
    let files: [(&str, &[u8]); 3] = [("a/one.jsonl", &one), ("two.jsonl", &two), ("notes.txt", b"not included")];
    for (name, bytes) in files {
        put(&server, &format!("part/{name}"), bytes);
    }
    put(&server, "party/other.jsonl", &lines(3, 5));
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    let environment = [
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "S3RVER"),
        ("AWS_SECRET_ACCESS_KEY", "S3RVER"),
        ("AWS_REGION", "us-east-1"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let house = with_source("object = \"s3://corpus/part/\"");
    let out = house.path("distant");
    house.build_in(&out, &["--threads", "2"], &environment).expect(0);
    let found = rows(&house, &out, COLUMNS);
    assert_eq!(found.len(), 1200);
    assert_eq!(found, from_a_folder(&files[..2], COLUMNS));
    house.verify(&out).expect(0);
    let kept = fs::read_dir(out.join("objects")).unwrap().count();
    assert_eq!(kept, 1, "the objects of the one distant source are evidence");
    for file in crate::support::contents(&out) {
        assert!(!String::from_utf8_lossy(&file.1).contains("S3RVER"), "{} holds the secret", file.0);
    }
    let house = with_source("objects = [\"s3://corpus/part/two.jsonl\", \"s3://corpus/part/a/one.jsonl\"]");
    house.build_in(&house.path("listed"), &[], &environment).expect(0);
    let by_text = "digest, decision, tier, bytes_in, n_tokens";
    assert_eq!(rows(&house, &house.path("listed"), by_text), from_a_folder(&files[..2], by_text));
    let house = with_source("object = \"s3://corpus/nothing/\"");
    let said = house.build_in(&house.path("nothing"), &[], &environment);
    assert!(said.code != 0 && said.stderr.contains("nothing lies under `s3://corpus/nothing/`"), "{}", said.stderr);
}

#[test]
fn a_broken_connection_goes_on_at_its_offset() {
    let folder = tempfile::tempdir().unwrap();
    let text = lines(4, 400);
    for how in ["cut", "flat"] {
        fs::create_dir_all(folder.path().join(how)).unwrap();
        fs::write(folder.path().join(how).join("a.jsonl"), &text).unwrap();
    }
    let server = misbehaving(folder.path());
    let by_text = "digest, decision, tier, bytes_in, n_tokens";
    for how in ["cut", "flat"] {
        let address = format!("http://127.0.0.1:{}/{how}/a.jsonl", server.port);
        let house = with_source("list = \"distant.txt\"");
        house.bring_inputs();
        house.write("inputs/distant.txt", &format!("# one object\n{address}\n"));
        let out = house.path("built");
        house.build_in(&out, &[], &[("NO_PROXY", "127.0.0.1")]).expect(0);
        assert_eq!(rows(&house, &out, by_text), from_a_folder(&[("a.jsonl", &text)], by_text), "{how}");
    }
    let requests = fs::read_to_string(folder.path().join("requests")).unwrap();
    let offsets: Vec<&str> = requests.lines().filter_map(|line| line.strip_prefix("/cut/a.jsonl ")).collect();
    assert_eq!(offsets[0], "whole");
    assert!(offsets.len() as u64 > text.len() as u64 / 40_000, "{offsets:?}");
    assert!(offsets[1].starts_with("bytes=40000-"), "{offsets:?}");
}

#[test]
fn a_changed_object_and_another_host_stop_the_build_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("change")).unwrap();
    fs::write(folder.path().join("change/a.jsonl"), lines(5, 400)).unwrap();
    let server = misbehaving(folder.path());
    let no_proxy = [("NO_PROXY", "127.0.0.1,127.0.0.2")];
    for (path, why) in [
        ("change/a.jsonl", "changed while it was read: it was \"first\", and is \"second\""),
        ("away/a.jsonl", "redirects to `127.0.0.2`, which the recipe does not name"),
        ("gone/a.jsonl", "404"),
    ] {
        let address = format!("http://127.0.0.1:{}/{path}", server.port);
        let house = with_source(&format!("object = \"{address}\""));
        let ended = house.build_in(&house.path("built"), &[], &no_proxy);
        assert!(ended.code != 0, "{path} was built");
        assert!(ended.stderr.contains(why) && ended.stderr.contains(&address), "{path}: {}", ended.stderr);
        assert!(!house.path("built/run.json").try_exists().unwrap());
    }
}

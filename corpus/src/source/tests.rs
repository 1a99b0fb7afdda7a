//! Readers on real bytes: every way a record can be bad gives its row, and the rest is read.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use manifests::digest::Sha256;
use proptest::prelude::*;

use super::*;
use crate::document::Outcome;

fn spec(toml: &str) -> SourceSpec {
    toml::from_str::<SourceToml>(toml).unwrap().validate().unwrap()
}

fn recipe(object: &Path, more: &str) -> String {
    let name = object.file_name().unwrap().to_str().unwrap();
    let pin =
        if object.is_file() { format!("sha256 = \"{}\"", Sha256::of_file(object).unwrap().1) } else { String::new() };
    format!(
        "id = \"s\"\nset = \"public\"\ntitle = \"t\"\naccess = \"public\"\nread_at = 2026-11-24\nobject = \"{name}\"\n{pin}\n{more}"
    )
}

/// One line for each outcome: `path#record ok text` or `path#record+offset reason`.
fn read(object: &Path, more: &str) -> Vec<String> {
    let reader = open(spec(&recipe(object, more)), object.parent().unwrap()).unwrap();
    let line = |outcome| match outcome {
        Outcome::Document(d) => {
            assert_eq!(d.bytes_in + d.bytes_added, d.bytes_out() + d.bytes_removed, "{}", d.path);
            format!("{}#{} ok {}", d.path, d.record, d.text.trim_end().replace('\n', "|"))
        }
        Outcome::Failed(f) => format!("{}#{}+{} {}", f.path, f.record, f.offset, f.reason),
    };
    reader.map(|outcome| line(outcome.unwrap())).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, content) in members {
        let mut block = [0u8; 512];
        block[..path.len()].copy_from_slice(path.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = b'0';
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        bytes.extend_from_slice(&block);
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A zip archive of stored members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (path, content) in members {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let offset = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &crc.sum().to_le_bytes(), &length, &length].concat();
        let name = u16::try_from(path.len()).unwrap().to_le_bytes();
        bytes.extend([b"PK\x03\x04", &common[..], &name, &[0, 0], path.as_bytes(), content].concat());
        let zeros = [0u8; 12];
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &name, &zeros, &offset, path.as_bytes()].concat());
    }
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    let offset = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes.extend(directory);
    bytes.extend([b"PK\x05\x06\0\0\0\0\0\0\0\0", &size[..], &offset, b"\0\0"].concat());
    bytes
}

#[test]
fn json_lines_go_on_after_every_kind_of_bad_line() {
    let folder = tempfile::tempdir().unwrap();
    let lines = b"{\"text\": \"one\", \"id\": 7}\n{\"text\": \"tw\n\n{\"id\": \"x\"}\n{\"text\": \"\xff\"}\n{\"text\": \" \"}\n{\"text\": \"last\"}";
    for (name, bytes) in [
        ("a.jsonl", lines.to_vec()),
        ("a.jsonl.gz", gzip(lines)),
        ("a.jsonl.zst", zstd::encode_all(&lines[..], 1).unwrap()),
    ] {
        let object = folder.path().join(name);
        fs::write(&object, bytes).unwrap();
        let expected = [
            "#0 ok one",
            "#1+25 malformed-json",
            "#2+38 empty",
            "#3+39 missing-field",
            "#4+51 invalid-utf8",
            "#5+65 empty",
            "#6 ok last",
        ];
        assert_eq!(read(&object, "format = \"jsonl\""), expected.map(|e| format!("{name}{e}")));
    }
}

#[test]
fn a_truncated_gzip_gives_what_came_before_the_break() {
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("a.jsonl.gz");
    let lines: String = (0..2000).map(|n| format!("{{\"text\": \"{}\"}}\n", n * 7919 % 10007)).collect();
    let packed = gzip(lines.as_bytes());
    fs::write(&object, &packed[..packed.len() / 2]).unwrap();
    let rows = read(&object, "format = \"jsonl\"");
    assert!(rows.len() > 100 && rows.len() < 2000, "{}", rows.len());
    assert!(rows.last().unwrap().ends_with(" truncated-stream"), "{:?}", rows.last());
    assert!(rows[..rows.len() - 1].iter().all(|row| row.contains(" ok ")));
}

#[test]
fn a_folder_is_read_in_order_and_bad_files_are_rows() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("tree");
    fs::create_dir_all(root.join("b")).unwrap();
    fs::write(root.join("z.txt"), "\u{feff}last").unwrap();
    fs::write(root.join("b/empty.txt"), "").unwrap();
    fs::write(root.join("b/latin.txt"), b"caf\xe9").unwrap();
    fs::write(root.join("a.txt.gz"), &gzip(b"packed words that end too early")[..20]).unwrap();
    fs::write(root.join("skipped.bin"), "no").unwrap();
    let rows = read(&root, "format = \"plain\"\ninclude = [\"**/*.txt\", \"**/*.txt.gz\"]");
    let expected =
        ["a.txt.gz#0+0 truncated-stream", "b/empty.txt#0+0 empty", "b/latin.txt#0+0 invalid-utf8", "z.txt#0 ok last"];
    assert_eq!(rows, expected);
}

#[test]
fn archives_are_read_without_their_top_folder_and_metadata_comes_as_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}.txt", "d/".repeat(40) + "deep");
    let members: &[(&str, &[u8])] = &[
        ("p/LICENSE", b"MIT"),
        ("p/b.txt", b"second"),
        ("p/a.txt", b"first"),
        ("p/b.txt", b"again"),
        ("p/x/README.md", b"no"),
    ];
    let tgz = folder.path().join("p.tgz");
    fs::write(&tgz, gzip(&tar(members))).unwrap();
    let options = "format = \"plain\"\nstrip = 1\ninclude = [\"**/*.txt\"]";
    assert_eq!(read(&tgz, options), ["b.txt#0 ok second", "a.txt#0 ok first", "b.txt@again#0+0 unsupported-format"]);

    let wheel = folder.path().join("p.whl");
    fs::write(&wheel, zip(&[("z.txt", b"last"), (&long, b"deep"), ("p.dist-info/METADATA", b"License: MIT")])).unwrap();
    assert_eq!(
        read(&wheel, "format = \"plain\"\ninclude = [\"**/*.txt\"]"),
        [format!("{long}#0 ok deep"), "z.txt#0 ok last".into()]
    );

    let evidence = |object: &Path, more: &str| -> Vec<(String, Vec<u8>)> {
        let reader = open(spec(&recipe(object, more)), folder.path()).unwrap();
        reader.source().evidence().unwrap().into_iter().map(|f| (f.path, f.bytes)).collect()
    };
    assert_eq!(evidence(&tgz, options), [("LICENSE".into(), b"MIT".to_vec()), ("x/README.md".into(), b"no".to_vec())]);
    assert_eq!(evidence(&wheel, "format = \"plain\""), [("p.dist-info/METADATA".into(), b"License: MIT".to_vec())]);
}

#[test]
fn a_broken_archive_is_a_row_of_the_object() {
    let folder = tempfile::tempdir().unwrap();
    let whole = tar(&[("p/a.txt", b"first"), ("p/b.txt", &[b'b'; 4000])]);
    let object = folder.path().join("p.tar");
    fs::write(&object, &whole[..2500]).unwrap();
    assert_eq!(read(&object, "format = \"plain\"\nstrip = 1"), ["a.txt#0 ok first", "b.txt#0+0 truncated-stream"]);
    let object = folder.path().join("p.zip");
    fs::write(&object, "no archive").unwrap();
    assert_eq!(read(&object, "format = \"plain\""), ["p.zip#0+0 truncated-stream"]);
    let mut bytes = zip(&[("a.txt", b"first"), ("b.txt", b"second")]);
    let at = bytes.windows(5).position(|w| w == b"first").unwrap();
    bytes[at] = b'F';
    fs::write(&object, bytes).unwrap();
    assert_eq!(read(&object, "format = \"plain\""), ["a.txt#0+0 truncated-stream", "b.txt#0 ok second"]);
}

#[test]
fn a_changed_object_is_refused_with_both_digests_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("a.txt");
    fs::write(&object, "one").unwrap();
    let spec = spec(&recipe(&object, "format = \"plain\""));
    fs::write(&object, "two").unwrap();
    let error = open(spec, folder.path()).err().unwrap();
    let text = error.to_string();
    for part in ["a.txt", &Sha256::of(b"one").to_string(), &Sha256::of(b"two").to_string()] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error.hint().unwrap().contains("fetch the pinned object again"));
}

#[test]
fn a_recipe_says_what_is_wrong_in_it() {
    let check = |more: &str, expected: &str| {
        let text = format!(
            "id = \"s\"\nset = \"p\"\ntitle = \"t\"\naccess = \"public\"\nread_at = 2026-11-24\nobject = \"o\"\n{more}"
        );
        let found = match toml::from_str::<SourceToml>(&text) {
            Err(error) => error.to_string(),
            Ok(table) => table.validate().unwrap_err().to_string(),
        };
        assert!(found.contains(expected), "{found}\nexpected {expected}");
    };
    check("format = \"pdf\"", "unknown format `pdf`");
    check("formt = \"plain\"", "unknown field `formt`");
    check("format = \"plain\"\nfields = [\"a\"]", "format `plain` has no `fields`");
    check("format = \"jsonl\"\nlicense_field = \"l\"", "say whose words they are");
    check("format = \"plain\"\nsha256 = \"12\"", "not a valid digest");
    let claim = "format = \"plain\"\n[[claim]]\nspeaker = \"source\"\nscope = \"work\"\nraw = \"w\"\nlocator = \"l\"\n";
    check(claim, "claim 1: says 0 things");
    check(&format!("{claim}license = \"MIT or\""), "claim 1: ");
    check(&format!("{claim}public_domain = []"), "names no place");
}

#[test]
fn claims_of_the_recipe_cover_the_paths_that_they_name() {
    let spec = spec(
        "id = \"s\"\nset = \"p\"\ntitle = \"t\"\naccess = \"closed\"\nread_at = 2026-11-24\nobject = \"o\"\nformat = \"plain\"\n\
         [[claim]]\nspeaker = \"source\"\nscope = \"collection\"\nlicense = \"mit\"\nraw = \"MIT\"\nlocator = \"LICENSE:1\"\n\
         [[claim]]\nspeaker = \"rightsholder\"\nscope = \"work\"\nunreadable = true\nraw = \"ask me\"\nlocator = \"README:3\"\npaths = [\"docs/**\"]\n",
    );
    assert_eq!(spec.claims_on("src/a.rs").len(), 1);
    assert_eq!(spec.claims_on("docs/a.rst").len(), 2);
    let statement = format!("{:?}", spec.claims_on("src/a.rs")[0].statement);
    assert_eq!(statement, "License { expression: Some(\"MIT\") }");
    assert_eq!(spec.claims_on("docs/a")[1].date, Some("2026-11-24".parse().unwrap()));
}

proptest! {
    /// Hostile archives: an outcome or an end, never a panic, never a loop.
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), flips in proptest::collection::vec((0usize..3000, any::<u8>()), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let mut damaged = [tar(&[("p/a", &bytes)]), zip(&[("a", &bytes), ("b", b"x")])];
        for archive in &mut damaged {
            for (at, byte) in &flips {
                let at = at % archive.len();
                archive[at] = *byte;
            }
        }
        for (name, archive) in [("a.tar", &damaged[0]), ("a.zip", &damaged[1]), ("b.tar", &bytes), ("b.zip", &bytes), ("c.tgz", &bytes)] {
            let object = folder.path().join(name);
            fs::write(&object, archive).unwrap();
            prop_assert!(read(&object, "format = \"plain\"").len() < 100);
        }
    }
}

#[test]
fn evidence_is_found_by_its_usual_names_and_a_document_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("tree");
    let (whole, nested, neither) = (
        [
            "LICENSE",
            "license.rst",
            "COPYRIGHT",
            "README.md",
            "x-1.dist-info/METADATA",
            "terms/OURS.txt",
            "a.py.license",
        ],
        [
            "v/LICENSE-MIT",
            "v/license.txt",
            "v/COPYING.LESSER",
            "v/NOTICE",
            "debian/copyright",
            ".reuse/dep5",
            "v/Cargo.toml",
        ],
        ["docs/license.rst", "docs/copyright.html", "v/license.py", "v/licensed.md", "v/notice-board.rst", "v/MIT.txt"],
    );
    for name in whole.iter().chain(&nested).chain(&neither) {
        let path = object.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let toml = recipe(&object, "format = \"plain\"\nlicense_files = [\"terms/*\"]\n");
    let found = open(spec(&toml), folder.path()).unwrap().source().evidence().unwrap();
    let names = |speaks_for_all: bool| -> Vec<&str> {
        found.iter().filter(|f| f.whole == speaks_for_all).map(|f| f.path.as_str()).collect()
    };
    let sorted = |names: &[&'static str]| -> Vec<&'static str> {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    assert_eq!((names(true), names(false)), (sorted(&whole), sorted(&nested)));
}

#[test]
fn names_that_meet_nothing_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("a.jsonl");
    fs::write(&object, "{\"text\": \"one\", \"license\": \"\", \"by\": [\"Ada\"], \"url\": \"https://e.example/\"}\n")
        .unwrap();
    let more = "format = \"jsonl\"\ninclude = [\"*.jsonl\", \"*.json\"]\nlicense_field = \"license\"\nlicense_speaker = \"source\"\n\
                attribution_fields = [\"by\", \"creator\"]\nurl_field = \"url\"\n";
    let mut reader = open(spec(&recipe(&object, more)), folder.path()).unwrap();
    let Some(Ok(Outcome::Document(document))) = reader.next() else { panic!("no document") };
    assert_eq!(document.context.attributions[0].raw, "[\"Ada\"]");
    assert_eq!(document.context.attributions[0].locator, "a.jsonl#0/by");
    assert!(reader.next().is_none());
    let said = [
        "include `*.json` matches no path",
        "no record says anything in the field `creator`",
        "no record says anything in the field `license`",
    ];
    assert_eq!(reader.unused(), said);
}

//! Little that becomes much: archives, records and signed files that would fill memory are refused by their size.

use std::fs;

use manifests::canonical;
use manifests::digest::Sha256;

use crate::support::{House, corpus, fixture};

/// A deflate stream of one letter, again and again: 13 bits for each 258 of it.
fn deflated(letters: usize) -> Vec<u8> {
    let (mut bytes, mut used) = (Vec::new(), 8);
    let mut bit = |one: bool| {
        if used == 8 {
            bytes.push(0);
            used = 0;
        }
        *bytes.last_mut().unwrap() |= u8::from(one) << used;
        used += 1;
    };
    // Last block, fixed codes; codes come with their first bit first.
    [true, true, false].into_iter().for_each(&mut bit);
    let mut code = |value: u32, length: u32| (0..length).rev().for_each(|i| bit(value >> i & 1 == 1));
    code(0x30 + u32::from(b'a'), 8);
    for _ in 0..letters / 258 {
        code(0xC5, 8);
        code(0, 5);
    }
    code(0, 7);
    bytes
}

/// The CRC-32 of a letter, so many times.
fn crc(letter: u8, times: usize) -> u32 {
    let step = |crc: u32| (0..8).fold(crc, |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 });
    let table: Vec<u32> = (0..256).map(step).collect();
    !(0..times).fold(u32::MAX, |c, _| table[(c as u8 ^ letter) as usize] ^ c >> 8)
}

/// A gzip file and a zip archive of one member, each some hundred kB, that unpack to more than a record may be.
fn bombs() -> (Vec<u8>, Vec<u8>) {
    let packed = deflated(80 << 20);
    let letters = 1 + (80 << 20) / 258 * 258;
    let (crc, length) = (crc(b'a', letters).to_le_bytes(), u32::try_from(letters).unwrap().to_le_bytes());
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..], &packed, &crc, &length].concat();
    let size = u32::try_from(packed.len()).unwrap().to_le_bytes();
    let fields = [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0][..], &crc, &size, &length, &[5, 0, 0, 0]].concat();
    let local = [b"PK\x03\x04", &fields[..], b"a.txt", &packed].concat();
    let entry = [b"PK\x01\x02\x14\x00", &fields[..], &[0; 14], b"a.txt"].concat();
    let (length, offset) = (u32::try_from(entry.len()).unwrap(), u32::try_from(local.len()).unwrap());
    let end = [b"PK\x05\x06", &[0, 0, 0, 0, 1, 0, 1, 0][..], &length.to_le_bytes(), &offset.to_le_bytes(), &[0, 0]];
    (gzip, [local, entry, end.concat()].concat())
}

#[test]
fn an_archive_that_unpacks_to_more_than_a_record_may_be_is_one_row() {
    let house = House::copy(&corpus());
    crate::support::copy_tree(&fixture().join("inputs"), &house.path("inputs"));
    let (gzip, zip) = bombs();
    fs::write(house.path("inputs/bomb.jsonl.gz"), gzip).unwrap();
    fs::write(house.path("inputs/bomb.zip"), zip).unwrap();
    let table = |id: &str, object: &str, format: &str| {
        let (_, digest) = Sha256::of_file(&house.path("inputs").join(object)).unwrap();
        format!(
            "\n[[source]]\nid = \"{id}\"\nset = \"public\"\ntitle = \"A bomb\"\naccess = \"public\"\nread_at = 2026-11-24\n\
             object = \"{object}\"\nsha256 = \"{}\"\nformat = \"{format}\"\n",
            digest.hex()
        )
    };
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let bombs = table("bomb-gzip", "bomb.jsonl.gz", "jsonl") + &table("bomb-zip", "bomb.zip", "plain");
    fs::write(house.path("recipe.toml"), recipe + &bombs).unwrap();
    let out = house.path("second");
    house.build(&out, &[]).expect(0);
    for source in ["bomb-gzip", "bomb-zip"] {
        let sql = format!("SELECT reason FROM ledger WHERE source = '{source}'");
        let rows = house.query(&out, &sql);
        assert_eq!(rows, [serde_json::json!({"reason": "record-too-large"})], "{source}");
    }
}

#[test]
fn signed_files_beyond_their_cap_are_refused_before_they_are_read() {
    let house = House::copy(&corpus());
    let (corpus, policy) = (house.corpus(), house.policy("research"));
    let ask = || house.gated(["audit".as_ref(), corpus.as_os_str(), "--policy".as_ref(), policy.as_os_str()]);
    for (file, cap) in [
        ("records/elections/widgets.dsse.json", canonical::MAX_BYTES as u64),
        ("policies/research.toml", 1 << 20),
        ("trust.toml", 16 << 20),
        ("corpus/sets/code/manifest.dsse.json", canonical::MAX_BYTES as u64),
    ] {
        let whole = fs::read(house.path(file)).unwrap();
        // A hole: it has a length and no bytes.
        fs::File::options().write(true).open(house.path(file)).unwrap().set_len(cap + 1).unwrap();
        let ended = ask();
        assert!(ended.code != 0 && ended.stderr.contains("more than the"), "{file}: {}", ended.said());
        fs::write(house.path(file), whole).unwrap();
    }
    ask().expect(0);
}

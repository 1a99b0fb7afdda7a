//! Shards: write ∘ read is the identity, bytes don't depend on batching, every attack on a file is refused by name.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use arrow::compute::concat_batches;
use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::writer::TrackedWrite;
use proptest::prelude::*;

use super::*;

fn document(n: u32) -> Row {
    Row {
        doc_id: DocId::derive(&"web".parse().unwrap(), "a.jsonl", u64::from(n), 0),
        source: if n.is_multiple_of(3) {
            vec!["books".parse().unwrap(), "web".parse().unwrap()]
        } else {
            vec!["web".parse().unwrap()]
        },
        set: "academic".parse().unwrap(),
        tier: format!("concluded/license/{}", if n.is_multiple_of(2) { "" } else { "attribution" }),
        license: if n.is_multiple_of(2) { "CC0-1.0".to_owned() } else { "CC-BY-4.0".to_owned() },
        rightsholder: (0..n % 3).map(|i| format!("holder {i} é")).collect(),
        cell: n % 2,
        copies: 1 + n % 4,
        tokens: (0..n % 97).map(|i| i.wrapping_mul(2_654_435_761) % 100_278).collect(),
    }
}

fn write(root: &Path, name: &str, rows: &[Row], limits: Limits) -> ShardEntry {
    let mut writer = ShardWriter::create(root, name.parse().unwrap(), Role::Train, limits).unwrap();
    rows.iter().for_each(|row| writer.push(row).unwrap());
    writer.finish().unwrap().0
}

fn read(root: &Path, entry: &ShardEntry) -> Result<Vec<Row>> {
    let reader = ShardReader::open(root, entry)?;
    reader.verify()?;
    let groups = (0..reader.row_groups()).map(|g| reader.rows(g)).collect::<Result<Vec<_>>>()?;
    Ok(groups.into_iter().flatten().collect())
}

/// The entry that somebody who signs changed bytes would make.
fn resigned(root: &Path, entry: &ShardEntry) -> ShardEntry {
    let (length, digest) = Sha256::of_file(&entry.path.beneath(root)).unwrap();
    ShardEntry { length, digest, ..entry.clone() }
}

#[test]
fn rows_come_back_by_row_group_and_by_column() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..3000).map(document).collect();
    let entry = write(dir.path(), "shard-00000.parquet", &rows, Limits { tokens: 20_000, rows: 700 });
    assert_eq!((entry.rows, entry.tokens), (3000, rows.iter().map(|r| r.tokens.len() as u64).sum()));
    assert!(entry.row_groups > 5, "both limits close row groups: {}", entry.row_groups);
    assert_eq!(read(dir.path(), &entry).unwrap(), rows);

    let reader = ShardReader::open(dir.path(), &entry).unwrap();
    let mut at = 0;
    for group in 0..reader.row_groups() {
        let columns = reader.tokens(group).unwrap();
        for i in 0..columns.len() {
            assert_eq!(columns.row(i).unwrap(), rows[at].tokens);
            assert_eq!((columns.cell.value(i), columns.copies.value(i)), (rows[at].cell, rows[at].copies));
            at += 1;
        }
        assert!(columns.row(columns.len()).is_none());
    }
    assert_eq!(at, rows.len());
    assert!(reader.tokens(reader.row_groups()).is_err());

    let cells = reader.cells().unwrap();
    for cell in 0..2 {
        let of = rows.iter().filter(|r| r.cell == cell);
        let expected = CellTally {
            documents: of.clone().count() as u64,
            stored_tokens: of.clone().map(|r| r.tokens.len() as u64).sum(),
            tokens: of.map(|r| r.tokens.len() as u64 * u64::from(r.copies)).sum(),
        };
        assert_eq!(cells.0[&cell], expected);
    }
}

#[test]
fn what_no_shard_may_hold_is_refused_on_writing() {
    let dir = tempfile::tempdir().unwrap();
    let create =
        || ShardWriter::create(dir.path(), "s.parquet".parse().unwrap(), Role::Train, Limits::default()).unwrap();
    assert!(create().push(&Row { copies: 0, ..document(5) }).is_err());
    assert!(create().push(&Row { source: vec![], ..document(5) }).is_err());
    assert!(create().finish().is_err(), "no rows");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left of a shard that was not finished");
}

#[test]
fn every_changed_length_and_other_shard_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..200).map(document).collect();
    let entry = write(dir.path(), "shard-00000.parquet", &rows, Limits::default());
    let other = write(dir.path(), "shard-00001.parquet", &rows[..199], Limits::default());
    let place = entry.path.beneath(dir.path());
    let good = fs::read(&place).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&place, bytes).unwrap();
        let error = ShardReader::open(dir.path(), &entry).unwrap_err();
        assert!(error.is_verification() && error.to_string().contains("shard-00000.parquet"), "{error}");
    };
    refused(&good[..good.len() - 1]);
    refused(&[]);
    refused(&[&good[..], b"x"].concat());
    refused(&fs::read(other.path.beneath(dir.path())).unwrap());
    fs::write(&place, &good).unwrap();
    assert!(ShardReader::open(dir.path(), &ShardEntry { rows: 201, ..entry.clone() }).is_err());
    assert!(ShardReader::open(dir.path(), &ShardEntry { tokens: entry.tokens + 1, ..entry.clone() }).is_err());
    assert!(ShardReader::open(dir.path(), &ShardEntry { row_groups: 2, ..entry.clone() }).is_err());
    assert!(ShardReader::open(dir.path(), &entry).is_ok());
}

#[test]
fn bytes_hidden_between_pages_and_footer_are_refused_even_when_signed() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..200).map(document).collect();
    let entry = write(dir.path(), "shard-00000.parquet", &rows, Limits { tokens: 4000, rows: 100 });
    let place = entry.path.beneath(dir.path());
    let good = fs::read(&place).unwrap();
    let footer = u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().unwrap()) as usize;
    let (body, tail) = good.split_at(good.len() - 8 - footer);
    fs::write(&place, [body, b"secret text", tail].concat()).unwrap();
    let hidden = resigned(dir.path(), &entry);
    let error = ShardReader::open(dir.path(), &hidden).unwrap_err().to_string();
    assert!(error.contains("belong to none of them"), "{error}");
    // The same file is read without complaint by the library alone.
    let bytes = bytes::Bytes::from(fs::read(&place).unwrap());
    let library =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    assert_eq!(library.map(|b| b.unwrap().num_rows()).sum::<usize>(), 200);

    // Between the last page and the page indexes: the indexes are written anew, behind the freight.
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(parquet::file::metadata::PageIndexPolicy::Required)
        .parse_and_finish(&bytes::Bytes::from(good.clone()))
        .unwrap();
    let chunk = metadata.row_groups().last().unwrap().columns().last().unwrap();
    let last = usize::try_from(chunk.byte_range().0 + chunk.byte_range().1).unwrap();
    for (freight, accepted) in [(&b""[..], true), (b"secret text", false)] {
        let mut bytes = Vec::new();
        let mut file = TrackedWrite::new(&mut bytes);
        file.write_all(&[&good[..last], freight].concat()).unwrap();
        ParquetMetaDataWriter::new_with_tracked(file, &metadata).finish().unwrap();
        fs::write(&place, &bytes).unwrap();
        let opened = ShardReader::open(dir.path(), &resigned(dir.path(), &entry));
        assert_eq!(opened.is_ok(), accepted, "{freight:?}: {opened:?}");
    }
}

#[test]
fn more_rows_than_a_file_has_room_for_are_refused_before_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..200).map(document).collect();
    let entry = write(dir.path(), "shard-00000.parquet", &rows, Limits::default());
    let place = entry.path.beneath(dir.path());
    let good = bytes::Bytes::from(fs::read(&place).unwrap());
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(parquet::file::metadata::PageIndexPolicy::Required)
        .parse_and_finish(&good)
        .unwrap();
    let chunk = metadata.row_groups().last().unwrap().columns().last().unwrap();
    let last = usize::try_from(chunk.byte_range().0 + chunk.byte_range().1).unwrap();
    for (declared, words) in [(1 << 40, "it declares"), (201, "hold 201 rows, signed are 200")] {
        let group = metadata.row_group(0).clone().into_builder().set_num_rows(declared).build().unwrap();
        let lie = metadata.clone().into_builder().set_row_groups(vec![group]).build();
        let mut bytes = Vec::new();
        let mut file = TrackedWrite::new(&mut bytes);
        file.write_all(&good[..last]).unwrap();
        ParquetMetaDataWriter::new_with_tracked(file, &lie).finish().unwrap();
        fs::write(&place, &bytes).unwrap();
        let error = ShardReader::open(dir.path(), &resigned(dir.path(), &entry)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn another_files_columns_or_writer_are_refused_even_when_signed() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..20).map(document).collect();
    let entry = write(dir.path(), "a.parquet", &rows, Limits::default());
    let batch = ShardReader::open(dir.path(), &entry).unwrap().record_batch(0).unwrap();
    let place = entry.path.beneath(dir.path());
    let mut plain = parquet::arrow::ArrowWriter::try_new(fs::File::create(&place).unwrap(), schema(), None).unwrap();
    plain.write(&batch).unwrap();
    plain.close().unwrap();
    let error = ShardReader::open(dir.path(), &resigned(dir.path(), &entry)).unwrap_err().to_string();
    assert!(error.contains("flexmix.schema"), "{error}");
}

/// A golden digest: the format's bytes are fixed by the format, not by the day.
#[test]
fn the_bytes_of_version_1() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..3000).map(document).collect();
    let entry = write(dir.path(), "a.parquet", &rows, Limits { tokens: 20_000, rows: 700 });
    assert_eq!((entry.length, entry.digest.hex().as_str()), GOLDEN);
}

const GOLDEN: (u64, &str) = (74_764, "31de40f21e6fc2c0e3148f63ca802933e2b3a5ba207091bcd9371003af8f8a6b");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bytes_depend_on_rows_alone(
        n in 1u32..2600,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        tokens in 500u64..60_000,
        rows in 1usize..2000,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { tokens, rows: rows.max(100) };
        let documents: Vec<Row> = (0..n).map(document).collect();
        let entry = write(dir.path(), "rows.parquet", &documents, limits);
        let reader = ShardReader::open(dir.path(), &entry).unwrap();
        let batches: Vec<_> = (0..reader.row_groups()).map(|g| reader.record_batch(g).unwrap()).collect();
        let whole = concat_batches(&schema(), &batches).unwrap();
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(whole.num_rows() + 1)).collect();
        cuts.extend([0, whole.num_rows()]);
        cuts.sort_unstable();
        let mut writer = ShardWriter::create(dir.path(), "cut.parquet".parse().unwrap(), Role::Train, limits).unwrap();
        for pair in cuts.windows(2) {
            writer.write(&whole.slice(pair[0], pair[1] - pair[0])).unwrap();
        }
        let (again, cells) = writer.finish().unwrap();
        prop_assert_eq!(again.digest, entry.digest);
        prop_assert_eq!(cells, reader.cells().unwrap());
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<Row> = (0..60).map(document).collect();
        let entry = write(dir.path(), "flipped.parquet", &rows, Limits::default());
        let place = entry.path.beneath(dir.path());
        let mut bytes = fs::read(&place).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&place, &bytes).unwrap();
        let error = ShardReader::open(dir.path(), &entry).unwrap_err();
        prop_assert!(error.is_verification() && error.to_string().contains("flipped.parquet"));
        // Signed by a liar it may be read or refused, but nothing panics.
        let _ = read(dir.path(), &resigned(dir.path(), &entry));
    }
}

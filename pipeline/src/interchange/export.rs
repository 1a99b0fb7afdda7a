//! The export: sets chosen, gate asked, shards read one at a time in the manifest's order, files written beside their
//! place and put there by one rename. An export that is there in part does not exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use corpus::tokenize::Tokenizer;
use manifests::digest::{Hasher, Sha256};
use manifests::gate::Gate;
use manifests::id::SetName;
use manifests::manifest::{Access, SetManifest};
use manifests::policy::Act;
use manifests::shard::{Role, Row, ShardReader};
use manifests::store::write_atomic;

use super::datatrove::DatatroveFile;
use super::dolma::DolmaFile;
use super::megatron::MegatronFile;
use super::npy::NpyFile;
use super::tokens::{Document, width};
use super::{
    EXPORT_FILE, ExportOptions, ExportReport, ExportedFile, ExportedSet, LeftOut, LicenseTotal, Target, admit,
};
use crate::error::{Error, Result};
use crate::notice::{Ask, notice};
use crate::query::{Folder, Kind, Signed};

const NOTICE: &str = "NOTICE";
const TOKENIZER: &str = "tokenizer.json";

/// The files that were written.
#[derive(Default)]
pub(super) struct Written(Vec<ExportedFile>);

impl Written {
    /// Writes a file beneath the export's root.
    pub(super) fn write(&mut self, root: &Path, path: &str, bytes: &[u8]) -> Result<()> {
        let whole = root.join(path);
        if let Some(folder) = whole.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        }
        write_atomic(&whole, bytes)?;
        self.0.push(ExportedFile { path: path.to_owned(), length: bytes.len() as u64, digest: Sha256::of(bytes) });
        Ok(())
    }
}

/// A file of the target's kind under way.
enum Sink {
    Dolma(DolmaFile),
    Npy(Box<NpyFile>),
    Megatron(MegatronFile),
    Datatrove(DatatroveFile),
}

/// Exports.
///
/// # Errors
/// [`Error::Usage`] for a wrong folder, set or place; [`Error::Refused`] for a closed set that was not asked for as
/// such, a policy of another act, or when nothing is permitted; [`Error::Record`] when a record or shard is not what it
/// must be. Nothing is written then.
pub fn export(options: &ExportOptions, gate: &Gate) -> Result<ExportReport> {
    check_act(gate)?;
    check_free(&options.out)?;
    let folder = Folder::open(&options.dir, Some((&gate.trust, gate.as_of)))?;
    if folder.kind != Kind::Corpus {
        let what = format!("`{}` is no corpus", options.dir.display());
        return Err(Error::usage(what, "export from the folder that `flexmix build` wrote"));
    }
    if let Some((path, why)) = folder.broken() {
        return Err(manifests::Error::verification(path, why).into());
    }
    folder.check_evidence()?;
    let chosen = chosen(&folder, options, gate)?;
    let partial = beside(&options.out)?;
    remove(&partial)?;
    let done = write(options, gate, &folder, &chosen, &partial);
    match done {
        Ok(report) => {
            // An empty folder may stand at the place.
            _ = fs::remove_dir(&options.out);
            fs::rename(&partial, &options.out).map_err(|e| Error::io(&options.out, e))?;
            Ok(report)
        }
        Err(error) => {
            _ = fs::remove_dir_all(&partial);
            Err(error)
        }
    }
}

/// Text is taken for training or handed on; a policy for anything else does not speak of it.
fn check_act(gate: &Gate) -> Result<()> {
    if matches!(gate.policy.act, Act::Train | Act::PublishData) {
        return Ok(());
    }
    let what = format!("policy `{}` is for act `{}`", gate.policy.file, gate.policy.act.as_str());
    Err(Error::usage(what, "an export asks for act `train`, or `publish-data` where it is handed on"))
}

fn check_free(out: &Path) -> Result<()> {
    match fs::read_dir(out) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        entries => match entries.map_err(|e| Error::io(out, e))?.next() {
            None => Ok(()),
            Some(_) => Err(Error::usage(format!("`{}` is not empty", out.display()), "name another folder")),
        },
    }
}

fn beside(out: &Path) -> Result<PathBuf> {
    let whole = std::path::absolute(out).map_err(|e| Error::io(out, e))?;
    let name = whole.file_name().map(|n| format!(".{}.partial", n.to_string_lossy()));
    let name = name.ok_or_else(|| Error::usage(format!("`{}` names no folder", out.display()), "name a new folder"))?;
    Ok(whole.with_file_name(name))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder, e)),
        _ => Ok(()),
    }
}

/// The sets: those that were named, else all public ones. A closed one only where its owner says so, and never to be
/// handed on.
fn chosen<'a>(folder: &'a Folder, options: &ExportOptions, gate: &Gate) -> Result<Vec<&'a Signed<SetManifest>>> {
    let known = |set: &SetName| folder.manifests.iter().any(|m| m.record.set == *set);
    if let Some(missing) = options.sets.iter().find(|set| !known(set)) {
        let all: Vec<&str> = folder.manifests.iter().map(|m| m.record.set.as_str()).collect();
        let what = format!("the corpus has no set `{missing}`");
        return Err(Error::usage(what, format!("its sets are {}", all.join(", "))));
    }
    let mut chosen = Vec::new();
    for signed in &folder.manifests {
        let (manifest, named) = (&signed.record, options.sets.contains(&signed.record.set));
        manifest.check()?;
        let closed = manifest.access == Access::Closed;
        let wanted = if options.sets.is_empty() { !closed || options.closed } else { named };
        if wanted && closed && (gate.policy.act == Act::PublishData || !options.closed) {
            return Err(Error::Refused {
                what: format!("set `{}` is closed: its text and tokens stay with its owner", manifest.set),
                hint: Some("its owner may export it for training in the house, with `--closed`".to_owned()),
            });
        }
        chosen.extend(wanted.then_some(signed));
    }
    match chosen.first() {
        Some(_) => Ok(chosen),
        None => Err(Error::usage("no set was chosen", "name one with `--set`")),
    }
}

fn write(
    options: &ExportOptions,
    gate: &Gate,
    folder: &Folder,
    chosen: &[&Signed<SetManifest>],
    root: &Path,
) -> Result<ExportReport> {
    let first = chosen.first().ok_or_else(|| Error::Bug("no set was chosen".to_owned()))?;
    let reference = first.record.tokenizer.clone();
    let path = folder.root.join(TOKENIZER);
    let json = fs::read(&path).map_err(|e| Error::io(&path, e))?;
    if Sha256::of(&json) != reference.digest || chosen.iter().any(|s| s.record.tokenizer != reference) {
        let what = "it is not the tokenizer that the manifests name [FM-T-007 digest-mismatch]";
        return Err(manifests::Error::verification(path, what).into());
    }
    let tokenizer = Tokenizer::from_json(&json).map_err(|e| Error::Tokenizer(e.to_string()))?;
    let mut written = Written::default();
    let (mut sets, mut left_out) = (Vec::new(), Vec::new());
    for signed in chosen {
        let mut one = OneSet { options, signed, tokenizer: &tokenizer, root, licenses: BTreeMap::new() };
        left_out.extend(one.run(gate, &folder.root, &mut written)?);
        sets.push(ExportedSet {
            set: signed.record.set.clone(),
            access: signed.record.access,
            manifest: signed.digest,
            licenses: one.licenses.into_values().collect(),
        });
    }
    if written.0.is_empty() {
        return Err(Error::Refused {
            what: format!("policy `{}` permits nothing of what was asked for", gate.policy.id),
            hint: Some("`flexmix audit DIR --policy FILE` says why".to_owned()),
        });
    }
    let names: Vec<_> = chosen.iter().map(|s| s.record.set.clone()).collect();
    let owed = notice(folder, Ask { gate: Some(gate), sets: &names, beside: None }, "checked".to_owned())?;
    written.write(root, NOTICE, owed.to_text().as_bytes())?;
    written.write(root, TOKENIZER, &json)?;
    let mut files = written.0;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let report = ExportReport {
        schema: "flexmix/export/v1",
        demo: first.record.demo,
        corpus: first.record.corpus.clone(),
        target: options.target.as_str(),
        policy: (format!("{} v{}", gate.policy.id, gate.policy.version), gate.policy.digest),
        as_of: gate.as_of.to_string(),
        held_out: options.held_out,
        shuffle: options.shuffle,
        tokenizer: (reference.name, reference.digest),
        eos: reference.eos,
        token_bytes: (options.target != Target::Dolma).then_some(width(reference.vocabulary)),
        sets,
        left_out,
        notice: NOTICE,
        files,
    };
    write_atomic(&root.join(EXPORT_FILE), &manifests::canonical::to_vec(&report)?)?;
    Ok(report)
}

/// One set under way.
struct OneSet<'a> {
    options: &'a ExportOptions,
    signed: &'a Signed<SetManifest>,
    tokenizer: &'a Tokenizer,
    root: &'a Path,
    licenses: BTreeMap<String, LicenseTotal>,
}

impl OneSet<'_> {
    /// Writes the set's files; gives what was left out.
    fn run(&mut self, gate: &Gate, corpus: &Path, written: &mut Written) -> Result<Vec<LeftOut>> {
        let manifest = &self.signed.record;
        let role = if self.options.held_out { Role::Heldout } else { Role::Train };
        let (admitted, left_out) = admit::cells(gate, self.signed, role)?;
        let home = corpus.join("sets").join(manifest.set.as_str());
        let mut number = 0;
        for shard in manifest.shards.iter().filter(|s| s.file.role == role) {
            if !shard.cells.iter().any(|c| admitted.contains(&c.cell)) {
                continue;
            }
            let reader = ShardReader::open(&home, &shard.file)?;
            let mut rows = Vec::new();
            for group in 0..reader.row_groups() {
                rows.extend(reader.rows(group)?);
            }
            let numbered = (1u64..).zip(rows).filter(|(_, row)| admitted.contains(&row.cell)).collect();
            self.shard(numbered, &mut number, written)?;
        }
        Ok(left_out)
    }

    /// Writes the documents of one shard into one or more files.
    fn shard(&mut self, mut rows: Vec<(u64, Row)>, number: &mut usize, written: &mut Written) -> Result<()> {
        for (_, row) in &mut rows {
            let total = self.licenses.entry(row.license.clone()).or_insert_with(|| LicenseTotal {
                license: row.license.clone(),
                documents: 0,
                rows: 0,
                tokens: 0,
            });
            total.documents += 1;
            total.rows += u64::from(row.copies);
            total.tokens += u64::from(row.copies) * row.tokens.len() as u64;
        }
        let order = order(&rows, self.options.shuffle);
        let eos = self.signed.record.tokenizer.eos;
        let mut open: Option<(Sink, u64)> = None;
        let mut ids = Vec::new();
        for (index, _) in order {
            let (place, row) = &rows[index];
            ids.clear();
            ids.extend_from_slice(&row.tokens);
            ids.push(eos);
            let length = ids.len() as u64;
            if let Some((sink, _)) = open.take_if(|(_, tokens)| *tokens + length > self.options.file_tokens) {
                self.close(sink, number, written)?;
            }
            let (sink, tokens) = open.get_or_insert_with(|| (self.sink(), 0));
            *tokens += length;
            let source = row.source.first().map_or("", |s| s.as_str());
            let document = Document { id: row.doc_id, source, row: *place, tokens: &ids };
            match sink {
                Sink::Dolma(file) => file.push(row, self.tokenizer)?,
                Sink::Npy(file) => file.push(&document)?,
                Sink::Megatron(file) => file.push(&document)?,
                Sink::Datatrove(file) => file.push(&document),
            }
        }
        open.map_or(Ok(()), |(sink, _)| self.close(sink, number, written))
    }

    fn sink(&self) -> Sink {
        let tokenizer = &self.signed.record.tokenizer;
        let width = width(tokenizer.vocabulary);
        match self.options.target {
            Target::Dolma => Sink::Dolma(DolmaFile::default()),
            Target::Npy => Sink::Npy(Box::new(NpyFile::new(width))),
            Target::Megatron => Sink::Megatron(MegatronFile::new(width)),
            Target::Datatrove => Sink::Datatrove(DatatroveFile::new(width, tokenizer.name.clone())),
        }
    }

    fn close(&self, sink: Sink, number: &mut usize, written: &mut Written) -> Result<()> {
        let base = format!("{}/{number:05}", self.signed.record.set);
        *number += 1;
        match sink {
            Sink::Dolma(file) => file.finish(&base, self.root, written),
            Sink::Npy(file) => file.finish(&base, self.root, written),
            Sink::Megatron(file) => file.finish(&format!("{base}_tokens"), self.root, written),
            Sink::Datatrove(file) => {
                let kind = if self.options.shuffle.is_some() { "shuffled" } else { "unshuffled" };
                file.finish(&format!("{base}_{kind}"), self.root, written)
            }
        }
    }
}

/// The rows to write, each as often as it has copies: in stored order, or by a seeded hash of id and copy.
fn order(rows: &[(u64, Row)], shuffle: Option<u64>) -> Vec<(usize, u32)> {
    let copies = rows.iter().enumerate().flat_map(|(i, (_, row))| (0..row.copies).map(move |copy| (i, copy)));
    let mut order: Vec<(usize, u32)> = copies.collect();
    if let Some(seed) = shuffle {
        order.sort_by_cached_key(|(i, copy)| {
            let mut hasher = Hasher::new();
            hasher.update(b"flexmix/export/1");
            hasher.field(&seed.to_le_bytes());
            hasher.field(rows[*i].1.doc_id.as_bytes());
            hasher.field(&copy.to_le_bytes());
            hasher.finish()
        });
    }
    order
}

//! How threads share the reading of sources: whoever is free parses a slice that waits, or cuts the next one, or opens
//! the next source. Slices are named by source, part and ordinal, whoever works on them; those that wait are few,
//! which bounds the memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use corpus::claims::source_claims;
use corpus::document::Outcome;
use corpus::source::{Cutter, Found, RawRecord, Source};
use manifests::claim::Speaker;
use manifests::store::write_atomic;

use super::rows::Rows;
use super::{ReadTask, ReadWith, SLICE_BYTES, SLICE_ROWS, Said};
use crate::columns::from_json;
use crate::error::{Error, Result};
use crate::pieces::Pieces;
use crate::task::Output;

/// Reads every source that is to do into slices `NNNNN-PPPPP-KKKKK.parquet` (source, part, ordinal), beside its own
/// claims in `NNNNN-claims.json`, what the recipe names in vain in `NNNNN-unused.json`, and its objects as they were read
/// in `NNNNN-objects.json`.
///
/// # Errors
/// What the first source that failed says, or a file that can't be written.
pub fn run(tasks: &[ReadTask], with: &ReadWith<'_>, pieces: &Pieces<'_>) -> Result<()> {
    let state = State { sources: pieces.tasks.iter().copied().collect(), ..State::default() };
    let work = Work { tasks, with, pieces, state: Mutex::new(state), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..pieces.threads {
            scope.spawn(|| work.go_on());
        }
    });
    let state = work.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.failed.map_or(Ok(()), |(_, error)| Err(error))
}

/// A source that is being read.
struct Open {
    n: usize,
    source: Source,
    said: Said,
}

/// A part that is being cut.
struct Part {
    open: Arc<Open>,
    part: usize,
    range: std::ops::Range<usize>,
    cutter: Option<Cutter>,
    next: usize,
}

/// A slice that waits for being parsed.
struct Waiting {
    open: Arc<Open>,
    part: usize,
    k: usize,
    records: Vec<RawRecord>,
}

/// What is known of a source so far.
#[derive(Default)]
struct Progress {
    parts: usize,
    slices: usize,
    outputs: BTreeMap<(usize, usize), Vec<Output>>,
    /// Patterns that met nothing, of each part; fields that no record has, of each slice.
    patterns: Vec<Vec<String>>,
    fields: Vec<Vec<String>>,
    digests: BTreeMap<String, manifests::digest::Sha256>,
}

#[derive(Default)]
struct State {
    sources: VecDeque<usize>,
    parts: VecDeque<Box<Part>>,
    waiting: VecDeque<Waiting>,
    progress: BTreeMap<usize, Progress>,
    busy: usize,
    failed: Option<(usize, Error)>,
}

enum Job {
    Open(usize),
    Cut(Box<Part>),
    Parse(Waiting),
}

impl Job {
    fn source(&self) -> usize {
        match self {
            Self::Open(n) => *n,
            Self::Cut(part) => part.open.n,
            Self::Parse(waiting) => waiting.open.n,
        }
    }
}

struct Work<'a> {
    tasks: &'a [ReadTask],
    with: &'a ReadWith<'a>,
    pieces: &'a Pieces<'a>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Work<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until nothing is left, or until something failed.
    fn go_on(&self) {
        while let Some(job) = self.next() {
            let n = job.source();
            let done = match job {
                Job::Open(n) => self.open(n),
                Job::Cut(part) => self.cut(part),
                Job::Parse(waiting) => self.parse(waiting),
            };
            let mut state = self.lock();
            state.busy -= 1;
            if let Err(error) = done
                && state.failed.as_ref().is_none_or(|(first, _)| n < *first)
            {
                state.failed = Some((n, error));
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    /// What to do next. A slice comes first when enough of them wait, so that no more than twice as many as there are
    /// threads are ever held.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.failed.is_some() {
                return None;
            }
            let enough = state.waiting.len() >= self.pieces.threads;
            let slice = if enough { state.waiting.pop_front() } else { None };
            let job = slice
                .map(Job::Parse)
                .or_else(|| state.parts.pop_front().map(Job::Cut))
                .or_else(|| state.sources.pop_front().map(Job::Open))
                .or_else(|| state.waiting.pop_front().map(Job::Parse));
            if let Some(job) = job {
                state.busy += 1;
                return Some(job);
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Opens a source: its claims, what sites said, its parts.
    fn open(&self, n: usize) -> Result<()> {
        let task = &self.tasks[n];
        let (inputs, objects) = (self.with.inputs, Arc::clone(&self.with.objects));
        let source = Source::open(Arc::clone(&task.spec), inputs, objects, task.found.clone())?;
        let speaker = task.spec.metadata_speaker.unwrap_or(Speaker::Detector);
        let evidence = source_claims(&source.evidence()?, speaker, Some(task.spec.read_at));
        let (spec, decisions) = (Arc::clone(&task.spec), self.with.decisions.to_vec());
        let said = Said { evidence, sites: source.sites()?, spec, decisions };
        let file = self.pieces.folder().join(claims_file(n));
        write_atomic(&file, &manifests::canonical::to_vec(&said.evidence.claims)?)?;
        let (parts, open) = (source.parts(), Arc::new(Open { n, source, said }));
        let mut state = self.lock();
        state.progress.insert(n, Progress { parts: parts.len(), ..Progress::default() });
        for (part, range) in parts.into_iter().enumerate() {
            state.parts.push_back(Box::new(Part { open: Arc::clone(&open), part, range, cutter: None, next: 0 }));
        }
        Ok(())
    }

    /// Cuts the next slice of a part; one that was committed before is not parsed again.
    fn cut(&self, mut part: Box<Part>) -> Result<()> {
        let n = part.open.n;
        let cutter = match &mut part.cutter {
            Some(cutter) => cutter,
            None => part.cutter.insert(part.open.source.cut(part.range.clone())?),
        };
        let Some(records) = cutter.slice(SLICE_BYTES, SLICE_ROWS)? else {
            let mut state = self.lock();
            let progress = state.progress.entry(n).or_default();
            progress.parts -= 1;
            progress.patterns.push(cutter.unused());
            progress.digests.extend(cutter.digests());
            drop(state);
            return self.finish(&part.open);
        };
        let (k, former) = (part.next, self.pieces.former(n, &piece(n, part.part, part.next)));
        part.next += 1;
        let fields = former.as_deref().map(|outputs| self.fields(outputs)).transpose()?;
        let mut state = self.lock();
        let progress = state.progress.entry(n).or_default();
        match former.zip(fields) {
            Some((outputs, fields)) => {
                progress.outputs.insert((part.part, k), outputs);
                progress.fields.push(fields);
            }
            None => {
                progress.slices += 1;
                let open = Arc::clone(&part.open);
                state.waiting.push_back(Waiting { open, part: part.part, k, records });
            }
        }
        state.parts.push_front(part);
        Ok(())
    }

    /// The fields that no record of a former slice has.
    fn fields(&self, outputs: &[Output]) -> Result<Vec<String>> {
        let name = &outputs.get(1).ok_or_else(|| Error::Bug("a slice without its second file".to_owned()))?.name;
        let file = self.pieces.folder().join(name);
        from_json(&std::fs::read_to_string(&file).map_err(|e| Error::io(&file, e))?)
    }

    /// Parses a slice and commits it.
    fn parse(&self, waiting: Waiting) -> Result<()> {
        let Waiting { open, part, k, records } = waiting;
        let (mut rows, mut parser) = (Rows::new(), open.source.parser());
        for raw in records {
            match parser.parse(raw) {
                Outcome::Document(document) => rows.document(&document, &open.said)?,
                Outcome::Failed(failed) => rows.failed(&failed)?,
            }
        }
        let (piece, fields, folder) = (piece(open.n, part, k), parser.unused(), self.pieces.folder());
        let files = [format!("{piece}.parquet"), format!("{piece}.json")];
        rows.write(&files[0], folder)?;
        write_atomic(&folder.join(&files[1]), &manifests::canonical::to_vec(&fields)?)?;
        let outputs = self.pieces.commit_piece(open.n, &piece, &files)?;
        let mut state = self.lock();
        let progress = state.progress.entry(open.n).or_default();
        progress.slices -= 1;
        progress.outputs.insert((part, k), outputs);
        progress.fields.push(fields);
        drop(state);
        self.finish(&open)
    }

    /// Commits a source of which nothing is left to do.
    fn finish(&self, open: &Open) -> Result<()> {
        let mut state = self.lock();
        if state.progress.get(&open.n).is_none_or(|p| p.parts > 0 || p.slices > 0) {
            return Ok(());
        }
        let progress = state.progress.remove(&open.n).unwrap_or_default();
        drop(state);
        let folder = self.pieces.folder();
        let mut unused = missed(&progress.patterns, progress.patterns.first().cloned().unwrap_or_default());
        unused.extend(missed(&progress.fields, open.source.parser().unused()));
        write_atomic(&folder.join(unused_file(open.n)), &manifests::canonical::to_vec(&unused)?)?;
        let mut found: Vec<Found> = open.source.found().to_vec();
        for object in &mut found {
            object.sha256 = object.sha256.or_else(|| progress.digests.get(&object.path).copied());
        }
        write_atomic(&folder.join(objects_file(open.n)), &manifests::canonical::to_vec(&found)?)?;
        let files = [claims_file(open.n), unused_file(open.n), objects_file(open.n)];
        let mut outputs = files.iter().map(|name| self.pieces.output(name)).collect::<Result<Vec<_>>>()?;
        outputs.extend(progress.outputs.into_values().flatten());
        self.pieces.commit(open.n, outputs)
    }
}

/// What all of the lists have: met in no part or slice.
fn missed(lists: &[Vec<String>], all: Vec<String>) -> Vec<String> {
    all.into_iter().filter(|what| lists.iter().all(|list| list.contains(what))).collect()
}

fn piece(n: usize, part: usize, k: usize) -> String {
    format!("{n:05}-{part:05}-{k:05}")
}

fn claims_file(n: usize) -> String {
    format!("{n:05}-claims.json")
}

fn unused_file(n: usize) -> String {
    format!("{n:05}-unused.json")
}

fn objects_file(n: usize) -> String {
    format!("{n:05}-objects.json")
}

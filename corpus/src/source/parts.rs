//! A source whose objects are found: it is cut in parts that any number of threads may work on, and parsed.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manifests::digest::Sha256;

use super::container::{Container, Files, Positioned};
use super::cutter::Cutter;
use super::decode::{decoded, is_broken};
use super::error::{Error, Result};
use super::object::{Found, Objects};
use super::parser::Parser;
use super::place::{Place, is_address};
use super::spec::SourceSpec;
use super::tar::Tar;
use super::zip::Zip;

/// Objects of a source are cut by one thread until they have this many bytes: a large one alone, small ones together.
const PART: u64 = 32 << 20;

/// A source that can be read.
pub struct Source {
    spec: Arc<SourceSpec>,
    inputs: PathBuf,
    objects: Arc<dyn Objects>,
    found: Vec<Found>,
    archive: Option<(Archive, Arc<File>)>,
}

/// What an object that holds many is.
#[derive(Clone, Copy)]
enum Archive {
    Tar,
    Zip,
}

impl Source {
    /// A source and what was found of it. An archive behind a network is copied, whole; anything else is opened when it
    /// is read. Snapshots of sites are in `inputs`.
    ///
    /// # Errors
    /// [`Error::Io`] when the archive cannot be had, [`Error::Changed`] when it is not the pinned one.
    pub fn open(
        spec: Arc<SourceSpec>,
        inputs: impl Into<PathBuf>,
        objects: Arc<dyn Objects>,
        found: Vec<Found>,
    ) -> Result<Self> {
        let mut source = Self { spec, inputs: inputs.into(), objects, found, archive: None };
        if let (Place::Object(place), [object]) = (&source.spec.place, source.found.as_slice())
            && let Some(archive) = archive(place)
            && object.address == *place
        {
            let file = source.objects.object(object).and_then(|object| object.file());
            let file = Arc::new(file.map_err(|e| Error::io(place, e))?);
            if is_address(place) {
                let digest = source.digest(place, &file)?;
                source.found[0].sha256 = Some(digest);
            }
            source.archive = Some((archive, file));
        }
        Ok(source)
    }

    /// The digest of a copied archive, which is the pinned one.
    fn digest(&self, place: &str, file: &Arc<File>) -> Result<Sha256> {
        let read = Sha256::of_reader(Positioned::new(Arc::clone(file)), Path::new(place));
        let found = read.map_err(|e| Error::io(place, io::Error::other(e)))?.1;
        match self.spec.sha256 {
            Some(expected) if expected != found => {
                Err(Error::Changed { id: self.spec.id.to_string(), path: place.into(), expected, found })
            }
            _ => Ok(found),
        }
    }

    /// The source's specification.
    #[must_use]
    pub fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    /// The folder of all local objects.
    pub(super) fn inputs(&self) -> &Path {
        &self.inputs
    }

    /// Its objects, as they were found; the digest of a copied archive is known now.
    #[must_use]
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// The parts that may be cut side by side: ranges of [`Source::found`], the same on every machine. A source of which
    /// the recipe takes only some records is one part.
    #[must_use]
    pub fn parts(&self) -> Vec<Range<usize>> {
        let (mut parts, mut start, mut size) = (Vec::new(), 0, 0);
        for (n, object) in self.found.iter().enumerate() {
            size += object.length.unwrap_or(PART);
            if size >= PART && self.spec.limit.is_none() && self.spec.skip == 0 {
                parts.push(start..n + 1);
                (start, size) = (n + 1, 0);
            }
        }
        if start < self.found.len() || parts.is_empty() {
            parts.push(start..self.found.len());
        }
        parts
    }

    /// Cuts a part.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be had.
    pub fn cut(&self, part: Range<usize>) -> Result<Cutter> {
        Cutter::new(Arc::clone(&self.spec), self.container(part))
    }

    /// Parses what was cut.
    #[must_use]
    pub fn parser(&self) -> Parser {
        Parser::new(Arc::clone(&self.spec))
    }

    /// Everything in it, or an error that says that an archive is broken.
    pub(super) fn whole(&self) -> io::Result<Box<dyn Container>> {
        self.container(0..self.found.len())
    }

    fn container(&self, part: Range<usize>) -> io::Result<Box<dyn Container>> {
        Ok(match &self.archive {
            Some((Archive::Zip, file)) => Box::new(Zip::new(Positioned::new(Arc::clone(file)))?),
            Some((Archive::Tar, file)) => {
                Box::new(Tar::new(decoded(self.spec.place.name(), Box::new(Positioned::new(Arc::clone(file))))?))
            }
            None => {
                let to_the_end = self.spec.first_records.is_none() || self.spec.sha256.is_some();
                Box::new(Files::new(self.found[part].to_vec(), Arc::clone(&self.objects), to_the_end))
            }
        })
    }

    /// The error of reading the whole of it, unless the bytes are what is wrong.
    pub(super) fn unless_broken(&self, read: io::Result<()>) -> Result<()> {
        match read {
            Err(e) if !is_broken(&e) => Err(Error::io(self.spec.place.to_string(), e)),
            _ => Ok(()),
        }
    }
}

/// The archive that a name says it is.
fn archive(name: &str) -> Option<Archive> {
    let is = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    if is(&[".whl", ".zip"]) {
        Some(Archive::Zip)
    } else if is(&[".tar.gz", ".tgz", ".crate", ".tar.zst", ".tar"]) {
        Some(Archive::Tar)
    } else {
        None
    }
}

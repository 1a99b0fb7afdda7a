//! `[[source.optout]]`: a file in which somebody kept what a site said against mining, with its address, status and day.

use std::path::Path;

use manifests::date::Date;
use manifests::digest::Sha256;
use serde::Deserialize;

use super::error::{Error, Result};
use super::parts::Source;
use super::place::is_relative;
use super::spec::pin;
use crate::optout::{AI_AGENTS, Kind, Sites, Snapshot};

/// The most bytes of a snapshot.
const MAX_SNAPSHOT: u64 = 16 << 20;

/// The table as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotToml {
    kind: Kind,
    url: String,
    file: Option<String>,
    sha256: Option<String>,
    #[serde(default = "ok")]
    status: u16,
    read_at: Option<Date>,
    #[serde(default)]
    agents: Vec<String>,
    reserved: Option<bool>,
    raw: Option<String>,
}

const fn ok() -> u16 {
    200
}

/// A snapshot that can be read.
#[derive(Clone, Debug)]
pub(super) struct SnapshotSpec {
    toml: SnapshotToml,
    pin: Option<(String, Sha256)>,
    read_at: Date,
}

impl SnapshotToml {
    /// Checks the table; `read_at` is the source's.
    pub(super) fn validate(mut self, read_at: Date) -> std::result::Result<SnapshotSpec, String> {
        if !Sites::is_address(&self.url) {
            return Err(format!("`{}` is no address; write `https://HOST/PATH`", self.url));
        }
        let place = match self.kind {
            Kind::Robots => Some("/robots.txt"),
            Kind::Tdmrep => Some("/.well-known/tdmrep.json"),
            Kind::Rsl | Kind::Headers | Kind::Terms => None,
        };
        if let Some(place) = place.filter(|place| !self.url.ends_with(place)) {
            return Err(format!("`{}` is not where a site has its file; that is `{place}`", self.url));
        }
        let answered = (200..300).contains(&self.status);
        let pin = match (&self.file, &self.sha256) {
            (Some(file), Some(digest)) if is_relative(file) => Some((file.clone(), pin(digest)?)),
            (None, None) if !answered => None,
            (Some(file), Some(_)) => return Err(format!("`{file}` is not a path inside the inputs folder")),
            _ => return Err("`file` and `sha256` go together; without them `status` says why there is none".into()),
        };
        match (self.kind, self.reserved, &self.raw) {
            (Kind::Terms, Some(_), Some(raw)) if !raw.trim().is_empty() => {}
            (Kind::Terms, ..) => return Err("terms need `reserved`, and in `raw` the words that say so".to_owned()),
            (_, None, None) => {}
            _ => return Err("`reserved` and `raw` are for terms; other files speak for themselves".to_owned()),
        }
        if self.kind != Kind::Robots && !self.agents.is_empty() {
            return Err("`agents` are for robots.txt".to_owned());
        }
        if self.agents.is_empty() {
            self.agents = AI_AGENTS.map(str::to_owned).into();
        }
        Ok(SnapshotSpec { read_at: self.read_at.unwrap_or(read_at), pin, toml: self })
    }
}

impl Source {
    /// What sites said, as the recipe's snapshots have it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Changed`] when a file is not the pinned one, [`Error::Recipe`] when it is too long or has
    /// not the words that the recipe quotes.
    pub fn sites(&self) -> Result<Sites> {
        self.spec().snapshots.iter().map(|spec| self.snapshot(spec)).collect::<Result<Vec<_>>>().map(Sites::new)
    }

    fn snapshot(&self, spec: &SnapshotSpec) -> Result<Snapshot> {
        let toml = &spec.toml;
        let (locator, bytes, digest) = match &spec.pin {
            Some((file, digest)) => (file.clone(), self.pinned(&self.inputs().join(file), *digest)?, *digest),
            None => (toml.url.clone(), Vec::new(), Sha256::of(b"")),
        };
        let quote = toml.raw.clone().unwrap_or_default();
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !plain(&String::from_utf8_lossy(&bytes)).contains(&plain(&quote)) {
            return Err(Error::recipe(self.spec().id.as_str(), format!("`{locator}` does not say `{quote}`")));
        }
        Ok(Snapshot {
            kind: toml.kind,
            url: toml.url.clone(),
            status: toml.status,
            reserved: toml.reserved,
            quote,
            agents: toml.agents.clone(),
            read_at: spec.read_at,
            locator,
            bytes,
            digest,
        })
    }

    fn pinned(&self, path: &Path, expected: Sha256) -> Result<Vec<u8>> {
        let length = std::fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
        if length > MAX_SNAPSHOT {
            let what = format!("`{}` has {length} bytes, and a snapshot at most {MAX_SNAPSHOT}", path.display());
            return Err(Error::recipe(self.spec().id.as_str(), what));
        }
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let found = Sha256::of(&bytes);
        if found == expected {
            return Ok(bytes);
        }
        Err(Error::Changed { id: self.spec().id.to_string(), path: path.to_path_buf(), expected, found })
    }
}

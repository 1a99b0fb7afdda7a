//! Several processes, one corpus: each runs its share of every stage's tasks over one shared folder and waits for the
//! others' commit records. What they were started with must agree, or they would wait for ever: it stands in
//! `work/build.json`, which the first one writes. Knows nothing of stages.

use std::path::Path;

use manifests::digest::Sha256;
use manifests::store::write_atomic;
use serde::{Deserialize, Serialize};

use crate::build::{BUILD, BuildOptions};
use crate::error::{Error, Result};

/// The share of one process: tasks whose number leaves `rank` when divided by `world`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranks {
    rank: usize,
    world: usize,
}

impl Default for Ranks {
    fn default() -> Self {
        Self { rank: 0, world: 1 }
    }
}

impl Ranks {
    /// Process `rank` of `world`.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is no such process.
    pub fn new(rank: usize, world: usize) -> Result<Self> {
        if rank >= world {
            return Err(Error::usage(
                format!("there is no rank {rank} among {world}"),
                "ranks count from 0: give `--rank` 0 to N-1 with `--world` N",
            ));
        }
        Ok(Self { rank, world })
    }

    /// Whether the whole build is this process's.
    #[must_use]
    pub const fn is_alone(self) -> bool {
        self.world == 1
    }

    /// Whether this process does what is done once: it publishes.
    #[must_use]
    pub const fn leads(self) -> bool {
        self.rank == 0
    }

    /// Whether task `n` of a stage is this process's.
    #[must_use]
    pub const fn owns(self, n: usize) -> bool {
        self.owner(n) == self.rank
    }

    /// Whose task `n` of a stage is.
    #[must_use]
    pub const fn owner(self, n: usize) -> usize {
        n % self.world
    }
}

/// What every process of a build was started with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Started {
    world: u64,
    recipe: Sha256,
    build: String,
    gate: Sha256,
    keep_excluded: bool,
}

/// Joins the build in the folder, or begins it: what decides its tasks must be what the others have.
///
/// # Errors
/// [`Error::Usage`] when another build lies in the folder, [`Error::Io`] when it can't be read or written.
pub(crate) fn join(options: &BuildOptions, recipe: Sha256, gate: Sha256) -> Result<()> {
    let path = options.out.join("work").join("build.json");
    let keep_excluded = options.keep_excluded;
    let ours = Started { world: options.ranks.world as u64, recipe, build: BUILD.to_owned(), gate, keep_excluded };
    match read(&path)? {
        None => {
            let folder = options.out.join("work");
            std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
            Ok(write_atomic(&path, &manifests::canonical::to_vec(&ours)?)?)
        }
        Some(theirs) if theirs == ours => Ok(()),
        // One process alone goes on with whatever it had begun: keys of tasks say what still holds.
        Some(theirs) if theirs.world == 1 && ours.world == 1 => {
            Ok(write_atomic(&path, &manifests::canonical::to_vec(&ours)?)?)
        }
        Some(theirs) => Err(Error::usage(
            format!("`{}` holds {}", options.out.display(), difference(&theirs, &ours)),
            "start every rank with the same `--world`, recipe, program, policy, records and `--as-of`, or name another folder",
        )),
    }
}

fn read(path: &Path) -> Result<Option<Started>> {
    match std::fs::read(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(path, e)),
        Ok(bytes) => Ok(Some(manifests::canonical::from_slice("build record", path, &bytes)?)),
    }
}

fn difference(theirs: &Started, ours: &Started) -> String {
    if theirs.world != ours.world {
        format!("a build by {} processes, and this is one of {}", theirs.world, ours.world)
    } else if theirs.recipe != ours.recipe {
        "a build of another recipe".to_owned()
    } else if theirs.build != ours.build {
        "a build by another build of flexmix".to_owned()
    } else if theirs.keep_excluded != ours.keep_excluded {
        "a build with another `--keep-excluded`".to_owned()
    } else {
        "a build under another policy, other records or another date".to_owned()
    }
}

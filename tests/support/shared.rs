//! What is built once in a run of the tests: a corpus, and a model trained from it. nextest runs each test in a process
//! of its own, so the houses lie on disk, by the run's id, and are built under a lock. Nobody changes them.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::files::copy_tree;
use super::house::House;
use super::program::flexmix;

/// Several shards in each set, each of several row groups.
const SHARDS: &str = "\n[shards]\ntokens = 6000\nrow_group_tokens = 2000\n";

/// A model of a few thousand weights, trained in seconds.
pub(crate) const SIZES: &str = r#"min_tokens = 1000
row_documents = 100
prefer = ["code/non-commercial", "notes"]
d_model = 32
layers = 2
heads = 2
d_ff = 64
sequence = 64
top_k = 2

[anchor]
tokens = 16384
batch_tokens = 256
lr = 3e-3
warmup = 8
weight_decay = 0.1
seed = 1

[expert]
tokens = 4096
contrast = 1.0
rank = 4
batch_tokens = 256
lr = 3e-3
row_lr = 4e-3
warmup = 4
row = "separating"
seed = 1
"#;

/// The folder of this run of the tests. Folders of former runs go after an hour.
fn run_folder() -> PathBuf {
    let top = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let id = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
    let own = top.join(format!("run-{id}"));
    fs::create_dir_all(&own).unwrap();
    let is_old = |path: &Path| {
        let age =
            path.metadata().and_then(|m| m.modified()).map(|t| SystemTime::now().duration_since(t).unwrap_or_default());
        age.is_ok_and(|age| age > Duration::from_secs(3600))
    };
    for entry in fs::read_dir(&top).unwrap().flatten() {
        let is_run = entry.file_name().to_string_lossy().starts_with("run-");
        if is_run && entry.path() != own && is_old(&entry.path()) {
            // Another run may clear it at the same time.
            _ = fs::remove_dir_all(entry.path());
        }
    }
    own
}

/// Builds `name` once, whoever comes first, and gives it. What broke off half-way is built anew.
pub(crate) fn once(name: &str, make: impl FnOnce(&House)) -> House {
    let run = run_folder();
    let (whole, half) = (run.join(name), run.join(format!("{name}.half")));
    let lock = File::create(run.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if !whole.is_dir() {
        _ = fs::remove_dir_all(&half);
        fs::create_dir_all(&half).unwrap();
        make(&House::at(half.clone()));
        fs::rename(&half, &whole).unwrap();
    }
    House::at(whole)
}

/// A house with the fixture corpus in `corpus`.
pub(crate) fn corpus() -> House {
    once("corpus", |house| {
        house.furnish(SHARDS);
        house.build(&house.corpus(), &["--threads", "2"]).expect(0);
    })
}

/// The house of [`corpus`] with a plan, its trained jobs, and a merged model in `corpus/models/whole`.
pub(crate) fn model() -> House {
    let before = corpus();
    once("model", |house| {
        copy_tree(&before.path(""), &house.path(""));
        let sizes = house.write("sizes.toml", SIZES);
        let plan = house.plan();
        let mut words: Vec<OsString> = ["train", "plan"].map(Into::into).into();
        words.push(house.corpus().into());
        for policy in ["train", "research", "commercial"] {
            words.extend(["--policy".into(), house.policy(policy).into()]);
        }
        words.extend(["--out".into(), plan.clone().into(), "--sizes".into(), sizes.into()]);
        house.gated(words).expect(0);
        let words: [OsString; 4] = ["train".into(), "launch".into(), plan.into(), "--".into()];
        flexmix(words.into_iter().chain(house.job_words())).expect(0);
        for stamped in house.jobs() {
            let root = stamped.files_root;
            house.grant(&format!("weights-{}", stamped.id), &format!("weights = \"{root}\""), &["serve"], "");
        }
        house.renew_head(2);
        house.merge("whole", &["code-nc", "notes-contract"]).expect(0);
    })
}

/// A finished job.
#[derive(Debug)]
pub(crate) struct Job {
    /// `anchor`, or the expert's id.
    pub id: String,
    /// The identity of its weights.
    pub files_root: String,
}

impl House {
    /// The training plan.
    pub(crate) fn plan(&self) -> PathBuf {
        self.corpus().join("train/plan.toml")
    }

    /// A merged model.
    pub(crate) fn model(&self, name: &str) -> PathBuf {
        self.corpus().join("models").join(name)
    }

    /// What every training job is told.
    pub(crate) fn job_words(&self) -> Vec<OsString> {
        let own = ["--policy".into(), self.policy("train").into(), "--key".into(), self.key("trainer").into()];
        own.into_iter().chain(self.gate()).collect()
    }

    /// The finished jobs, the anchor first.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let names = ["anchor", "code-nc", "notes-contract"];
        let read = |id: &str| {
            let path = self.stamped(id).join("stamp.dsse.json");
            let envelope = manifests::sign::Envelope::read(&path).unwrap();
            let statement =
                manifests::sign::Statement::<manifests::stamp::Stamp>::peek_unverified(&envelope, &path).unwrap();
            Job { id: id.to_owned(), files_root: statement.predicate.files_root.root.to_string() }
        };
        names.map(read).into()
    }

    /// The stamped folder of a job.
    pub(crate) fn stamped(&self, id: &str) -> PathBuf {
        self.corpus().join("train").join(id).join("model")
    }

    /// Merges the anchor and experts into `models/NAME`.
    pub(crate) fn merge(&self, name: &str, experts: &[&str]) -> super::Ended {
        let mut words: Vec<OsString> = vec!["merge".into(), "--anchor".into(), self.stamped("anchor").into()];
        for expert in experts {
            words.extend(["--expert".into(), self.stamped(expert).into()]);
        }
        words.extend(["--out".into(), self.model(name).into(), "--key".into(), self.key("merger").into()]);
        words.extend(["--trust".into(), self.path("trust.toml").into(), "--as-of".into(), super::AS_OF.into()]);
        flexmix(words)
    }
}

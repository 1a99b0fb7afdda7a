//! A throw-away house: keys for every role, a signed trust file, policies that two legal keys signed, elections,
//! grants and a head over them. It does with the real program what its owner would do by hand.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::files::copy_tree;
use super::program::{Ended, flexmix, flexmix_program, quiet};

/// The day of every verdict.
pub(crate) const AS_OF: &str = "2026-12-01";

/// A key's name and role.
const KEYS: [(&str, &str); 9] = [
    ("root", "root"),
    ("owner", "owner"),
    ("builder", "builder"),
    ("legal-1", "legal"),
    ("legal-2", "legal"),
    ("trainer", "trainer"),
    ("merger", "merger"),
    ("withdrawals", "withdrawals"),
    ("head", "head"),
];

/// The house's policies: name, act, purpose, families allowed, properties denied.
const POLICIES: [(&str, &str, &str, &str, &str); 6] = [
    ("build", "build", "research", "\"share-alike\", \"non-commercial\"", "\"no-training\""),
    ("train", "train", "research", "\"share-alike\", \"non-commercial\"", "\"no-training\""),
    ("research", "serve", "research", "\"share-alike\", \"non-commercial\"", "\"no-training\""),
    ("commercial", "serve", "commercial", "\"share-alike\"", "\"non-commercial\", \"no-training\""),
    ("publish", "publish-data", "commercial", "\"share-alike\"", "\"non-commercial\", \"no-training\""),
    ("release", "release-weights", "research", "\"share-alike\", \"non-commercial\"", "\"no-training\""),
];

/// A folder with everything that a corpus needs but its text.
#[derive(Debug)]
pub(crate) struct House {
    root: PathBuf,
    guard: Option<tempfile::TempDir>,
}

impl House {
    /// An empty house at a place of the caller's.
    pub(super) fn at(root: PathBuf) -> Self {
        Self { root, guard: None }
    }

    /// An own copy of a house that others share.
    pub(crate) fn copy(other: &Self) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = guard.path().canonicalize().unwrap();
        copy_tree(&other.root, &root);
        Self { root, guard: Some(guard) }
    }

    /// Whether the house may be changed: it is not one that other tests read.
    fn is_own(&self) -> bool {
        self.guard.is_some()
    }

    /// A path in the house.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A private key.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(format!("{name}.key"))
    }

    /// A policy.
    pub(crate) fn policy(&self, name: &str) -> PathBuf {
        self.root.join("policies").join(format!("{name}.toml"))
    }

    /// The records folder.
    pub(crate) fn records(&self) -> PathBuf {
        self.path("records")
    }

    /// The corpus that the house built.
    pub(crate) fn corpus(&self) -> PathBuf {
        self.path("corpus")
    }

    /// Moves in: keys, trust, policies, recipe and records. `extra` goes to the end of the recipe.
    pub(super) fn furnish(&self, extra: &str) {
        let mut init: Vec<OsString> =
            ["trust", "init", "--demo", "--from", "2026-11-01", "--until", "2027-12-31"].map(Into::into).into();
        init.extend([
            "--out".into(),
            self.path("trust.toml").into(),
            "--root".into(),
            self.path("keys/root.pub").into(),
        ]);
        for (name, role) in KEYS {
            flexmix(["keys".as_ref(), "generate".as_ref(), "--out".as_ref(), self.path("keys").join(name).as_os_str()])
                .expect(0);
            if role != "root" {
                init.extend([
                    "--key".into(),
                    format!("{name}={role}:{}", self.path("keys").join(format!("{name}.pub")).display()).into(),
                ]);
            }
        }
        flexmix(init).expect(0);
        self.sign("trust", &self.path("trust.toml"), &["root"]).expect(0);
        for (name, act, purpose, families, denied) in POLICIES {
            self.write(&format!("policies/{name}.toml"), &policy(name, act, purpose, families, denied));
            self.sign("policy", &self.policy(name), &["legal-1", "legal-2"]).expect(0);
        }
        let recipe = fs::read_to_string(super::fixture().join("recipe.toml")).unwrap();
        self.write("recipe.toml", &(recipe + extra));
        fs::write(self.path("owner.secret"), [7; 32]).unwrap();
        self.elect("widgets", "MIT OR Apache-2.0", "MIT");
        self.grant("notes", "source = \"notes\"", &["build", "train"], NOTES_TERMS);
        self.renew_head(1);
    }

    /// Writes a file of the house.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Signs a file with keys of the house, one after the other; gives how the last one ended.
    pub(crate) fn sign(&self, kind: &str, file: &Path, keys: &[&str]) -> Ended {
        let mut last = None;
        for key in keys {
            let key = self.key(key);
            let mut arguments =
                vec!["sign".as_ref(), kind.as_ref(), file.as_os_str(), "--key".as_ref(), key.as_os_str()];
            let records = self.records();
            if kind == "head" {
                arguments.extend(["--records".as_ref(), records.as_os_str()]);
            }
            last = Some(flexmix(arguments));
        }
        last.unwrap()
    }

    /// Signs an election for a source.
    pub(crate) fn elect(&self, source: &str, expression: &str, branch: &str) {
        let text = format!(
            "schema = \"flexmix/election/v1\"\nid = \"{source}\"\ndemo = true\nexpression = \"{expression}\"\n\
             branch = \"{branch}\"\nsources = [\"{source}\"]\nby = \"legal@fixture.invalid\"\non = {AS_OF}\nreason = \"a test\"\n"
        );
        let file = self.write(&format!("records/elections/{source}.toml"), &text);
        self.sign("election", &file, &["legal-1", "legal-2"]).expect(0);
    }

    /// Signs a grant; `subject` is its TOML, `more` goes to its end.
    pub(crate) fn grant(&self, name: &str, subject: &str, acts: &[&str], more: &str) {
        let text = format!(
            "schema = \"flexmix/grant/v1\"\nid = \"{name}\"\ndemo = true\nsubject = {{ {subject} }}\nowner = \"owner@fixture.invalid\"\n\
             acts = {acts:?}\npurposes = [\"*\"]\nplaces = [\"*\"]\nfrom = 2026-11-01\nuntil = 2027-12-31\n{more}"
        );
        let file = self.write(&format!("records/grants/{name}.toml"), &text);
        self.sign("grant", &file, &["owner"]).expect(0);
    }

    /// Signs a head over the records.
    pub(crate) fn renew_head(&self, sequence: u32) {
        let text = format!(
            "schema = \"flexmix/head/v1\"\ndemo = true\nsequence = {sequence}\nissued = {AS_OF}\nexpires = 2027-06-30\n"
        );
        let file = self.write("head.toml", &text);
        self.sign("head", &file, &["head"]).expect(0);
    }

    /// What every gate is told.
    pub(crate) fn gate(&self) -> Vec<OsString> {
        let (trust, records) = (self.path("trust.toml"), self.records());
        ["--trust".into(), trust.into(), "--records".into(), records.into(), "--as-of".into(), AS_OF.into()].into()
    }

    /// Runs `flexmix WORDS… GATE`.
    pub(crate) fn gated<S: Into<OsString>>(&self, words: impl IntoIterator<Item = S>) -> Ended {
        flexmix(words.into_iter().map(Into::into).chain(self.gate()))
    }

    fn build_words(&self, out: &Path, more: &[&str]) -> Vec<OsString> {
        let inputs = self.path("inputs");
        let inputs = if inputs.is_dir() { inputs } else { super::fixture().join("inputs") };
        let mut words: Vec<OsString> =
            vec!["build".into(), self.path("recipe.toml").into(), "--out".into(), out.into()];
        words.extend(["--key".into(), self.key("builder").into(), "--secret".into(), self.path("owner.secret").into()]);
        words.extend(["--inputs".into(), inputs.into(), "--no-progress".into()]);
        words.into_iter().chain(more.iter().map(Into::into)).chain(self.gate()).collect()
    }

    /// Builds the house's recipe into `out`.
    pub(crate) fn build(&self, out: &Path, more: &[&str]) -> Ended {
        flexmix(self.build_words(out, more))
    }

    /// Builds the house's recipe into `out` with more in the environment.
    pub(crate) fn build_in(&self, out: &Path, more: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = Command::new(flexmix_program());
        Ended::of(quiet(command.args(self.build_words(out, more))).envs(environment.iter().copied()))
    }

    /// Brings the fixture's inputs into the house, where they can be added to.
    pub(crate) fn bring_inputs(&self) {
        copy_tree(&super::fixture().join("inputs"), &self.path("inputs"));
    }

    /// Starts a build that its caller may kill.
    pub(crate) fn start_build(&self, out: &Path, more: &[&str]) -> Child {
        let mut command = Command::new(flexmix_program());
        quiet(command.args(self.build_words(out, more))).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Verifies a folder under the house's trust and records.
    pub(crate) fn verify(&self, folder: &Path) -> Ended {
        self.gated(["verify".as_ref(), folder.as_os_str()])
    }

    /// The rows of a query, each an object by column.
    #[track_caller]
    pub(crate) fn query(&self, folder: &Path, sql: &str) -> Vec<Value> {
        let ended = flexmix(["query".as_ref(), folder.as_os_str(), sql.as_ref(), "--format".as_ref(), "json".as_ref()])
            .expect(0);
        ended.json()["rows"].as_array().unwrap().clone()
    }

    /// The one number that a query gives.
    #[track_caller]
    pub(crate) fn number(&self, folder: &Path, sql: &str) -> u64 {
        let rows = self.query(folder, sql);
        let value = rows[0].as_object().unwrap().values().next().unwrap().clone();
        value.as_u64().unwrap_or_else(|| panic!("{sql}: {value} is no number"))
    }

    /// Text without what differs from run to run: this house's path.
    pub(crate) fn tidy(&self, text: &str) -> String {
        assert!(self.is_own(), "a shared house's words depend on where it is");
        text.replace(&self.root.display().to_string(), "HOUSE")
    }
}

/// What the grant for the closed notes says beside its acts.
pub(crate) const NOTES_TERMS: &str =
    "contract = \"FIXTURE-1\"\n\n[[terms]]\nid = \"LicenseRef-FIXTURE-notes\"\nproperties = [\"notice\"]\n";

/// A policy's text.
fn policy(name: &str, act: &str, purpose: &str, families: &str, denied: &str) -> String {
    format!(
        r#"schema = "flexmix/policy/v1"
id = "fixture-{name}"
version = 1
demo = true
owner = "legal@fixture.invalid"
valid = {{ from = 2026-11-01, until = 2027-12-31 }}
default = "deny"

[use]
act = "{act}"
purpose = "{purpose}"
places = ["US"]

[state]
none-found = "deny"
contradicted = "review"
unparseable = "deny"
unreviewed-terms = "deny"

[allow]
families = ["permissive", {families}]
ids = ["LicenseRef-FIXTURE-notes"]
bases = ["license", "contract"]

[deny]
properties = [{denied}]

[duties]
attribution = {{ deliver = "notice-file", cover = "every-document" }}
share-alike = {{ deliver = "answer-flag" }}

[trust]
assurance = "claimed"
head_max_age = "30d"
undecided_withdrawal = "exclude"
"#
    )
}

//! The gate over real signed files: who must sign what, withdrawals, exceptions, grants, and rollbacks.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;
use crate::conclusion::State;
use crate::exposure::{CellCount, Kind};
use crate::license::{Expression, Property};
use crate::policy::TermsSource;
use crate::record::{ExceptionRecord, Grant, GrantedTerms, Head, Withdrawal, WithdrawalKind, WithdrawalTarget};
use crate::records::{HEAD_FILE, Listing};
use crate::sign::{Envelope, PrivateKey, Record, Statement};
use crate::trust::{TRUST_TYPE, TrustFile, TrustedKey};

pub(super) const AS_OF: &str = "2026-12-03";

/// A throw-away world: keys, trust, a policy, records and a head.
pub(super) struct World {
    folder: tempfile::TempDir,
    keys: BTreeMap<&'static str, PrivateKey>,
    sequence: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let names = ["root", "owner", "legal-1", "legal-2", "withdrawals", "head"];
        let keys = names.map(|n| (n, PrivateKey::generate().unwrap())).into();
        let mut world = Self { folder: tempfile::tempdir().unwrap(), keys, sequence: 0 };
        std::fs::create_dir(world.records()).unwrap();
        let key = |name: &&str| TrustedKey {
            name: (*name).to_owned(),
            roles: [serde_json::from_value(name.trim_end_matches("-1").trim_end_matches("-2").into()).unwrap()].into(),
            scope: ["*".to_owned()].into(),
            from: "2026-01-01".parse().unwrap(),
            until: "2027-12-31".parse().unwrap(),
            pem: world.keys[name].public().to_pem().unwrap(),
        };
        let file = TrustFile {
            schema: TrustFile::SCHEMA.into(),
            version: 1,
            demo: true,
            keys: names.iter().map(key).collect(),
            former_roots: vec![],
            compromised: vec![],
        };
        world.exact("trust.toml", &toml::to_string(&file).unwrap(), TRUST_TYPE, &["root"]);
        world.exact("policy.toml", include_str!("../../policy/example.toml"), POLICY_TYPE, &["legal-1", "legal-2"]);
        world.head();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn records(&self) -> PathBuf {
        self.path("records")
    }

    fn exact(&self, name: &str, text: &str, kind: &str, signers: &[&str]) {
        std::fs::write(self.path(name), text).unwrap();
        let mut envelope = Envelope::sign(kind, text.as_bytes().to_vec(), &self.keys[signers[0]]);
        signers[1..].iter().for_each(|s| envelope.add_signature(&self.keys[s]));
        envelope.write(&envelope_path(&self.path(name))).unwrap();
    }

    fn record<T: Record>(&mut self, name: &str, record: T, signers: &[&str]) {
        self.record_only(name, record, signers);
        self.head();
    }

    fn record_only<T: Record>(&self, name: &str, record: T, signers: &[&str]) {
        let mut envelope = Statement::about_itself(name, record).unwrap().sign(&self.keys[signers[0]]).unwrap();
        signers[1..].iter().for_each(|s| envelope.add_signature(&self.keys[s]));
        envelope.write(&self.records().join(format!("{name}.dsse.json"))).unwrap();
    }

    fn head(&mut self) {
        self.sequence += 1;
        let listing = Listing::of(&self.records()).unwrap();
        let head = Head {
            schema: Head::schema(),
            demo: true,
            sequence: self.sequence,
            issued: "2026-12-01".parse().unwrap(),
            expires: "2026-12-31".parse().unwrap(),
            root: listing.root,
            withdrawals: listing.withdrawals,
        };
        let envelope = Statement::about_itself("head", head).unwrap().sign(&self.keys["head"]).unwrap();
        envelope.write(&self.records().join(HEAD_FILE)).unwrap();
    }

    pub(super) fn open(&self) -> Result<Gate> {
        self.open_on(AS_OF)
    }

    fn open_on(&self, day: &str) -> Result<Gate> {
        Gate::open(&self.options(day))
    }

    pub(super) fn options(&self, day: &str) -> GateOptions {
        GateOptions {
            policy: self.path("policy.toml"),
            trust: Some(self.path("trust.toml")),
            records: self.records(),
            as_of: day.parse().unwrap(),
            act: Act::Serve,
            memory: Memory::Off,
        }
    }
}

fn cell(expression: &str, sources: &[&str]) -> Cell {
    Cell {
        expression: expression.parse().ok(),
        state: State::Concluded,
        basis: Some(Basis::License),
        election: None,
        sources: sources.iter().map(|s| s.parse().unwrap()).collect(),
        rightsholders: BTreeSet::new(),
        optouts: BTreeMap::new(),
    }
}

fn exposure(cell: Cell) -> Exposure {
    let count = CellCount { cell, evidence: None, documents: Some(3), tokens: Some(900) };
    Exposure::open(Kind::Gradient, "news".parse().unwrap(), Sha256::of(b"manifest"), vec![count])
}

fn withdrawal(target: WithdrawalTarget) -> Withdrawal {
    Withdrawal {
        schema: Withdrawal::schema(),
        id: "W-1".into(),
        demo: true,
        kind: WithdrawalKind::ContractEnd,
        target,
        effective: "2026-12-02".parse().unwrap(),
        learned: "2026-12-02".parse().unwrap(),
        reason: "asked".into(),
        untouched: BTreeSet::new(),
    }
}

fn refusal(result: Result<Gate>) -> String {
    let error = result.unwrap_err();
    assert!(error.is_verification(), "{error}");
    error.to_string()
}

#[test]
fn a_whole_world_opens() {
    let gate = World::new().open().unwrap();
    assert!(gate.cell(&cell("MIT", &["a"])).is_permitted());
}

#[test]
fn one_legal_key_or_one_key_twice_is_not_two() {
    let world = World::new();
    let text = include_str!("../../policy/example.toml");
    for signers in [&["legal-1"][..], &["legal-1", "legal-1"], &["legal-1", "owner"]] {
        world.exact("policy.toml", text, POLICY_TYPE, signers);
        assert!(refusal(world.open()).contains("legal"));
    }
}

#[test]
fn a_changed_policy_no_trust_and_a_forged_trust_are_refused() {
    let world = World::new();
    let text = include_str!("../../policy/example.toml");
    std::fs::write(world.path("policy.toml"), text.replace("purpose = \"commercial\"", "purpose = \"research\""))
        .unwrap();
    assert!(refusal(world.open()).contains("policy.toml"));

    let world = World::new();
    std::fs::remove_file(world.path("trust.toml.dsse.json")).unwrap();
    assert!(world.open().is_err());

    let mut world = World::new();
    let trust = std::fs::read_to_string(world.path("trust.toml")).unwrap();
    world.keys.insert("mallory", PrivateKey::generate().unwrap());
    world.exact("trust.toml", &trust, TRUST_TYPE, &["mallory"]);
    assert!(refusal(world.open()).contains("root"));
}

#[test]
fn records_added_removed_or_rolled_back_after_the_head_are_refused() {
    let mut world = World::new();
    let old = std::fs::read(world.records().join(HEAD_FILE)).unwrap();
    let target = WithdrawalTarget::Source("a".parse().unwrap());
    world.record_only("w", withdrawal(target), &["withdrawals"]);
    assert!(refusal(world.open()).contains("records-changed"));
    world.head();
    assert!(world.open().is_ok());
    let new = std::fs::read(world.records().join(HEAD_FILE)).unwrap();
    std::fs::write(world.records().join(HEAD_FILE), old).unwrap();
    assert!(refusal(world.open()).contains("records-changed"));
    std::fs::write(world.records().join(HEAD_FILE), new).unwrap();
    std::fs::remove_file(world.records().join("w.dsse.json")).unwrap();
    assert!(refusal(world.open()).contains("records-changed"));
}

#[test]
fn a_head_that_is_missing_expired_or_too_old_is_refused() {
    let world = World::new();
    assert!(refusal(world.open_on("2026-12-20")).contains("days old"));
    assert!(refusal(world.open_on("2027-01-05")).contains("head-expired"));
    std::fs::remove_file(world.records().join(HEAD_FILE)).unwrap();
    assert!(refusal(world.open()).contains("head-missing"));
}

#[test]
fn a_record_signed_by_the_wrong_role_refuses_the_folder() {
    let mut world = World::new();
    world.record("w", withdrawal(WithdrawalTarget::Source("a".parse().unwrap())), &["owner"]);
    assert!(refusal(world.open()).contains("withdrawals"));
}

#[test]
fn a_withdrawn_source_frees_its_twin() {
    let mut world = World::new();
    world.record("w", withdrawal(WithdrawalTarget::Source("a".parse().unwrap())), &["withdrawals"]);
    let gate = world.open().unwrap();
    let reasons = |sources: &[&str]| -> Vec<Reason> {
        gate.cell(&cell("MIT", sources)).denials.iter().map(|d| d.reason).collect()
    };
    assert_eq!(reasons(&["a"]), [Reason::SourceWithdrawn]);
    assert_eq!(reasons(&["a", "b"]), []);
}

#[test]
fn a_withdrawal_excludes_a_closed_set_until_its_owner_says() {
    let mut world = World::new();
    let mut record = withdrawal(WithdrawalTarget::Source("a".parse().unwrap()));
    let counts = exposure(cell("MIT", &["a"])).cells;
    let closed = Exposure::closed(Kind::Gradient, "news".parse().unwrap(), Sha256::of(b"public"), &counts);
    // The example policy has rules by source, which no closed cell can pass.
    let text = include_str!("../../policy/example.toml")
        .replace("sources = [\"forum.example\"]\n", "")
        .replace("rightsholders = [\"https://ror.org/012345678\"]\n", "");
    world.exact("policy.toml", &text, POLICY_TYPE, &["legal-1", "legal-2"]);
    world.record("w", record.clone(), &["withdrawals"]);
    let decision = world.open().unwrap().exposures(Sha256::of(b"weights"), std::slice::from_ref(&closed));
    assert_eq!(decision.findings[0].denial.reason, Reason::UndecidedWithdrawal);
    record.untouched.insert(Sha256::of(b"public"));
    world.record("w", record, &["withdrawals"]);
    let decision = world.open().unwrap().exposures(Sha256::of(b"weights"), &[closed]);
    assert_eq!(decision.findings[0].denial.reason, Reason::UndecidedWithdrawal, "the desk cannot say so");
}

#[test]
fn an_exception_lifts_one_rule_of_one_artifact_up_to_its_ceiling_and_never_a_withdrawal() {
    let mut world = World::new();
    let subject = Sha256::of(b"weights");
    let unknown = exposure(Cell { state: State::NoneFound, expression: None, basis: None, ..cell("MIT", &["a"]) });
    let exception = |max_tokens| ExceptionRecord {
        schema: ExceptionRecord::schema(),
        id: "E-1".into(),
        demo: true,
        subject,
        rule: "state.none-found".into(),
        max_tokens,
        reason: "consent".into(),
        owner: "legal".into(),
        expires: AS_OF.parse().unwrap(),
    };
    world.record("e", exception(900), &["legal-1", "legal-2"]);
    let gate = world.open().unwrap();
    assert!(gate.exposures(subject, std::slice::from_ref(&unknown)).is_admitted());
    assert!(!gate.exposures(Sha256::of(b"other"), std::slice::from_ref(&unknown)).is_admitted());
    world.record("e", exception(899), &["legal-1", "legal-2"]);
    assert!(!world.open().unwrap().exposures(subject, std::slice::from_ref(&unknown)).is_admitted());
    world.record("e", exception(900), &["legal-1", "legal-2"]);
    world.record("w", withdrawal(WithdrawalTarget::Source("a".parse().unwrap())), &["withdrawals"]);
    assert!(!world.open().unwrap().exposures(subject, &[unknown]).is_admitted());
}

#[test]
fn a_ceiling_tests_the_upper_bound_of_a_closed_set() {
    let mut world = World::new();
    let text = include_str!("../../policy/example.toml")
        .replace("sources = [\"forum.example\"]\n", "")
        .replace("rightsholders = [\"https://ror.org/012345678\"]\n", "");
    world.exact("policy.toml", &text, POLICY_TYPE, &["legal-1", "legal-2"]);
    let subject = Sha256::of(b"weights");
    let silent = exposure(Cell { state: State::NoneFound, expression: None, basis: None, ..cell("MIT", &["a"]) });
    // 900 tokens, of which outside only the decade is known.
    let closed = [Exposure::closed(Kind::Gradient, silent.set, Sha256::of(b"public"), &silent.cells)];
    for (max_tokens, admitted) in [(900, false), (999, false), (1000, true)] {
        let exception = ExceptionRecord {
            schema: ExceptionRecord::schema(),
            id: "E-1".into(),
            demo: true,
            subject,
            rule: "state.none-found".into(),
            max_tokens,
            reason: "consent".into(),
            owner: "legal".into(),
            expires: AS_OF.parse().unwrap(),
        };
        world.record("e", exception, &["legal-1", "legal-2"]);
        assert_eq!(world.open().unwrap().exposures(subject, &closed).is_admitted(), admitted, "{max_tokens}");
    }
}

#[test]
fn weights_need_a_grant_that_covers_act_purpose_places_and_day() {
    let mut world = World::new();
    let root = Sha256::of(b"weights");
    let grant = |purposes: &str, until: &str| Grant {
        schema: Grant::schema(),
        id: "G-1".into(),
        demo: true,
        subject: GrantSubject::Weights(root),
        owner: "owner".into(),
        acts: [Act::Serve].into(),
        purposes: [purposes.to_owned()].into(),
        places: ["*".to_owned()].into(),
        from: "2026-12-01".parse().unwrap(),
        until: until.parse().unwrap(),
        contract: None,
        terms: vec![],
    };
    let used = [exposure(cell("MIT", &["a"]))];
    let admitted = |world: &World| world.open().unwrap().weights(root, Assurance::Claimed, &used).is_admitted();
    assert!(!admitted(&world));
    world.record("g", grant("research", "2026-12-31"), &["owner"]);
    assert!(!admitted(&world));
    world.record("g", grant("commercial", "2026-12-02"), &["owner"]);
    assert!(!admitted(&world));
    world.record("g", grant("commercial", AS_OF), &["owner"]);
    assert!(admitted(&world));
    assert!(!world.open().unwrap().weights(root, Assurance::Imported, &used).is_admitted());
}

#[test]
fn an_exception_for_a_state_lifts_no_denied_source_with_it() {
    let mut world = World::new();
    let subject = Sha256::of(b"weights");
    let record = ExceptionRecord {
        schema: ExceptionRecord::schema(),
        id: "E-1".into(),
        demo: true,
        subject,
        rule: "state.none-found".into(),
        max_tokens: 10_000,
        reason: "consent".into(),
        owner: "legal".into(),
        expires: AS_OF.parse().unwrap(),
    };
    world.record("e", record, &["legal-1", "legal-2"]);
    let silent = |source| Cell { state: State::NoneFound, expression: None, basis: None, ..cell("MIT", &[source]) };
    let gate = world.open().unwrap();
    assert!(gate.exposures(subject, &[exposure(silent("a"))]).is_admitted());
    assert!(!gate.exposures(subject, &[exposure(silent("forum.example"))]).is_admitted());
}

fn contract_grant(source: &str, properties: &[Property]) -> Grant {
    Grant {
        schema: Grant::schema(),
        id: format!("G-{source}"),
        demo: true,
        subject: GrantSubject::Source(source.parse().unwrap()),
        owner: "owner".into(),
        acts: [Act::Serve].into(),
        purposes: ["research".to_owned()].into(),
        places: ["*".to_owned()].into(),
        from: "2026-12-01".parse().unwrap(),
        until: "2026-12-31".parse().unwrap(),
        contract: Some("C-A".into()),
        terms: vec![GrantedTerms {
            id: "LicenseRef-a".parse().unwrap(),
            properties: properties.iter().copied().collect(),
        }],
    }
}

#[test]
fn terms_that_several_grants_define_add_up() {
    let mut world = World::new();
    world.record("a", contract_grant("a", &[Property::NonCommercial]), &["owner"]);
    world.record("b", contract_grant("b", &[]), &["owner"]);
    let records = world.open().unwrap().records;
    let expression: Expression = "LicenseRef-a".parse().unwrap();
    let leaf = expression.leaves().into_iter().next().unwrap().clone();
    assert_eq!(records.properties(&leaf), Some([Property::NonCommercial].into()));
}

#[test]
fn a_contract_for_research_is_never_commercial_whoever_else_grants_it() {
    let mut world = World::new();
    world.record("a", contract_grant("a", &[]), &["owner"]);
    let other = Grant { purposes: ["*".to_owned()].into(), ..contract_grant("b", &[]) };
    world.record("b", other, &["owner"]);
    let gate = world.open().unwrap();
    let under = |source| Cell { basis: Some(Basis::Contract("C-A".into())), ..cell("MIT", &[source]) };
    let reasons: Vec<Reason> = gate.cell(&under("a")).denials.iter().map(|d| d.reason).collect();
    assert_eq!(reasons, [Reason::CeilingExceeded]);
    assert!(gate.cell(&under("b")).is_permitted());
}

#[test]
fn paths_are_named_in_refusals() {
    assert!(Path::new(&World::new().path("x")).is_absolute());
    let world = World::new();
    std::fs::remove_file(world.path("policy.toml.dsse.json")).unwrap();
    assert!(world.open().unwrap_err().to_string().contains("policy.toml.dsse.json"));
}

//! What lifts, answers, kinds, decisions and releases do at the gate.

use super::*;
use crate::conclusion::{conclude_cluster_with, conclude_with};
use crate::license::Property;
use crate::record::{Decision, DecisionSubject, ExceptionRecord, Grant, GrantedTerms, Impact, Lift, Outcome, Release};

fn source_withdrawal() -> Withdrawal {
    withdrawal(WithdrawalTarget::Source("a".parse().unwrap()))
}

fn identity<T: Record>(name: &str, record: T) -> Sha256 {
    Statement::about_itself(name, record).unwrap().payload_digest().unwrap()
}

fn denials(gate: &Gate) -> Vec<Reason> {
    gate.cell(&cell("MIT", &["a"])).denials.iter().map(|d| d.reason).collect()
}

#[test]
fn two_legal_keys_lift_a_withdrawal_from_a_day_on() {
    let mut world = World::new();
    world.record("w", source_withdrawal(), &["withdrawals"]);
    let lift = |effective: &str, withdrawal| Lift {
        schema: Lift::schema(),
        id: "L-1".into(),
        demo: true,
        withdrawal,
        effective: effective.parse().unwrap(),
        by: "legal".into(),
        reason: "the contract was renewed".into(),
    };
    let right = identity("w", source_withdrawal());
    world.record("l", lift(AS_OF, right), &["legal-1"]);
    assert!(refusal(world.open()).contains("needs 2 distinct keys"));
    world.record("l", lift(AS_OF, right), &["withdrawals", "legal-1"]);
    assert!(refusal(world.open()).contains("needs 2 distinct keys"), "another role's key counts for nothing");
    world.record("l", lift("2026-12-04", right), &["legal-1", "legal-2"]);
    assert_eq!(denials(&world.open().unwrap()), [Reason::SourceWithdrawn]);
    world.record("l", lift(AS_OF, right), &["legal-1", "legal-2"]);
    let gate = world.open().unwrap();
    assert_eq!((denials(&gate), gate.records.lifted.len()), (vec![], 1));
    world.record("l", lift(AS_OF, Sha256::of(b"another")), &["legal-1", "legal-2"]);
    assert!(refusal(world.open()).contains("no such withdrawal"));
}

#[test]
fn an_opt_out_looks_forward_only_and_every_other_kind_does_not() {
    for kind in [
        WithdrawalKind::OptOut,
        WithdrawalKind::ContractEnd,
        WithdrawalKind::WrongLicense,
        WithdrawalKind::Erasure,
        WithdrawalKind::CourtOrder,
    ] {
        let record = Withdrawal { kind, ..source_withdrawal() };
        let forbidden: Vec<Act> = [Act::Build, Act::Train, Act::PublishData, Act::Serve, Act::ReleaseWeights]
            .into_iter()
            .filter(|act| record.forbids(*act))
            .collect();
        let expected = if kind == WithdrawalKind::OptOut { 3 } else { 5 };
        assert_eq!(forbidden.len(), expected, "{kind:?}");
        let mut world = World::new();
        world.record("w", record, &["withdrawals"]);
        // The example policy serves.
        assert_eq!(denials(&world.open().unwrap()).is_empty(), kind == WithdrawalKind::OptOut, "{kind:?}");
    }
}

#[test]
fn a_withdrawal_acts_from_its_effective_day_whenever_it_was_learned() {
    let mut world = World::new();
    let on = |effective: &str, learned: &str| Withdrawal {
        effective: effective.parse().unwrap(),
        learned: learned.parse().unwrap(),
        ..source_withdrawal()
    };
    world.record("w", on("2026-12-04", "2026-12-01"), &["withdrawals"]);
    assert_eq!(denials(&world.open().unwrap()), []);
    world.record("w", on("2026-11-01", "2026-12-02"), &["withdrawals"]);
    assert_eq!(denials(&world.open().unwrap()), [Reason::SourceWithdrawn]);
}

#[test]
fn a_withdrawn_license_takes_every_expression_that_names_it() {
    let mut world = World::new();
    world.record("w", withdrawal(WithdrawalTarget::License("MIT".parse().unwrap())), &["withdrawals"]);
    let gate = world.open().unwrap();
    let hit =
        |terms: &str| gate.cell(&cell(terms, &["a"])).denials.iter().any(|d| d.reason == Reason::LicenseWithdrawn);
    assert!(hit("MIT") && hit("MIT AND CC-BY-4.0") && hit("Apache-2.0 OR MIT"));
    assert!(!hit("Apache-2.0") && !hit("MIT-0"));
}

#[test]
fn an_owner_answers_for_a_closed_set() {
    let mut world = World::new();
    let counts = exposure(cell("MIT", &["a"])).cells;
    let public = Sha256::of(b"public");
    let closed = Exposure::closed(Kind::Gradient, "news".parse().unwrap(), public, &counts);
    let text = include_str!("../../policy/example.toml")
        .replace("sources = [\"forum.example\"]\n", "")
        .replace("rightsholders = [\"https://ror.org/012345678\"]\n", "");
    world.exact("policy.toml", &text, POLICY_TYPE, &["legal-1", "legal-2"]);
    world.record("w", source_withdrawal(), &["withdrawals"]);
    let answer = |touched| Impact {
        schema: Impact::schema(),
        id: "I-1".into(),
        demo: true,
        withdrawal: identity("w", source_withdrawal()),
        set: "news".parse().unwrap(),
        manifests: [public].into(),
        touched,
        owner: "the press".into(),
        on: AS_OF.parse().unwrap(),
    };
    let reasons = |world: &World| -> Vec<Reason> {
        let decision = world.open().unwrap().exposures(Sha256::of(b"weights"), std::slice::from_ref(&closed));
        decision.findings.iter().map(|f| f.denial.reason).collect()
    };
    assert_eq!(reasons(&world), [Reason::UndecidedWithdrawal]);
    world.record("i", answer(true), &["owner"]);
    assert_eq!(reasons(&world), [Reason::SourceWithdrawn]);
    world.record("i", answer(false), &["owner"]);
    assert_eq!(reasons(&world), []);
    // The owner of another set names this set's manifest: that says nothing of it.
    world.record("i", Impact { set: "code".parse().unwrap(), ..answer(false) }, &["owner"]);
    assert_eq!(reasons(&world), [Reason::UndecidedWithdrawal]);
    world.record("i", answer(false), &["legal-1", "legal-2"]);
    assert!(refusal(world.open()).contains("role `owner`"));
}

#[test]
fn a_released_set_has_one_current_manifest() {
    let mut world = World::new();
    world.keys.insert("builder", PrivateKey::generate().unwrap());
    let trust = std::fs::read_to_string(world.path("trust.toml")).unwrap();
    let mut file: TrustFile = toml::from_str(&trust).unwrap();
    file.keys.push(TrustedKey {
        name: "builder".into(),
        roles: [Role::Builder].into(),
        scope: ["news".to_owned()].into(),
        pem: world.keys["builder"].public().to_pem().unwrap(),
        ..file.keys[0].clone()
    });
    world.exact("trust.toml", &toml::to_string(&file).unwrap(), TRUST_TYPE, &["root"]);
    let release = |set: &str, sequence, manifest: &[u8]| Release {
        schema: Release::schema(),
        id: format!("R-{sequence}"),
        demo: true,
        corpus: "mix".into(),
        set: set.parse().unwrap(),
        sequence,
        manifests: [Sha256::of(manifest)].into(),
    };
    let current = |world: &World, manifest: &[u8]| {
        let gate = world.open().unwrap();
        gate.current("mix", &"news".parse().unwrap(), Sha256::of(manifest)).map(|d| d.reason)
    };
    assert_eq!(current(&world, b"old"), None, "a set that was never released has any manifest");
    world.record("r1", release("news", 1, b"old"), &["builder"]);
    assert_eq!(current(&world, b"old"), None);
    world.record("r2", release("news", 2, b"new"), &["builder"]);
    assert_eq!(current(&world, b"old"), Some(Reason::ManifestSuperseded));
    assert_eq!(current(&world, b"new"), None);
    world.record("r3", release("code", 3, b"x"), &["builder"]);
    assert!(refusal(world.open()).contains("FM-T-003"), "the key is for the set `news` alone");
}

fn decision(id: &str, subject: DecisionSubject, outcome: Outcome) -> Decision {
    Decision {
        schema: Decision::schema(),
        id: id.into(),
        demo: true,
        subject,
        outcome,
        by: "Ann".into(),
        on: AS_OF.parse().unwrap(),
        reason: "read the letter".into(),
    }
}

#[test]
fn a_decision_on_bytes_stands_in_the_place_of_what_they_say() {
    use crate::claim::{Claim, Scope, Speaker, Statement};
    let claim = |expression: Option<&str>| Claim {
        speaker: Speaker::Rightsholder,
        scope: Scope::Work,
        statement: Statement::License { expression: expression.map(str::to_owned) },
        raw: "free for all good people".into(),
        locator: "LICENSE:1".into(),
        digest: Sha256::of(b"license"),
        date: None,
    };
    let on = |digest: &[u8], outcome| decision("D-1", DecisionSubject::Claim(Sha256::of(digest)), outcome);
    let mit = || Outcome::Terms("MIT".parse().unwrap());
    assert_eq!(conclude_with(&[claim(None)], &[on(b"another", mit())]).state, State::Unparseable);
    let decided = conclude_with(&[claim(None)], &[on(b"license", mit())]);
    assert_eq!((decided.state, decided.expression), (State::Concluded, "MIT".parse().ok()));
    assert!(decided.notes[0].contains("decided by Ann"), "{:?}", decided.notes);
    let pending = conclude_with(&[claim(Some("MIT"))], &[on(b"license", Outcome::Pending)]);
    assert_eq!((pending.state, pending.expression), (State::Pending, None));
    let both = [on(b"license", mit()), on(b"license", Outcome::Terms("ISC".parse().unwrap()))];
    assert_eq!(conclude_with(&[claim(None)], &both).state, State::Contradicted);
}

#[test]
fn a_decision_on_a_text_stands_wherever_it_lies() {
    let text = Sha256::of(b"text");
    let nothing = [conclude_with(&[], &[])];
    let on = |outcome| [decision("D-1", DecisionSubject::Text(text), outcome)];
    let dedicated = on(Outcome::PublicDomain(["US".to_owned()].into()));
    let decided = conclude_cluster_with(&nothing, text, &dedicated);
    assert_eq!(decided.basis.unwrap().to_string(), "public-domain:US");
    assert_eq!(decided.evidence.as_deref(), Some("decision D-1"));
    assert_eq!(conclude_cluster_with(&nothing, Sha256::of(b"other"), &dedicated).state, State::NoneFound);
    assert_eq!(conclude_cluster_with(&nothing, text, &on(Outcome::Pending)).state, State::Pending);
}

#[test]
fn a_withdrawn_work_that_nobody_looked_for_keeps_out_everything() {
    let mut world = World::new();
    let used = exposure(cell("MIT", &["a"]));
    let reasons = |world: &World| -> Vec<Reason> {
        let decision = world.open().unwrap().exposures(Sha256::of(b"weights"), std::slice::from_ref(&used));
        decision.findings.iter().map(|f| f.denial.reason).collect()
    };
    let work = |held_by: &[Sha256]| {
        let held_by = held_by.iter().copied().collect();
        withdrawal(WithdrawalTarget::Work { text: Sha256::of(b"text"), held_by })
    };
    world.record("w", work(&[]), &["withdrawals"]);
    assert_eq!(reasons(&world), [Reason::UndecidedWithdrawal]);
    world.record("w", work(&[used.manifest]), &["withdrawals"]);
    assert_eq!(reasons(&world), [Reason::WorkWithdrawn]);
    world.record("w", work(&[Sha256::of(b"another")]), &["withdrawals"]);
    assert_eq!(reasons(&world), []);
    let looked = Withdrawal { untouched: [used.manifest].into(), ..work(&[]) };
    world.record("w", looked, &["withdrawals"]);
    assert_eq!(reasons(&world), []);
}

#[test]
fn no_exception_lifts_the_ceiling_or_what_was_never_granted() {
    let mut world = World::new();
    let subject = Sha256::of(b"weights");
    let research = Cell { basis: Some(Basis::Contract("C-1".into())), ..cell("MIT", &["a"]) };
    let exception = |rule: &str| ExceptionRecord {
        schema: ExceptionRecord::schema(),
        id: "E-1".into(),
        demo: true,
        subject,
        rule: rule.into(),
        max_tokens: 1_000_000,
        reason: "we would like to".into(),
        owner: "legal".into(),
        expires: AS_OF.parse().unwrap(),
    };
    for rule in Reason::ALL.iter().filter(|r| !r.may_be_lifted()).map(|r| r.name()).chain(["valid", "use.act"]) {
        world.record("e", exception(rule), &["legal-1", "legal-2"]);
        let decision = world.open().unwrap().exposures(subject, &[exposure(research.clone())]);
        let left: Vec<Reason> = decision.findings.iter().map(|f| f.denial.reason).collect();
        assert_eq!(left, [Reason::CeilingExceeded], "{rule}");
    }
}

#[test]
fn another_owner_neither_grants_nor_defines_what_is_not_its_own() {
    let mut world = World::new();
    let grant = |id: &str, source: &str, purpose: &str, terms: &[Property]| Grant {
        schema: Grant::schema(),
        id: id.into(),
        demo: true,
        subject: GrantSubject::Source(source.parse().unwrap()),
        owner: source.into(),
        acts: [Act::Build, Act::Train, Act::Serve].into(),
        purposes: [purpose.to_owned()].into(),
        places: ["*".to_owned()].into(),
        from: "2026-01-01".parse().unwrap(),
        until: "2027-12-31".parse().unwrap(),
        contract: Some("C-1".into()),
        terms: vec![GrantedTerms { id: "LicenseRef-x".parse().unwrap(), properties: terms.iter().copied().collect() }],
    };
    let hidden = Cell { basis: Some(Basis::Contract("C-1".into())), ..cell("LicenseRef-x", &[]) };
    let known = Cell { basis: Some(Basis::License), ..cell("LicenseRef-x", &["a"]) };
    let reasons = |world: &World, cell: &Cell| -> BTreeSet<Reason> {
        world.open().unwrap().cell(cell).denials.iter().map(|d| d.reason).collect()
    };
    // Owner b defines a's id as asking for nothing, and lets everybody use the contract that a granted for research.
    world.record("b", grant("b", "b", "*", &[]), &["owner"]);
    assert!(reasons(&world, &known).contains(&Reason::UnreviewedTerms));
    world.record("a", grant("a", "a", "research", &[Property::NonCommercial]), &["owner"]);
    let hit = reasons(&world, &hidden);
    assert!(hit.contains(&Reason::CeilingExceeded) && hit.contains(&Reason::LicenseDenied), "{hit:?}");
    assert!(reasons(&world, &known).contains(&Reason::LicenseDenied));
}

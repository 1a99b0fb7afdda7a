//! The three gates are one evaluator: for the same cell the acts `build`, `train` and `serve` get the same verdict under
//! policies that differ in nothing but the act, and an artifact's verdict is its cells' verdicts and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::tests::{AS_OF, World};
use super::*;
use crate::conclusion::State;
use crate::exposure::{CellCount, Kind};
use crate::policy::Policy;

const ACTS: [Act; 3] = [Act::Build, Act::Train, Act::Serve];

/// The example policy, for an act.
fn under(act: Act) -> Gate {
    let mut gate = World::new().open().unwrap();
    let text = include_str!("../policy/example.toml");
    let text = text.replace("act = \"serve\"", &format!("act = \"{}\"", act.as_str()));
    gate.policy = Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap();
    gate.act = act;
    gate
}

fn any_cell() -> impl Strategy<Value = Cell> {
    const IDS: [&str; 5] = ["MIT", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "AGPL-3.0-only", "LicenseRef-nobody-reviewed"];
    const STATES: [State; 4] = [State::Concluded, State::Concluded, State::NoneFound, State::Contradicted];
    const BASES: [&str; 4] = ["license", "public-domain:US", "public-domain:*", "tdm-art4"];
    let origin =
        (subsequence(&["forum.example", "b"][..], 1..3), subsequence(&["https://ror.org/012345678", "y"][..], 0..3));
    (subsequence(&IDS[..], 1..3), select(&STATES[..]), select(&BASES[..]), origin).prop_map(
        |(ids, state, basis, origin)| Cell {
            expression: ids.join(" OR ").parse().ok(),
            state,
            basis: basis.parse().ok(),
            election: ids.first().and_then(|id| id.parse().ok()).filter(|_| ids.len() > 1),
            sources: origin.0.iter().map(|s| s.parse().unwrap()).collect(),
            rightsholders: origin.1.iter().map(|s| (*s).to_owned()).collect(),
            optouts: BTreeMap::new(),
        },
    )
}

fn one_exposure(cells: &BTreeSet<Cell>) -> Exposure {
    let count = |cell: &Cell| CellCount { cell: cell.clone(), evidence: None, documents: Some(1), tokens: Some(1) };
    Exposure::open(Kind::Gradient, "news".parse().unwrap(), Sha256::of(b"m"), cells.iter().map(count).collect())
}

/// What is denied about cells: weights are also asked for a grant and an assurance, which no cell has.
fn about_cells(decision: &Decision) -> BTreeSet<Denial> {
    let own = |f: &&Finding| f.tokens.is_some();
    decision.findings.iter().filter(own).map(|f| f.denial.clone()).collect()
}

#[test]
fn the_three_gates_give_equal_verdicts_on_one_cell() {
    let gates = ACTS.map(under);
    let subject = Sha256::of(b"artifact");
    proptest!(ProptestConfig::with_cases(120), |(cell in any_cell())| {
        let exposure = [one_exposure(&[cell.clone()].into())];
        let mut said = Vec::new();
        for gate in &gates {
            // As a build asks, as a job asks, and as a session asks.
            let by_cell: BTreeSet<Denial> = gate.cell(&cell).denials.into_iter().collect();
            let by_exposure = about_cells(&gate.exposures(subject, &exposure));
            let by_weights = about_cells(&gate.weights(subject, Assurance::Claimed, &exposure));
            said.extend([by_cell, by_exposure, by_weights]);
        }
        prop_assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
    });
}

#[test]
fn a_verdict_on_one_cell_does_not_depend_on_others() {
    let gate = World::new().open().unwrap();
    let cells = proptest::collection::btree_set(any_cell(), 0..5);
    proptest!(ProptestConfig::with_cases(120), |(cells in cells)| {
        let whole = gate.exposures(Sha256::of(b"artifact"), &[one_exposure(&cells)]);
        let alone = cells.iter().flat_map(|cell| gate.cell(cell).denials).collect::<BTreeSet<_>>();
        prop_assert_eq!(about_cells(&whole), alone);
        prop_assert_eq!(whole.is_admitted(), cells.iter().all(|cell| gate.cell(cell).is_permitted()));
    });
}

#[test]
fn kinds_beyond_the_three_deny_only_where_the_policy_names_them() {
    let mut gate = World::new().open().unwrap();
    let denied: Cell = Cell { state: State::NoneFound, ..Cell::unknown() };
    let of = |kind| Exposure { kind, ..one_exposure(&[denied.clone()].into()) };
    let kinds = [Kind::Tokenizer, Kind::ProxySelection, Kind::Classifier, Kind::Embedder, Kind::ModelSelection];
    let admits = |gate: &Gate, kind| gate.exposures(Sha256::of(b"artifact"), &[of(kind)]).is_admitted();
    assert!(kinds.into_iter().all(|kind| admits(&gate, kind)));
    assert!([Kind::Gradient, Kind::RowInit, Kind::RouterTuning].into_iter().all(|kind| !admits(&gate, kind)));
    let text =
        include_str!("../policy/example.toml").replace("[[mix]]", "[exposure]\nkinds = [\"tokenizer\"]\n[[mix]]");
    gate.policy = Policy::parse(Path::new("policy.toml"), text.as_bytes()).unwrap();
    assert_eq!(kinds.map(|kind| admits(&gate, kind)), [false, true, true, true, true]);
}

#[test]
fn a_draft_is_rehearsed_and_opens_no_gate() {
    let world = World::new();
    let options = world.options(AS_OF);
    assert!(Gate::rehearse(&options).unwrap().1);
    let text = include_str!("../policy/example.toml").replace("version = 4", "version = 5");
    std::fs::write(&options.policy, text).unwrap();
    let (gate, signed) = Gate::rehearse(&options).unwrap();
    assert_eq!((gate.policy.version, signed), (5, false));
    assert!(Gate::open(&options).unwrap_err().is_verification());
    // Trust and records must hold for a draft too.
    assert!(Gate::rehearse(&GateOptions { trust: None, ..options.clone() }).is_err());
    std::fs::remove_file(options.records.join(crate::records::HEAD_FILE)).unwrap();
    assert!(Gate::rehearse(&options).unwrap_err().is_verification());
}

//! Invariants of the trees, and vectors of RFC 6962 as computed by hand from its definition.

use proptest::prelude::*;

use super::*;

/// A leaf whose bytes are its own, as in the RFC's vectors.
#[derive(Clone, Debug, PartialEq)]
struct Raw(Vec<u8>);

impl Leaf for Raw {
    type Key = Vec<u8>;

    fn key(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn feed(&self, hasher: &mut Hasher) {
        hasher.update(&self.0);
    }
}

fn text(n: u64) -> TextLeaf {
    TextLeaf { text: Sha256::of(&n.to_le_bytes()) }
}

#[test]
fn roots_of_the_certificate_transparency_vectors() {
    // The inputs that certificate-transparency-go's tests use, in key order, and its root of the first one.
    let empty = root_of::<Raw>([]).unwrap();
    assert_eq!(empty.root.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let first = root_of(&[Raw(vec![])]).unwrap();
    assert_eq!(first.root.hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    let two = root_of(&[Raw(vec![]), Raw(vec![0])]).unwrap();
    assert_eq!(two.root.hex(), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    let three = root_of(&[Raw(vec![]), Raw(vec![0]), Raw(vec![0x10])]).unwrap();
    assert_eq!(three.root.hex(), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
}

#[test]
fn order_and_duplicates_are_refused() {
    assert!(root_of(&[Raw(vec![1]), Raw(vec![1])]).is_err());
    assert!(root_of(&[Raw(vec![2]), Raw(vec![1])]).is_err());
    assert!(Tree::new(vec![Raw(vec![1]), Raw(vec![1])]).is_err());
}

#[test]
fn leaves_of_two_kinds_never_agree() {
    let digest = Sha256::of(b"x");
    let document = DocumentLeaf { doc_id: DocId::from_bytes([7; 16]), text: digest, cell: digest, n_tokens: 3 };
    let file = FileLeaf { path: "a".parse().unwrap(), length: 3, digest };
    assert_ne!(document.hash(), file.hash());
    assert_ne!(DocumentLeaf { n_tokens: 4, ..document.clone() }.hash(), document.hash());
    assert_ne!(FileLeaf { path: "b".parse().unwrap(), ..file.clone() }.hash(), file.hash());
    assert_ne!(FileLeaf { length: 4, ..file.clone() }.hash(), file.hash());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn streamed_and_recursive_roots_agree_and_every_leaf_is_proved(n in 0u64..70, order in any::<prop::sample::Index>()) {
        let mut leaves: Vec<TextLeaf> = (0..n).map(text).collect();
        if n > 0 {
            let at = order.index(leaves.len());
            leaves.rotate_left(at);
        }
        let tree = Tree::new(leaves).unwrap();
        prop_assert_eq!(tree.root().root, subtree(&tree.hashes));
        prop_assert_eq!(tree.root().leaves, n);
        for i in 0..tree.leaves().len() {
            let proof = tree.prove(i).unwrap();
            prop_assert!(proof.holds(&tree.root()));
            prop_assert_eq!(tree.look_up(&proof.leaf.text).proves(&proof.leaf.text, &tree.root()), Some(true));
        }
        prop_assert!(tree.prove(tree.leaves().len()).is_none());
    }

    #[test]
    fn absence_is_proved_for_what_is_absent_only(n in 0u64..40, probe in 1000u64..1100) {
        let tree = Tree::new((0..n).map(text).collect()).unwrap();
        let key = text(probe).text;
        let lookup = tree.look_up(&key);
        prop_assert_eq!(lookup.proves(&key, &tree.root()), Some(false));
        // The same neighbours prove nothing about a leaf that is there, nor under another tree.
        for leaf in tree.leaves() {
            prop_assert_eq!(lookup.proves(&leaf.text, &tree.root()), None);
        }
        let other = Tree::new((0..=n).map(|i| text(i + 5000)).collect()).unwrap();
        prop_assert_eq!(lookup.proves(&key, &other.root()), None);
    }

    #[test]
    fn hiding_a_leaf_needs_adjacent_neighbours(n in 3u64..40, hidden in any::<prop::sample::Index>()) {
        let tree = Tree::new((0..n).map(text).collect()).unwrap();
        let at = hidden.index(tree.leaves().len() - 2) + 1;
        let key = tree.leaves()[at].text;
        let forged = Lookup { before: tree.prove(at - 1), at: None, after: tree.prove(at + 1) };
        prop_assert_eq!(forged.proves(&key, &tree.root()), None);
    }

    #[test]
    fn a_changed_proof_fails(n in 1u64..60, at in any::<prop::sample::Index>(), what in 0u8..5) {
        let tree = Tree::new((0..n).map(text).collect()).unwrap();
        let at = at.index(tree.leaves().len());
        let mut proof = tree.prove(at).unwrap();
        match what {
            0 => proof.leaf = text(999_999),
            1 => proof.index = (proof.index + 1) % (n + 1),
            2 => proof.path.push(Sha256::of(b"more")),
            3 if !proof.path.is_empty() => proof.path[0] = Sha256::of(b"other"),
            _ => proof.index += n,
        }
        prop_assert!(!proof.holds(&tree.root()));
        // Nor does a true proof hold for another number of leaves and the same root.
        let proof = tree.prove(at).unwrap();
        let root = TreeRoot { leaves: n + 1, ..tree.root() };
        prop_assert!(!proof.holds(&root) || proof.index + 1 < n);
    }
}

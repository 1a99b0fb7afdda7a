//! From the mean of a text's rows to the scores of the labels, for each loss a model can have been trained with.

use super::matrix::Matrix;

/// How the output matrix is read.
#[derive(Debug)]
pub(super) enum Loss {
    /// Each label by itself.
    Sigmoids,
    /// One distribution over all labels.
    Softmax,
    /// A path of yes and no to each label.
    Tree(Vec<Node>),
}

/// A node of the label tree: `None` children are labels.
#[derive(Clone, Debug)]
pub(super) struct Node {
    children: Option<(usize, usize)>,
    count: i64,
}

/// The output matrix and its meaning.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) matrix: Matrix,
    pub(super) loss: Loss,
}

/// `ln(x + 1e-5)`, in double precision and rounded once.
fn log(x: f32) -> f32 {
    (f64::from(x) + 1e-5).ln() as f32
}

/// fastText's sigmoid is a table of 513 values between -8 and 8.
fn sigmoid(x: f32) -> f32 {
    if x < -8.0 {
        return 0.0;
    }
    if x > 8.0 {
        return 1.0;
    }
    let slot = ((x + 8.0) * 512.0 / 8.0 / 2.0) as i64;
    let at = (slot * 2 * 8) as f32 / 512.0 - 8.0;
    (1.0 / (1.0 + f64::from((-at).exp()))) as f32
}

/// The Huffman tree of labels by their counts, which the file has in descending order.
pub(super) fn tree(counts: &[i64]) -> Vec<Node> {
    let labels = counts.len();
    let unset = Node { children: None, count: 1_000_000_000_000_000 };
    let mut nodes = vec![unset; (2 * labels).saturating_sub(1)];
    for (node, count) in nodes.iter_mut().zip(counts) {
        node.count = *count;
    }
    let (mut leaves, mut next) = (labels, labels);
    for i in labels..nodes.len() {
        let mut least = || {
            if leaves > 0 && nodes[leaves - 1].count < nodes[next].count {
                leaves -= 1;
                leaves
            } else {
                next += 1;
                next - 1
            }
        };
        let (left, right) = (least(), least());
        nodes[i] = Node { children: Some((left, right)), count: nodes[left].count + nodes[right].count };
    }
    nodes
}

impl Output {
    pub(super) fn memory(&self) -> u64 {
        let tree = if let Loss::Tree(nodes) = &self.loss { nodes.len() * size_of::<Node>() } else { 0 };
        self.matrix.memory() + tree as u64
    }

    /// The logarithm of each label's score, for the labels that have one.
    pub(super) fn scores(&self, hidden: &[f32]) -> Vec<(f32, usize)> {
        let dots = || (0..self.matrix.height).map(|i| self.matrix.dot(i, hidden));
        match &self.loss {
            Loss::Sigmoids => dots().map(|x| log(sigmoid(x))).zip(0..).collect(),
            Loss::Softmax => {
                let mut values: Vec<f32> = dots().collect();
                let top = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0f32;
                for value in &mut values {
                    *value = (*value - top).exp();
                    sum += *value;
                }
                values.into_iter().map(|x| log(x / sum)).zip(0..).collect()
            }
            Loss::Tree(nodes) => self.walk(nodes, hidden),
        }
    }

    /// Paths whose score falls below that of 0 are not followed, so their labels have none.
    fn walk(&self, nodes: &[Node], hidden: &[f32]) -> Vec<(f32, usize)> {
        let floor = log(0.0);
        let labels = self.matrix.height;
        let mut scores = Vec::new();
        let mut open = vec![(nodes.len() - 1, 0.0f32)];
        while let Some((at, score)) = open.pop() {
            if score < floor {
                continue;
            }
            let Some((left, right)) = nodes[at].children else {
                scores.push((score, at));
                continue;
            };
            let dot = self.matrix.dot(at - labels, hidden);
            let yes = (1.0 / f64::from(1.0 + (-dot).exp())) as f32;
            let no = (1.0 - f64::from(yes)) as f32;
            open.push((right, score + log(yes)));
            open.push((left, score + log(no)));
        }
        scores
    }
}

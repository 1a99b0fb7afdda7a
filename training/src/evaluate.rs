//! Held-out loss by set. Reads held-out shards and nothing else, each document at its exact length.

use std::path::Path;

use manifests::date::Date;
use manifests::id::SetName;
use manifests::trust::Trust;
use serde::Serialize;
use tch::Tensor;

use crate::error::{Error, Result};
use crate::job::corpus::OpenSet;
use crate::job::feed::Groups;
use crate::model::{Documents, Mixture};
use crate::session::Session;
use crate::shim;

/// Loss over one set's held-out text, nats per predicted token.
#[derive(Debug, Clone, Serialize)]
pub struct SetLoss {
    /// The set.
    pub set: String,
    /// Documents read.
    pub documents: u64,
    /// Tokens predicted.
    pub tokens: u64,
    /// The session's loss.
    pub loss: f64,
    /// The anchor's alone.
    pub anchor_loss: f64,
}

/// The sets of a corpus, by name.
///
/// # Errors
/// When the folder can't be read.
pub fn sets(corpus: &Path) -> Result<Vec<SetName>> {
    let folder = corpus.join("sets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
        let entry = entry.map_err(|e| Error::io(&folder, e))?;
        if entry.path().join("manifest.dsse.json").is_file() {
            names.push(entry.file_name().to_string_lossy().parse()?);
        }
    }
    names.sort();
    Ok(names)
}

/// Loss of the session, and of the anchor alone, over at most `max_tokens` held-out tokens of a set. `None` where the
/// set holds nothing out.
///
/// # Errors
/// When manifest or shard do not verify, or the set has another tokenizer than the model.
pub fn loss(
    session: &Session,
    corpus: &Path,
    set: &SetName,
    trust: &Trust,
    as_of: Date,
    max_tokens: u64,
) -> Result<Option<SetLoss>> {
    let open = OpenSet::open(corpus, set, trust, as_of, None)?;
    let tokenizer = manifests::digest::Sha256::of(&session.tokenizer);
    if open.manifest.tokenizer.digest != tokenizer {
        return Err(Error::Usage(format!("set `{set}` was tokenized with another tokenizer than the model's")));
    }
    let longest = usize::try_from(session.network.anchor.size.max_len).unwrap_or(usize::MAX);
    let (eos, groups) = (open.manifest.tokenizer.eos, open.held_out());
    let mut sum = Sum::default();
    for group in 0..groups.count() {
        for document in groups.read(group)? {
            let mut ids: Vec<i64> = document.tokens.iter().map(|&id| i64::from(id)).collect();
            ids.push(eos.into());
            for piece in pieces(&ids, longest) {
                if sum.tokens >= max_tokens {
                    return Ok(sum.finish(set));
                }
                tch::no_grad(|| sum.add(session, piece))?;
            }
            sum.documents += 1;
        }
    }
    Ok(sum.finish(set))
}

/// Windows of at most `longest` inputs, each with its targets one further on.
fn pieces(ids: &[i64], longest: usize) -> impl Iterator<Item = &[i64]> {
    (0..ids.len().saturating_sub(1)).step_by(longest).map(move |from| &ids[from..(from + longest + 1).min(ids.len())])
}

#[derive(Default)]
struct Sum {
    documents: u64,
    tokens: u64,
    session: f64,
    anchor: f64,
}

impl Sum {
    fn add(&mut self, session: &Session, piece: &[i64]) -> Result<()> {
        let n = piece.len() - 1;
        let (inputs, targets) = (Tensor::from_slice(&piece[..n]), Tensor::from_slice(&piece[1..]));
        let run = |mix: Mixture<'_>| -> Result<f64> {
            let nll = session.network.nll(&inputs, &targets, &mut Documents::new(&[n]), mix)?;
            shim::sum(&nll.contiguous())
        };
        self.session += session.with_mixture(run)?;
        self.anchor += run(Mixture::NONE)?;
        self.tokens += n as u64;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
    fn finish(self, set: &SetName) -> Option<SetLoss> {
        (self.tokens > 0).then(|| SetLoss {
            set: set.to_string(),
            documents: self.documents,
            tokens: self.tokens,
            loss: self.session / self.tokens as f64,
            anchor_loss: self.anchor / self.tokens as f64,
        })
    }
}

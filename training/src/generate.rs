//! Generation: a prompt is fed in fixed chunks, then one token at a time; the choice is greedy or drawn by our own
//! generator. Logits of a position depend on its tokens and the admitted set alone.

use tch::{IndexOp, Kind, Tensor};
use tokenizers::pipeline::{EncodeOptions, Override, PipelineTokenizer};

use crate::error::{Error, Result};
use crate::model::Cache;
use crate::rng::Stream;
use crate::session::Session;

/// Positions of a prompt that are fed at a time.
const CHUNK: usize = 64;

/// How to go on from a prompt.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Most tokens to add.
    pub max_tokens: usize,
    /// 0 takes the likeliest token; above, logits are divided by it and a token is drawn.
    pub temperature: f64,
    /// Seed of the draw.
    pub seed: u64,
}

/// Text that a session added.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Continuation {
    /// The text.
    pub text: String,
    /// Its token ids.
    pub tokens: Vec<u32>,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
}

/// The session's tokenizer.
///
/// # Errors
/// When its bytes are no tokenizer.
pub fn tokenizer(session: &Session) -> Result<PipelineTokenizer> {
    let refused = |e: &dyn std::fmt::Display| Error::Usage(format!("the model's tokenizer: {e}"));
    let text = std::str::from_utf8(&session.tokenizer).map_err(|e| refused(&e))?;
    let canonical = tokenizers::canonicalize_str(text).map_err(|e| refused(&e))?;
    tokenizers::from_json(&canonical).map_err(|e| refused(&e))
}

/// Ids of a text; special tokens in it are plain text, as in the corpus.
fn encode(tokenizer: &PipelineTokenizer, text: &str) -> Result<Vec<u32>> {
    let options = EncodeOptions {
        add_special_tokens: false,
        encode_special_tokens: true,
        padding: Override::Off,
        truncation: Override::Off,
    };
    let mut tokens = Vec::new();
    tokenizer.encode_into(text, &options, &mut tokens).map_err(|e| Error::Usage(format!("prompt: {e}")))?;
    Ok(tokens.iter().map(|token| token.id()).collect())
}

/// Continues `prompt`; stops at the end of a document, at `max_tokens` or at the longest sequence.
///
/// # Errors
/// When the prompt has no tokens or too many, or libtorch refuses.
pub fn generate(session: &Session, prompt: &str, settings: Settings) -> Result<Continuation> {
    let tokenizer = tokenizer(session)?;
    let prompt = encode(&tokenizer, prompt)?;
    let size = session.network.anchor.size;
    let longest = usize::try_from(size.max_len).unwrap_or(usize::MAX);
    if prompt.is_empty() || prompt.len() >= longest {
        return Err(Error::Usage(format!("a prompt has 1 to {} tokens, this one {}", longest - 1, prompt.len())));
    }
    let tokens = tch::no_grad(|| continue_tokens(session, &prompt, longest, settings))?;
    let text = tokenizer.decode(&tokens, true).map_err(|e| Error::Usage(format!("cannot decode the answer: {e}")))?;
    Ok(Continuation { text, tokens, prompt_tokens: prompt.len() })
}

fn continue_tokens(session: &Session, prompt: &[u32], longest: usize, settings: Settings) -> Result<Vec<u32>> {
    let size = session.network.anchor.size;
    let mut cache = Cache::new(size.n_layers, size.max_len, size.n_heads, size.head_dim(), session.network.kind());
    let mut last = None;
    for chunk in prompt.chunks(CHUNK) {
        last = Some(feed(session, &mut cache, chunk)?);
    }
    let stream = Stream::new(settings.seed, "sampling");
    let mut tokens = Vec::new();
    while let Some(logits) = last.take() {
        let next = choose(&logits, settings.temperature, stream.uniform(tokens.len() as u64));
        if next == session.config.eos() || tokens.len() == settings.max_tokens {
            break;
        }
        tokens.push(next);
        if prompt.len() + tokens.len() < longest && tokens.len() < settings.max_tokens {
            last = Some(feed(session, &mut cache, &[next])?);
        }
    }
    Ok(tokens)
}

/// Feeds positions and returns the last one's logits.
fn feed(session: &Session, cache: &mut Cache, ids: &[u32]) -> Result<Vec<f64>> {
    let ids: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
    cache.begin(i64::try_from(ids.len()).unwrap_or(i64::MAX));
    let logits = session.with_mixture(|mix| session.network.logits(&Tensor::from_slice(&ids), cache, mix))?;
    cache.commit();
    let row = logits.i(-1).to_kind(Kind::Double).contiguous();
    let mut values = vec![0.0; row.numel()];
    row.copy_data(&mut values, row.numel());
    Ok(values)
}

/// The next token: the greatest logit (lowest id first), or one drawn at `temperature` by `uniform`.
#[expect(clippy::cast_possible_truncation, reason = "a vocabulary fits 32 bits")]
fn choose(logits: &[f64], temperature: f64, uniform: f64) -> u32 {
    let best = logits.iter().enumerate().fold(0, |best, (i, value)| if *value > logits[best] { i } else { best });
    if temperature <= 0.0 {
        return best as u32;
    }
    let weights: Vec<f64> = logits.iter().map(|l| ((l - logits[best]) / temperature).exp()).collect();
    let mut left = uniform * weights.iter().sum::<f64>();
    for (i, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return i as u32;
        }
    }
    best as u32
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn greedy_takes_the_first_greatest_and_a_draw_follows_the_weights() {
        assert_eq!(choose(&[1.0, 3.0, 3.0], 0.0, 0.5), 1);
        let logits = [0.0, (3.0_f64).ln()];
        let ones = (0..1000).filter(|i| choose(&logits, 1.0, (f64::from(*i) + 0.5) / 1000.0) == 1).count();
        assert_eq!(ones, 750);
    }
}

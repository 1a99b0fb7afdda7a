//! Mixing: which share of the tokens each kind of document has, and how often a document is read for it. Shares are
//! conditions in SQL, as rules are; the first that holds decides. Knows nothing of files.

use arrow::array::BooleanArray;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use corpus::filter::Chain;
use serde::Deserialize;

use crate::engine::Condition;
use crate::error::{Error, Result};
use crate::rules::known_columns;

const WHOLE: u64 = 1_000_000;

/// A `[mix]` table as written:
///
/// ```toml
/// [mix]
/// tokens = 1_000_000_000     # absent: as many as the shares and their copies allow
/// rest = "keep"              # what no share matches: the rest of the tokens, or "drop"
///
/// [[mix.share]]
/// where = "set = 'news' AND language_score > 0.8"
/// share = 0.25
/// max_copies = 4
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MixToml {
    tokens: Option<u64>,
    rest: RestToml,
    share: Vec<ShareToml>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RestToml {
    Keep,
    Drop,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareToml {
    r#where: String,
    share: f64,
    #[serde(default = "one")]
    max_copies: u32,
}

const fn one() -> u32 {
    1
}

/// One share of the mix.
#[derive(Clone, Debug)]
struct Share {
    /// Absent: what no other share matches.
    condition: Option<Condition>,
    words: String,
    ppm: u64,
    max_copies: u32,
}

/// A checked `[mix]`.
#[derive(Clone, Debug)]
pub struct Mix {
    tokens: Option<u64>,
    shares: Vec<Share>,
}

/// A document as mixing sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Light {
    /// The index of its share; none when no share matches it.
    pub share: Option<u32>,
    /// Its seeded place in the order in which documents are taken.
    pub order: u64,
    /// Its tokens.
    pub n_tokens: u32,
}

/// What a share was to have, and what it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// The condition, or `rest`.
    pub words: String,
    /// Tokens that were wanted: the share of the total.
    pub wanted: u64,
    /// Tokens × copies.
    pub got: u64,
}

impl Mix {
    /// Checks a `[mix]` against what `chain` finds out.
    pub(crate) fn new(raw: MixToml, chain: &Chain) -> std::result::Result<Self, String> {
        let schema = columns(chain);
        let mut shares = Vec::new();
        for share in raw.share {
            let wrong = |what: String| format!("mix.share `{}`: {what}", share.r#where);
            if !(share.share > 0.0 && share.share <= 1.0) {
                return Err(wrong(format!("share is {}, expected more than 0 and at most 1", share.share)));
            }
            if share.max_copies == 0 {
                return Err(wrong("max_copies is 0; a document that is not wanted is dropped by a rule".to_owned()));
            }
            let condition = Condition::new(&share.r#where, &schema).map_err(wrong)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0 to 1")]
            let ppm = (share.share * 1e6).round() as u64;
            shares.push(Share { condition: Some(condition), words: share.r#where, ppm, max_copies: share.max_copies });
        }
        let sum: u64 = shares.iter().map(|s| s.ppm).sum();
        match raw.rest {
            RestToml::Keep if sum < WHOLE => {
                shares.push(Share { condition: None, words: "rest".to_owned(), ppm: WHOLE - sum, max_copies: 1 });
            }
            RestToml::Keep => {
                return Err("mix: the shares leave nothing for the rest; say `rest = \"drop\"`".to_owned());
            }
            RestToml::Drop if sum == WHOLE => {}
            RestToml::Drop => return Err("mix: the shares must add up to 1 where the rest is dropped".to_owned()),
        }
        Ok(Self { tokens: raw.tokens, shares })
    }

    /// The share of each row of a batch of [`columns`]: the first that holds.
    pub(crate) fn shares(&self, known: &RecordBatch) -> Result<Vec<Option<u32>>> {
        let mut found = vec![None; known.num_rows()];
        for (index, share) in (0u32..).zip(&self.shares) {
            let held = share.condition.as_ref().map(|c| c.holds(known)).transpose()?;
            let holds = |row: usize| held.as_ref().is_none_or(|h: &BooleanArray| h.value(row));
            for (row, slot) in found.iter_mut().enumerate() {
                *slot = slot.or_else(|| holds(row).then_some(index));
            }
        }
        Ok(found)
    }

    /// How often each document is read: 0 where it is mixed out. A larger total reads nothing less often.
    ///
    /// # Errors
    /// [`Error::Refused`] when a share has no tokens and the total is to follow from the shares.
    pub fn copies(&self, documents: &[Light]) -> Result<(Vec<u32>, Vec<Got>)> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.shares.len()];
        for (index, document) in documents.iter().enumerate() {
            if let Some(list) = document.share.and_then(|s| members.get_mut(s as usize)) {
                list.push(index);
            }
        }
        let sum = |list: &[usize]| list.iter().map(|i| u64::from(documents[*i].n_tokens)).sum::<u64>();
        let available: Vec<u64> = members.iter().map(|list| sum(list)).collect();
        let total = self.total(&available)?;
        let (mut copies, mut got) = (vec![0u32; documents.len()], Vec::new());
        for ((share, list), available) in self.shares.iter().zip(&mut members).zip(available) {
            let wanted = part(total, share.ppm, WHOLE);
            let target = wanted.min(available.saturating_mul(share.max_copies.into()));
            list.sort_unstable_by_key(|i| (documents[*i].order, *i));
            let whole = target.checked_div(available).unwrap_or(0);
            let (mut left, mut fits) = (target - whole * available, true);
            let whole = u32::try_from(whole).unwrap_or(u32::MAX);
            for index in list.iter() {
                let tokens = u64::from(documents[*index].n_tokens);
                // The first that does not fit ends it, so that a larger target keeps all that a smaller one kept.
                fits &= tokens <= left && whole < share.max_copies;
                copies[*index] = whole + u32::from(fits);
                left -= if fits { tokens } else { 0 };
            }
            let read = list.iter().map(|i| u64::from(documents[*i].n_tokens) * u64::from(copies[*i])).sum();
            got.push(Got { words: share.words.clone(), wanted, got: read });
        }
        Ok((copies, got))
    }

    /// The total: what the recipe says, else the largest that every share can fill.
    fn total(&self, available: &[u64]) -> Result<u64> {
        if let Some(tokens) = self.tokens {
            return Ok(tokens);
        }
        let most = |(share, available): (&Share, &u64)| {
            part(available.saturating_mul(share.max_copies.into()), WHOLE, share.ppm)
        };
        let empty = self.shares.iter().zip(available).find(|(_, available)| **available == 0);
        if let Some((share, _)) = empty {
            return Err(Error::Refused {
                what: format!("the share `{}` of the mix has no tokens", share.words),
                hint: Some("leave it out, or say with `tokens` how large the mix is to be".to_owned()),
            });
        }
        Ok(self.shares.iter().zip(available).map(most).min().unwrap_or(0))
    }
}

/// `n` × `times` / `by`, rounded down.
fn part(n: u64, times: u64, by: u64) -> u64 {
    u64::try_from(u128::from(n) * u128::from(times) / u128::from(by.max(1))).unwrap_or(u64::MAX)
}

/// What a condition of a mix may name: what rules may, and the terms tier.
pub(crate) fn columns(chain: &Chain) -> Schema {
    let known = known_columns(chain);
    let tier = Field::new("tier", DataType::Utf8, true);
    Schema::new(known.fields().iter().map(|f| f.as_ref().clone()).chain([tier]).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mix(tokens: Option<u64>, shares: &[(u64, u32)]) -> Mix {
        let share = |(ppm, max_copies): &(u64, u32)| Share {
            condition: None,
            words: String::new(),
            ppm: *ppm,
            max_copies: *max_copies,
        };
        Mix { tokens, shares: shares.iter().map(share).collect() }
    }

    fn documents() -> impl Strategy<Value = Vec<Light>> {
        let one = (0u32..3, any::<u64>(), 1u32..500);
        let light = |(share, order, n_tokens)| Light { share: Some(share).filter(|s| *s < 2), order, n_tokens };
        proptest::collection::vec(one.prop_map(light), 1..80)
    }

    proptest! {
        #[test]
        fn shares_are_met_within_one_document_or_all_that_there_is(all in documents(), total in 1u64..60_000) {
            let mixed = mix(Some(total), &[(250_000, 4), (750_000, 2)]);
            let (copies, got) = mixed.copies(&all).unwrap();
            for (index, (share, max)) in [(250_000, 4u32), (750_000, 2)].into_iter().enumerate() {
                let mine: Vec<usize> = (0..all.len()).filter(|i| all[*i].share == Some(index as u32)).collect();
                let most: u64 = mine.iter().map(|i| u64::from(all[*i].n_tokens * max)).sum();
                let target = (total * share / 1_000_000).min(most);
                let read: u64 = mine.iter().map(|i| u64::from(all[*i].n_tokens * copies[*i])).sum();
                let longest = mine.iter().map(|i| u64::from(all[*i].n_tokens)).max().unwrap_or(0);
                prop_assert_eq!(got[index].got, read);
                prop_assert!(read <= target && (target == 0 || target - read < longest.max(1)), "{} of {}", read, target);
                prop_assert!(mine.iter().all(|i| copies[*i] <= max));
            }
            prop_assert!((0..all.len()).all(|i| all[i].share.is_some() || copies[i] == 0));
        }

        #[test]
        fn a_larger_mix_reads_nothing_less_often(all in documents(), small in 1u64..30_000, more in 0u64..30_000) {
            let copies = |total| mix(Some(total), &[(250_000, 4), (750_000, 2)]).copies(&all).unwrap().0;
            prop_assert!(copies(small).iter().zip(copies(small + more)).all(|(a, b)| *a <= b));
        }
    }

    #[test]
    fn without_a_total_the_scarcest_share_decides_it() {
        let light = |share, n_tokens| Light { share: Some(share), order: u64::from(n_tokens), n_tokens };
        let all = [light(0, 10), light(1, 30), light(1, 31), light(1, 32)];
        let (copies, got) = mix(None, &[(500_000, 2), (500_000, 1)]).copies(&all).unwrap();
        assert_eq!(copies, [2, 0, 0, 0], "20 tokens of each are wanted, and no document of the second has so few");
        assert_eq!((got[0].wanted, got[0].got, got[1].wanted), (20, 20, 20));
        assert!(mix(None, &[(500_000, 2), (500_000, 1)]).copies(&all[..1]).is_err());
    }
}

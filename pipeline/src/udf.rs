//! The one heavy function: a document's facts and filter decisions in one call. It runs the recipe's whole ordered
//! chain; its parameters are literal arguments, so that a plan says everything that decided.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryBuilder, LargeStringArray, LargeStringBuilder, StringBuilder, StructArray,
    UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Fields};
use corpus::filter::{Chain, DocumentView, Facts};
use corpus::normalize::digest;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::reason::Reason;

/// The columns of a document's facts.
#[must_use]
pub fn fact_fields() -> Fields {
    Fields::from(vec![
        Field::new("digest", DataType::FixedSizeBinary(32), true),
        Field::new("text", DataType::LargeUtf8, true),
        Field::new("reason", DataType::Utf8, true),
        Field::new("detail", DataType::Utf8, true),
        Field::new("bytes_added", DataType::UInt64, false),
        Field::new("bytes_removed", DataType::UInt64, false),
        Field::new("words", DataType::UInt64, false),
    ])
}

/// `document_facts(text, set, chain)`: the facts of each text, in one struct.
#[derive(Debug)]
pub struct DocumentFacts {
    signature: Signature,
    calls: Arc<AtomicU64>,
}

impl PartialEq for DocumentFacts {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.calls, &other.calls)
    }
}

impl Eq for DocumentFacts {}

impl std::hash::Hash for DocumentFacts {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        "document_facts".hash(state);
    }
}

impl DocumentFacts {
    /// The function, and the count of texts that it was called on: it must equal the rows, or a plan ran it twice.
    #[must_use]
    pub fn counted() -> (ScalarUDF, Arc<AtomicU64>) {
        let calls = Arc::new(AtomicU64::new(0));
        let types = TypeSignature::Exact(vec![DataType::LargeUtf8, DataType::Utf8, DataType::Utf8]);
        let signature = Signature::new(types, Volatility::Immutable);
        (ScalarUDF::from(Self { signature, calls: Arc::clone(&calls) }), calls)
    }
}

impl ScalarUDFImpl for DocumentFacts {
    fn name(&self) -> &'static str {
        "document_facts"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fact_fields()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts, set, chain] = &arguments.args[..] else {
            return Err(exec_datafusion_err!("document_facts takes text, set and chain"));
        };
        let set: SetName = constant(set)?.parse().map_err(|e| exec_datafusion_err!("{e}"))?;
        let chain = Chain::from_json(&constant(chain)?).map_err(|e| exec_datafusion_err!("{e}"))?;
        let texts = texts.to_array(arguments.number_rows)?;
        let texts = texts.as_any().downcast_ref::<LargeStringArray>();
        let texts = texts.ok_or_else(|| exec_datafusion_err!("document_facts takes LargeUtf8 text"))?;
        self.calls.fetch_add(texts.len() as u64, Ordering::Relaxed);
        Ok(ColumnarValue::Array(facts(texts, &set, &chain)?))
    }
}

fn constant(value: &ColumnarValue) -> Result<String> {
    match value {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => Ok(text.clone()),
        _ => Err(exec_datafusion_err!("document_facts takes set and chain as literals")),
    }
}

/// A panic on a document is that document's reason, not the run's end.
fn guarded(text: &str, set: &SetName, chain: &Chain) -> std::result::Result<(Sha256, Facts), String> {
    let work = AssertUnwindSafe(|| {
        let facts = chain.apply(set, &DocumentView { text, url: None });
        (digest(facts.text.as_deref().unwrap_or(text)), facts)
    });
    catch_unwind(work).map_err(|panic| {
        let said = panic.downcast_ref::<&str>().map(ToString::to_string);
        said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}

/// A reason's numbers in words.
fn detail(reason: &corpus::filter::Reason) -> String {
    let value = reason.value.map(|v| format!("value {v}"));
    let threshold = reason.threshold.map(|t| format!("threshold {t}"));
    let parts: Vec<String> = [value, threshold, reason.matched.clone()].into_iter().flatten().collect();
    parts.join(", ")
}

fn facts(texts: &LargeStringArray, set: &SetName, chain: &Chain) -> Result<ArrayRef> {
    let mut digests = FixedSizeBinaryBuilder::new(32);
    let mut edited = LargeStringBuilder::new();
    let (mut reasons, mut details) = (StringBuilder::new(), StringBuilder::new());
    let [mut added, mut removed, mut words] = [(); 3].map(|()| UInt64Builder::new());
    for text in texts {
        let outcome = text.map(|text| guarded(text, set, chain));
        match &outcome {
            Some(Ok((digest, _))) => digests.append_value(digest.as_bytes())?,
            _ => digests.append_null(),
        }
        let facts = match outcome {
            Some(Ok((_, facts))) => {
                let why = facts.reason.as_ref();
                reasons.append_option(why.map(|r| r.code));
                details.append_option(why.map(detail));
                facts
            }
            Some(Err(panic)) => {
                reasons.append_value(Reason::Panicked.name());
                details.append_value(panic);
                Facts::default()
            }
            None => {
                reasons.append_null();
                details.append_null();
                Facts::default()
            }
        };
        edited.append_option(facts.text.as_deref());
        added.append_value(facts.bytes_added);
        removed.append_value(facts.bytes_removed);
        words.append_value(facts.counts.words);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(digests.finish()),
        Arc::new(edited.finish()),
        Arc::new(reasons.finish()),
        Arc::new(details.finish()),
        Arc::new(added.finish()),
        Arc::new(removed.finish()),
        Arc::new(words.finish()),
    ];
    Ok(Arc::new(StructArray::try_new(fact_fields(), columns, None)?))
}

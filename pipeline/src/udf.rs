//! The one heavy function: a document's facts and filter decisions in one call. It runs the recipe's whole ordered
//! chain; its parameters are literal arguments, so that a plan says everything that decided.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryBuilder, Float64Builder, LargeStringArray, LargeStringBuilder, StringArray,
    StringBuilder, StructArray, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Fields};
use corpus::filter::{Chain, DocumentView, Facts, Kind, Value};
use corpus::normalize::digest;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use manifests::digest::Sha256;
use manifests::id::SetName;
use manifests::reason::Reason;

/// The columns of a document's facts: those of every chain, then the chain's own.
#[must_use]
pub fn fact_fields(chain: &Chain) -> Fields {
    let of = |name, kind| Field::new(name, kind, true);
    let count = |name| Field::new(name, DataType::UInt64, false);
    let fixed = [
        of("digest", DataType::FixedSizeBinary(32)),
        of("text", DataType::LargeUtf8),
        of("reason", DataType::Utf8),
        of("detail", DataType::Utf8),
        of("filter", DataType::UInt32),
        of("value", DataType::Float64),
        of("threshold", DataType::Float64),
        of("span_start", DataType::UInt64),
        of("span_end", DataType::UInt64),
        count("bytes_added"),
        count("bytes_removed"),
        count("bytes"),
        count("characters"),
        count("words"),
        count("lines"),
    ];
    let own = chain.columns().into_iter().map(|column| {
        let kind = match column.kind {
            Kind::Number => DataType::Float64,
            Kind::Text => DataType::Utf8,
        };
        Field::new(column.name, kind, true)
    });
    fixed.into_iter().chain(own).collect()
}

/// `document_facts(text, url, set, chain)`: the facts of each text, in one struct. The chain's JSON is an argument, so
/// that a plan says what decided; the chain itself, with what its filters read from files, is the function's own.
#[derive(Debug)]
pub struct DocumentFacts {
    signature: Signature,
    chain: Arc<Chain>,
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
    pub fn counted(chain: Arc<Chain>) -> (ScalarUDF, Arc<AtomicU64>) {
        let calls = Arc::new(AtomicU64::new(0));
        let types = vec![DataType::LargeUtf8, DataType::Utf8, DataType::Utf8, DataType::Utf8];
        let signature = Signature::new(TypeSignature::Exact(types), Volatility::Immutable);
        (ScalarUDF::from(Self { signature, chain, calls: Arc::clone(&calls) }), calls)
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
        Ok(DataType::Struct(fact_fields(&self.chain)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts, urls, set, chain] = &arguments.args[..] else {
            return Err(exec_datafusion_err!("document_facts takes text, address, set and chain"));
        };
        let set: SetName = constant(set)?.parse().map_err(|e| exec_datafusion_err!("{e}"))?;
        if Ok(constant(chain)?) != self.chain.to_json().map_err(|e| e.to_string()) {
            return Err(exec_datafusion_err!("document_facts was made for another chain than the plan names"));
        }
        let rows = arguments.number_rows;
        let (texts, urls) = (texts.to_array(rows)?, urls.to_array(rows)?);
        let texts = texts.as_any().downcast_ref::<LargeStringArray>();
        let urls = urls.as_any().downcast_ref::<StringArray>();
        let (Some(texts), Some(urls)) = (texts, urls) else {
            return Err(exec_datafusion_err!("document_facts takes LargeUtf8 text and Utf8 addresses"));
        };
        self.calls.fetch_add(texts.len() as u64, Ordering::Relaxed);
        let mut columns = Columns::new(&self.chain);
        for (text, url) in texts.iter().zip(urls) {
            let document = text.map(|text| DocumentView { text, url });
            columns.push(document.map(|document| guarded(&document, &set, &self.chain)))?;
        }
        Ok(ColumnarValue::Array(columns.finish(&self.chain)?))
    }
}

fn constant(value: &ColumnarValue) -> Result<String> {
    match value {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => Ok(text.clone()),
        _ => Err(exec_datafusion_err!("document_facts takes set and chain as literals")),
    }
}

/// What one document came to: the digest of its text as the chain left it, with its facts, or the words of a panic.
type Found = std::result::Result<(Sha256, Facts), String>;

/// A panic on a document is that document's reason, not the run's end.
fn guarded(document: &DocumentView<'_>, set: &SetName, chain: &Chain) -> Found {
    let work = AssertUnwindSafe(|| {
        let facts = chain.apply(set, document);
        (digest(facts.text.as_deref().unwrap_or(document.text)), facts)
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

/// A column of one of the chain's facts.
enum FactBuilder {
    Number(Float64Builder),
    Text(StringBuilder),
}

impl FactBuilder {
    fn push(&mut self, value: Option<&Value>) -> Result<()> {
        match (self, value) {
            (Self::Number(column), None) => column.append_null(),
            (Self::Text(column), None) => column.append_null(),
            (Self::Number(column), Some(Value::Number(value))) => column.append_value(*value),
            (Self::Text(column), Some(Value::Text(value))) => column.append_value(value),
            _ => return Err(exec_datafusion_err!("a filter gave a fact of another kind than it declared")),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Number(mut column) => Arc::new(column.finish()),
            Self::Text(mut column) => Arc::new(column.finish()),
        }
    }
}

/// The columns of [`fact_fields`] under way.
struct Columns {
    digest: FixedSizeBinaryBuilder,
    text: LargeStringBuilder,
    reason: StringBuilder,
    detail: StringBuilder,
    filter: UInt32Builder,
    value: Float64Builder,
    threshold: Float64Builder,
    span: [UInt64Builder; 2],
    /// Bytes added and removed, then the text's sizes.
    counts: [UInt64Builder; 6],
    own: Vec<FactBuilder>,
}

impl Columns {
    fn new(chain: &Chain) -> Self {
        let own = chain.columns().into_iter().map(|column| match column.kind {
            Kind::Number => FactBuilder::Number(Float64Builder::new()),
            Kind::Text => FactBuilder::Text(StringBuilder::new()),
        });
        Self {
            digest: FixedSizeBinaryBuilder::new(32),
            text: LargeStringBuilder::new(),
            reason: StringBuilder::new(),
            detail: StringBuilder::new(),
            filter: UInt32Builder::new(),
            value: Float64Builder::new(),
            threshold: Float64Builder::new(),
            span: [(); 2].map(|()| UInt64Builder::new()),
            counts: [(); 6].map(|()| UInt64Builder::new()),
            own: own.collect(),
        }
    }

    /// Adds a document; one that could not be read has no facts.
    fn push(&mut self, found: Option<Found>) -> Result<()> {
        let (digest, facts, panic) = match found {
            Some(Ok((digest, facts))) => (Some(digest), facts, None),
            Some(Err(panic)) => (None, Facts::default(), Some(panic)),
            None => (None, Facts::default(), None),
        };
        match digest {
            Some(digest) => self.digest.append_value(digest.as_bytes())?,
            None => self.digest.append_null(),
        }
        self.text.append_option(facts.text.as_deref());
        let why = facts.reason.as_ref();
        self.reason.append_option(panic.as_ref().map(|_| Reason::Panicked.name()).or(why.map(|r| r.code)));
        self.detail.append_option(panic.or(why.map(detail)));
        self.filter.append_option(why.and_then(|r| u32::try_from(r.filter).ok()));
        self.value.append_option(why.and_then(|r| r.value));
        self.threshold.append_option(why.and_then(|r| r.threshold));
        let span = why.and_then(|r| r.span.as_ref());
        self.span[0].append_option(span.map(|s| s.start as u64));
        self.span[1].append_option(span.map(|s| s.end as u64));
        let sizes = facts.counts;
        let counts = [facts.bytes_added, facts.bytes_removed, sizes.bytes, sizes.characters, sizes.words, sizes.lines];
        self.counts.iter_mut().zip(counts).for_each(|(column, count)| column.append_value(count));
        for (n, column) in self.own.iter_mut().enumerate() {
            column.push(facts.values.get(n).and_then(Option::as_ref))?;
        }
        Ok(())
    }

    fn finish(mut self, chain: &Chain) -> Result<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.digest.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.detail.finish()),
            Arc::new(self.filter.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.threshold.finish()),
        ];
        columns.extend(self.span.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend(self.counts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend(self.own.into_iter().map(FactBuilder::finish));
        Ok(Arc::new(StructArray::try_new(fact_fields(chain), columns, None)?))
    }
}

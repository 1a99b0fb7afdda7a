//! The tables that come from signed records: sources, cells, manifests, stamps, exposure. Their columns are a format
//! (docs/formats.md): add at the end, never rename.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use manifests::exposure::{Cell, CellCount, TokenTotal};
use manifests::manifest::{ManifestShard, PublicManifest, SetManifest};
use manifests::shard::Role;
use manifests::stamp::Stamp;

use super::folder::{Folder, Signed};
use crate::error::Result;

/// Columns in the making: text, numbers and lists, in the order in which they are declared.
#[derive(Default)]
struct Table {
    columns: Vec<(&'static str, ArrayRef)>,
}

impl Table {
    fn text<S: Into<String>>(mut self, name: &'static str, values: impl IntoIterator<Item = S>) -> Self {
        let array = StringArray::from_iter_values(values.into_iter().map(Into::into));
        self.columns.push((name, Arc::new(array)));
        self
    }

    fn text_or_null(mut self, name: &'static str, values: impl IntoIterator<Item = Option<String>>) -> Self {
        self.columns.push((name, Arc::new(values.into_iter().collect::<StringArray>())));
        self
    }

    fn count(mut self, name: &'static str, values: impl IntoIterator<Item = Option<u64>>) -> Self {
        self.columns.push((name, Arc::new(values.into_iter().collect::<UInt64Array>())));
        self
    }

    fn flag(mut self, name: &'static str, values: impl IntoIterator<Item = Option<bool>>) -> Self {
        self.columns.push((name, Arc::new(values.into_iter().collect::<BooleanArray>())));
        self
    }

    fn list<S: AsRef<str>>(mut self, name: &'static str, values: impl IntoIterator<Item = Vec<S>>) -> Self {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for items in values {
            for item in items {
                builder.values().append_value(item);
            }
            builder.append(true);
        }
        self.columns.push((name, Arc::new(builder.finish())));
        self
    }

    fn batch(self) -> Result<RecordBatch> {
        let field = |(name, array): &(&'static str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let schema = Schema::new(self.columns.iter().map(field).collect::<Vec<_>>());
        let arrays = self.columns.into_iter().map(|(_, array)| array).collect();
        Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
    }
}

/// The tables of a folder's records, by name.
pub(super) fn of(folder: &Folder) -> Result<Vec<(&'static str, RecordBatch)>> {
    let merged = folder.models.iter().flat_map(|m| m.stamps.iter().map(|s| (m.index.record.name.as_str(), s)));
    // Weights that were handed out alone are in no model.
    let alone = folder.outward.iter().flat_map(|o| o.stamps.iter().map(|s| ("", s)));
    let stamps: Vec<(&str, &Signed<Stamp>)> = merged.chain(alone).collect();
    Ok(vec![
        ("sources", sources(&folder.manifests)?),
        ("cells", cells(&folder.manifests)?),
        ("public_cells", public_cells(&folder.public)?),
        ("manifests", manifests(&folder.manifests)?),
        ("stamps", stamp_table(&stamps)?),
        ("exposure", exposure(&stamps)?),
    ])
}

fn sources(manifests: &[Signed<SetManifest>]) -> Result<RecordBatch> {
    let rows: Vec<_> =
        manifests.iter().flat_map(|m| m.record.sources.iter().map(move |s| (&m.record.set, s))).collect();
    Table::default()
        .text("set", rows.iter().map(|r| r.0.as_str()))
        .text("source", rows.iter().map(|r| r.1.id.as_str()))
        .text("title", rows.iter().map(|r| r.1.title.as_str()))
        .text_or_null("object", rows.iter().map(|r| r.1.object.map(|d| d.to_string())))
        .batch()
}

/// Columns that every table of cells has.
fn cell_columns<'a>(table: Table, cells: impl Iterator<Item = &'a CellCount> + Clone) -> Table {
    let of = |f: fn(&Cell) -> Option<String>| cells.clone().map(move |c| f(&c.cell));
    let sources = |c: &CellCount| c.cell.sources.iter().map(ToString::to_string).collect::<Vec<_>>();
    let holders = |c: &CellCount| c.cell.rightsholders.iter().cloned().collect::<Vec<_>>();
    table
        .text_or_null("license", of(|c| c.expression.as_ref().map(ToString::to_string)))
        .text("state", cells.clone().map(|c| c.cell.state.as_str()))
        .text_or_null("basis", of(|c| c.basis.as_ref().map(ToString::to_string)))
        .text_or_null("election", of(|c| c.election.as_ref().map(ToString::to_string)))
        .list("sources", cells.clone().map(sources))
        .list("rightsholders", cells.clone().map(holders))
        .text_or_null("evidence", cells.clone().map(|c| c.evidence.clone()))
        .count("documents", cells.clone().map(|c| c.documents))
        .count("tokens", cells.clone().map(|c| c.tokens))
}

/// The digest of each cell, as the ledger's `cell` has it.
fn cell_digests<'a>(table: Table, cells: impl Iterator<Item = &'a CellCount>) -> Table {
    table.text_or_null("cell_digest", cells.map(|c| c.cell.digest().ok().map(|d| d.to_string())))
}

fn cells(manifests: &[Signed<SetManifest>]) -> Result<RecordBatch> {
    let rows: Vec<_> = manifests
        .iter()
        .flat_map(|m| {
            m.record.cells.iter().zip(&m.record.tiers).enumerate().map(move |(n, (c, t))| (&m.record, n, c, t))
        })
        .collect();
    let table = Table::default()
        .text("set", rows.iter().map(|r| r.0.set.as_str()))
        .count("cell", rows.iter().map(|r| Some(r.1 as u64)))
        .text("tier", rows.iter().map(|r| r.3.as_str()));
    cell_digests(cell_columns(table, rows.iter().map(|r| r.2)), rows.iter().map(|r| r.2)).batch()
}

fn manifests(manifests: &[Signed<SetManifest>]) -> Result<RecordBatch> {
    let text = |f: fn(&SetManifest) -> String| manifests.iter().map(move |m| f(&m.record));
    let count = |f: fn(&SetManifest) -> u64| manifests.iter().map(move |m| Some(f(&m.record)));
    Table::default()
        .text("set", text(|m| m.set.to_string()))
        .text("digest", manifests.iter().map(|m| m.digest.to_string()))
        .text("corpus", text(|m| m.corpus.clone()))
        .text("access", text(|m| format!("{:?}", m.access).to_lowercase()))
        .count("documents", count(|m| m.documents))
        .count("tokens", count(|m| m.tokens))
        .count("shards", count(|m| m.shards.len() as u64))
        .text("documents_root", text(|m| m.documents_root.root.to_string()))
        .text("texts_root", text(|m| m.texts_root.root.to_string()))
        .text("files_root", text(|m| m.files_root.root.to_string()))
        .text("tokenizer", text(|m| m.tokenizer.name.clone()))
        .text("tokenizer_digest", text(|m| m.tokenizer.digest.to_string()))
        .count("vocabulary", count(|m| u64::from(m.tokenizer.vocabulary)))
        .text("recipe", text(|m| m.recipe.to_string()))
        .text("policy", text(|m| m.policy.to_string()))
        .text("build", text(|m| m.build.clone()))
        .flag("demo", manifests.iter().map(|m| Some(m.record.demo)))
        .list("signers", manifests.iter().map(|m| m.seal.signers().to_vec()))
        .flag("verified", manifests.iter().map(|m| m.seal.verified()))
        .count("read", count(|m| m.funnel.read))
        .count("kept", count(|m| m.funnel.kept))
        .count("held_out", count(|m| m.funnel.held_out))
        .count("dropped", count(|m| m.funnel.dropped.values().sum()))
        .batch()
}

fn stamp_table(stamps: &[(&str, &Signed<Stamp>)]) -> Result<RecordBatch> {
    let text = |f: fn(&Stamp) -> String| stamps.iter().map(move |s| f(&s.1.record));
    Table::default()
        .text("model", stamps.iter().map(|s| s.0))
        .text("artifact", text(|s| s.id.to_string()))
        .text("subject", text(|s| format!("{:?}", s.subject).to_lowercase()))
        .text("assurance", text(|s| format!("{:?}", s.assurance).to_lowercase()))
        .text("files_root", text(|s| s.files_root.root.to_string()))
        .text("digest", stamps.iter().map(|s| s.1.digest.to_string()))
        .text_or_null("anchor", stamps.iter().map(|s| s.1.record.anchor.map(|d| d.to_string())))
        .text_or_null("row_method", stamps.iter().map(|s| s.1.record.row.as_ref().map(|r| r.method.clone())))
        .count("steps", stamps.iter().map(|s| Some(s.1.record.steps)))
        .text("plan", text(|s| s.plan.to_string()))
        .text("config", text(|s| s.config.to_string()))
        .text("build", text(|s| s.build.clone()))
        .flag("demo", stamps.iter().map(|s| Some(s.1.record.demo)))
        .list("signers", stamps.iter().map(|s| s.1.seal.signers().to_vec()))
        .flag("verified", stamps.iter().map(|s| s.1.seal.verified()))
        .batch()
}

const fn at_most(total: TokenTotal) -> Option<u64> {
    match total {
        TokenTotal::Exact(_) => None,
        TokenTotal::AtMost(bound) => Some(bound),
    }
}

/// What may be said of closed sets: one row for each cell, with the bound on the whole set's tokens.
fn public_cells(public: &[Signed<PublicManifest>]) -> Result<RecordBatch> {
    let rows: Vec<_> = public.iter().flat_map(|p| p.record.cells.iter().map(move |c| (p, c))).collect();
    let terms = |e: &Option<manifests::license::Expression>| e.as_ref().map(ToString::to_string);
    Table::default()
        .text("set", rows.iter().map(|r| r.0.record.set.as_str()))
        .text("manifest", rows.iter().map(|r| r.0.digest.to_string()))
        .text_or_null("license", rows.iter().map(|r| terms(&r.1.expression)))
        .text("state", rows.iter().map(|r| r.1.state.as_str()))
        .text_or_null("basis", rows.iter().map(|r| r.1.basis.as_ref().map(ToString::to_string)))
        .text_or_null("election", rows.iter().map(|r| terms(&r.1.election)))
        .count("at_most", rows.iter().map(|r| at_most(r.0.record.tokens)))
        .text("commitments_root", rows.iter().map(|r| r.0.record.commitments_root.to_string()))
        .text("full", rows.iter().map(|r| r.0.record.full.to_string()))
        .list("signers", rows.iter().map(|r| r.0.seal.signers().to_vec()))
        .flag("verified", rows.iter().map(|r| r.0.seal.verified()))
        .batch()
}

/// One row for each cell of each exposure. A closed set's cells have no counts; `at_most` bounds their total.
fn exposure(stamps: &[(&str, &Signed<Stamp>)]) -> Result<RecordBatch> {
    let rows: Vec<_> = stamps
        .iter()
        .flat_map(|(m, s)| {
            s.record.exposures.iter().flat_map(move |e| e.cells.iter().map(move |c| (m, &s.record, e, c)))
        })
        .collect();
    let table = Table::default()
        .text("model", rows.iter().map(|r| *r.0))
        .text("artifact", rows.iter().map(|r| r.1.id.as_str()))
        .text("kind", rows.iter().map(|r| r.2.kind.as_str()))
        .text("set", rows.iter().map(|r| r.2.set.as_str()))
        .text("manifest", rows.iter().map(|r| r.2.manifest.to_string()));
    let cells = rows.iter().map(|r| r.3);
    let table = cell_columns(table, cells.clone()).count("at_most", rows.iter().map(|r| at_most(r.2.tokens)));
    cell_digests(table, cells).batch()
}

/// The columns of `documents`.
pub(super) fn documents_schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let count = |name| Field::new(name, DataType::UInt32, true);
    let list = |name| Field::new(name, DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true);
    Arc::new(Schema::new(vec![
        text("doc_id"),
        text("set"),
        text("tier"),
        text("license"),
        list("source"),
        list("rightsholder"),
        count("cell"),
        count("n_tokens"),
        count("copies"),
        text("role"),
        text("shard"),
    ]))
}

/// Where a shard of a set lies.
pub(crate) fn shard_path(root: &Path, manifest: &SetManifest, shard: &ManifestShard) -> PathBuf {
    shard.file.path.beneath(&root.join("sets").join(manifest.set.as_str()))
}

/// A shard's role, as tables name it.
pub(crate) fn role(shard: &ManifestShard) -> &'static str {
    match shard.file.role {
        Role::Train => "train",
        Role::Heldout => "held-out",
    }
}

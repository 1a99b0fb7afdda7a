//! The embedded query engine over a folder's tables. Our own queries and the user's go through the same session; the
//! user's may only read.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext, col, lit};
use tokio::runtime::Runtime;

use super::folder::{Folder, Kind};
use super::rows::{Column, Rows};
use super::{functions, optional, tables};
use crate::error::{Error, Result};

/// The tables of a folder, ready for queries.
pub struct Engine {
    context: SessionContext,
    runtime: Runtime,
}

impl Engine {
    /// Opens the tables of `folder`: `ledger`, `claims`, `facts`, `documents`, `sources`, `cells`, `public_cells`,
    /// `manifests`, `stamps`, `exposure`; and what nobody signed: `excluded`, `timings`. A model folder has `stamps`
    /// and `exposure` only; the others are empty, as `facts`, `excluded` and `timings` are of a corpus without them.
    ///
    /// # Errors
    /// [`Error::Record`] when a file is not the one that a manifest names; [`Error::Io`] and [`Error::Engine`] when a
    /// Parquet file cannot be opened.
    pub fn open(folder: &Folder) -> Result<Self> {
        folder.check_files()?;
        let engine = Self::of_records(folder)?;
        engine.add_documents(folder)?;
        Ok(engine)
    }

    /// Opens all tables of `folder` but `documents`: ledger and claims are checked and shards are not read.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_evidence(folder: &Folder) -> Result<Self> {
        folder.check_evidence()?;
        Self::of_records(folder)
    }

    fn of_records(folder: &Folder) -> Result<Self> {
        let engine = Self::of_tables(tables::of(folder)?)?;
        let corpus = matches!(folder.kind, Kind::Corpus);
        for (name, schema) in
            [("ledger", manifests::ledger::ledger_schema()), ("claims", manifests::ledger::claims_schema())]
        {
            let files = if corpus { parquet_files(&folder.root.join(name))? } else { vec![] };
            engine.add_files(name, schema, files)?;
        }
        let (facts, excluded) = (optional::facts(&folder.root)?, optional::excluded(&folder.root));
        for (name, (files, schema)) in [("facts", facts), ("excluded", excluded)] {
            engine.add_files(name, schema, if corpus { files } else { vec![] })?;
        }
        engine.add("timings", optional::timings(&folder.root)?)?;
        Ok(engine)
    }

    /// An engine over tables in memory alone, for reports that open no folder.
    ///
    /// # Errors
    /// [`Error::Engine`] when two have one name; [`Error::Bug`] when its threads cannot start.
    pub fn of_tables(all: Vec<(&str, RecordBatch)>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .build()
            .map_err(|e| Error::Bug(format!("cannot start the query engine's threads: {e}")))?;
        let engine = Self { context: SessionContext::new_with_config(config()), runtime };
        functions::all().into_iter().for_each(|function| engine.context.register_udf(function));
        for (name, batch) in all {
            engine.add(name, batch)?;
        }
        Ok(engine)
    }

    /// Adds a table in memory.
    ///
    /// # Errors
    /// [`Error::Engine`] when the name is taken.
    pub fn add(&self, name: &str, batch: RecordBatch) -> Result<()> {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        self.context.register_table(name, Arc::new(table))?;
        Ok(())
    }

    /// Keeps the rows of one of our own queries as a table in memory.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub(crate) fn keep(&self, name: &str, sql: &str) -> Result<()> {
        let kept = self.runtime.block_on(async {
            let frame = self.context.sql(sql).await?;
            let schema = Arc::clone(frame.schema().inner());
            MemTable::try_new(schema, vec![frame.collect().await?])
        });
        self.context.register_table(name, Arc::new(kept?))?;
        Ok(())
    }

    /// Forgets a table.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub(crate) fn forget(&self, name: &str) -> Result<()> {
        self.context.deregister_table(name)?;
        Ok(())
    }

    /// The columns of a table.
    ///
    /// # Errors
    /// [`Error::Engine`] when there is no such table.
    pub fn columns(&self, table: &str) -> Result<Vec<Column>> {
        let frame = self.runtime.block_on(self.context.table(table))?;
        let column = |field: &arrow::datatypes::FieldRef| Column {
            name: field.name().clone(),
            data_type: field.data_type().to_string(),
        };
        Ok(frame.schema().fields().iter().map(column).collect())
    }

    /// Whether a table has rows.
    ///
    /// # Errors
    /// [`Error::Engine`] when there is no such table.
    pub fn has_rows(&self, table: &str) -> Result<bool> {
        Ok(!self.sql(&format!("SELECT 1 AS one FROM {table} LIMIT 1"))?.rows.is_empty())
    }

    /// Runs one of our own queries.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub fn sql(&self, sql: &str) -> Result<Rows> {
        self.runtime.block_on(async { collect(self.context.sql(sql).await?).await }).map_err(Error::Engine)
    }

    /// Runs a user's query, which may only read.
    ///
    /// # Errors
    /// [`Error::Usage`] for a mistake in it, and for statements that would change something; [`Error::Engine`] when
    /// it fails while it runs.
    pub fn user_sql(&self, sql: &str) -> Result<Rows> {
        let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        self.runtime.block_on(async {
            let planned = async {
                let frame = self.context.sql_with_options(sql, read_only).await?;
                // Planned to the end first, so that what the query itself got wrong is told from what happens to it.
                frame.clone().create_physical_plan().await?;
                Ok(frame)
            };
            let frame =
                planned.await.map_err(|e: DataFusionError| Error::Usage { what: mistake(&e), hint: Some(hint()) })?;
            collect(frame).await.map_err(Error::Engine)
        })
    }

    fn add_files(&self, name: &str, schema: SchemaRef, files: Vec<String>) -> Result<()> {
        if files.is_empty() {
            return self.add(name, RecordBatch::new_empty(printed(&schema)));
        }
        let frame = self.runtime.block_on(self.context.read_parquet(files, options(&schema)))?;
        let columns = schema.fields().iter().map(|field| match field.data_type() {
            DataType::FixedSizeBinary(size) => hex_udf(*size).call(vec![col(field.name())]).alias(field.name()),
            _ => col(field.name()),
        });
        let view = frame.select(columns.collect::<Vec<_>>())?;
        self.context.register_table(name, view.into_view())?;
        Ok(())
    }

    /// The rows of all shards without their tokens; `role` and `shard` come from the manifests.
    fn add_documents(&self, folder: &Folder) -> Result<()> {
        const STORED: [&str; 8] = ["set", "tier", "license", "source", "rightsholder", "cell", "n_tokens", "copies"];
        let mut all: Option<DataFrame> = None;
        for manifest in &folder.manifests {
            for shard in &manifest.record.shards {
                let path = tables::shard_path(&folder.root, &manifest.record, shard);
                let file = path.to_string_lossy().into_owned();
                let frame = self.runtime.block_on(self.context.read_parquet(file, ParquetReadOptions::default()))?;
                let mut columns = vec![hex_udf(16).call(vec![col("doc_id")]).alias("doc_id")];
                columns.extend(STORED.map(|name| col(format!("\"{name}\""))));
                let (role, name) = (tables::role(shard), shard.file.path.to_string());
                columns.extend([lit(role).alias("role"), lit(name).alias("shard")]);
                let frame = frame.select(columns)?;
                all = Some(match all {
                    Some(others) => others.union(frame)?,
                    None => frame,
                });
            }
        }
        match all {
            Some(frame) => _ = self.context.register_table("documents", frame.into_view())?,
            None => self.add("documents", RecordBatch::new_empty(tables::documents_schema()))?,
        }
        Ok(())
    }
}

fn config() -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(1)
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
        .set_bool("datafusion.optimizer.enable_leaf_expression_pushdown", false)
}

fn options(schema: &SchemaRef) -> ParquetReadOptions<'_> {
    ParquetReadOptions::default().schema(schema)
}

async fn collect(frame: DataFrame) -> std::result::Result<Rows, DataFusionError> {
    let schema = Arc::clone(frame.schema().inner());
    let batches = frame.collect().await?;
    Rows::of(&schema, &batches).map_err(|e| DataFusionError::External(Box::new(e)))
}

/// The first line of what the planner says, without its own prefixes.
fn mistake(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let plain = ["Error during planning: ", "SQL error: ", "Schema error: ", "This feature is not implemented: "];
    let text = plain.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(&text).to_owned();
    format!("the query cannot be run: {text}")
}

fn hint() -> String {
    "queries read the tables ledger, claims, facts, documents, sources, cells, public_cells, manifests, stamps, exposure, \
     excluded and timings, and change nothing; `SHOW COLUMNS FROM ledger` lists columns"
        .to_owned()
}

pub(super) fn parquet_files(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        if path.extension().is_some_and(|e| e == "parquet") {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    files.sort();
    Ok(files)
}

/// A schema as tables show it: bytes are hex.
fn printed(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::FixedSizeBinary(_) => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
        _ => Arc::clone(field),
    });
    Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}

/// `hex(bytes)` of so many bytes, so that ids read the same in every table and on every screen.
fn hex_udf(size: i32) -> ScalarUDF {
    let encode = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let ids = arrays[0].as_fixed_size_binary();
        let text: StringArray = ids.iter().map(|id| id.map(manifests::digest::hex)).collect();
        Ok(ColumnarValue::Array(Arc::new(text) as Arc<dyn Array>))
    };
    let types = vec![DataType::FixedSizeBinary(size)];
    create_udf("hex", types, DataType::Utf8, Volatility::Immutable, Arc::new(encode))
}

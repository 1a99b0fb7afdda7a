//! The query engine as tasks see it: one DataFusion session with one partition, every kind of automatic parallelism
//! and every rewrite that could move or repeat a heavy function switched off, so that a plan's rows come out in one
//! order on any machine (docs/adr/0003). This file and `query` are the only ones that know DataFusion.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use futures::StreamExt;

use crate::error::{Error, Result};

/// Memory that one task's plan may hold before it spills.
const POOL: usize = 512 << 20;

/// A session for one task.
pub struct Engine {
    runtime: tokio::runtime::Runtime,
    context: SessionContext,
}

impl Engine {
    /// A session that knows these functions.
    ///
    /// # Errors
    /// [`Error::Engine`], or [`Error::Bug`] when no runtime can be made.
    pub fn new(functions: impl IntoIterator<Item = ScalarUDF>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|e| Error::Bug(format!("no async runtime: {e}")))?;
        let pool = Arc::new(FairSpillPool::new(POOL));
        let environment = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc()?;
        let context = SessionContext::new_with_config_rt(config(), environment);
        for function in functions {
            context.register_udf(function);
        }
        Ok(Self { runtime, context })
    }

    /// Registers Parquet files of one schema as a table.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub fn table(&self, name: &str, files: &[PathBuf]) -> Result<()> {
        let paths: Vec<String> = files.iter().map(|p| p.to_string_lossy().into_owned()).collect();
        self.runtime.block_on(async {
            let frame = self.context.read_parquet(paths, ParquetReadOptions::default()).await?;
            self.context.register_table(name, frame.into_view())?;
            Ok(())
        })
    }

    /// Runs a query and hands over its batches in order.
    ///
    /// # Errors
    /// [`Error::Engine`], or what `each` returns.
    pub fn rows(&self, sql: &str, mut each: impl FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        self.runtime.block_on(async {
            let mut stream = self.context.sql(sql).await?.execute_stream().await?;
            while let Some(batch) = stream.next().await {
                each(batch?)?;
            }
            Ok(())
        })
    }
}

fn config() -> SessionConfig {
    let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(1024);
    let options = config.options_mut();
    options.execution.enable_file_stream_work_stealing = false;
    options.execution.parquet.schema_force_view_types = false;
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_leaf_expression_pushdown = false;
    options.optimizer.repartition_aggregations = false;
    options.optimizer.repartition_file_scans = false;
    options.optimizer.repartition_joins = false;
    options.optimizer.repartition_sorts = false;
    options.optimizer.repartition_windows = false;
    options.optimizer.prefer_hash_join = false;
    config
}

/// A string as an SQL literal.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

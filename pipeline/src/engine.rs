//! The query engine as tasks see it: one DataFusion session with one partition, every kind of automatic parallelism
//! and every rewrite that could move or repeat a heavy function switched off, so that a plan's rows come out in one
//! order on any machine (docs/adr/0003). This file and `query` are the only ones that know DataFusion.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, Volatility};
use datafusion::physical_plan::PhysicalExpr;
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

/// A condition that a person wrote over named columns: one SQL expression that is true, false or unknown for a row.
#[derive(Clone, Debug)]
pub struct Condition {
    expression: Arc<dyn PhysicalExpr>,
}

impl Condition {
    /// Understands `sql` over the columns of `schema`.
    ///
    /// # Errors
    /// In words for the one who wrote it: an unknown column, a type that is no truth value, a function whose answer is
    /// not settled by its arguments (`now()`, `random()`), an aggregate, a window or a sub-query.
    pub fn new(sql: &str, schema: &Schema) -> std::result::Result<Self, String> {
        let context = SessionContext::new_with_config(config());
        let columns = DFSchema::try_from(schema.clone()).map_err(|e| e.to_string())?;
        let parsed = context.parse_sql_expr(sql, &columns).map_err(|e| first_line(&e.to_string()))?;
        settled(&parsed)?;
        match parsed.get_type(&columns).map_err(|e| first_line(&e.to_string()))? {
            DataType::Boolean => {}
            other => return Err(format!("it gives {other} and not a truth value")),
        }
        let expression = context.create_physical_expr(parsed, &columns).map_err(|e| first_line(&e.to_string()))?;
        Ok(Self { expression })
    }

    /// Where the condition holds. What is unknown does not hold, as in SQL's `WHERE`.
    ///
    /// # Errors
    /// [`Error::Engine`] when a row can't be computed, as a division by zero.
    pub fn holds(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let values = self.expression.evaluate(batch)?.into_array(batch.num_rows())?;
        let values = values.as_any().downcast_ref::<BooleanArray>().cloned();
        let values = values.ok_or_else(|| Error::Bug("a condition gave no truth values".to_owned()))?;
        Ok(values.iter().map(|value| Some(value == Some(true))).collect())
    }
}

/// The first line of what the engine says; the rest is for who maintains it.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Refuses what could be answered differently tomorrow, or needs more than the row.
fn settled(expression: &Expr) -> std::result::Result<(), String> {
    let mut wrong = None;
    let walked = expression.apply(|part| {
        wrong = match part {
            Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
                Some(format!("`{}()` answers differently from call to call", call.func.name()))
            }
            Expr::AggregateFunction(_) => Some("an aggregate needs more than one document".to_owned()),
            Expr::WindowFunction(_) => Some("a window function needs more than one document".to_owned()),
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) => {
                Some("there are no tables to ask".to_owned())
            }
            _ => None,
        };
        Ok(if wrong.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.map_err(|e| first_line(&e.to_string()))?;
    wrong.map_or(Ok(()), Err)
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

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Float64Array, StringArray};
    use arrow::datatypes::Field;

    use super::*;

    fn schema() -> Schema {
        let columns = [("set", DataType::Utf8), ("language_score", DataType::Float64), ("words", DataType::UInt64)];
        Schema::new(columns.map(|(name, kind)| Field::new(name, kind, true)).to_vec())
    }

    #[test]
    fn what_is_unknown_does_not_hold() {
        let columns = [Field::new("set", DataType::Utf8, true), Field::new("language_score", DataType::Float64, true)];
        let schema = Schema::new(columns.to_vec());
        let condition = Condition::new("set = 'news' AND language_score > 0.5", &schema).unwrap();
        let values: [ArrayRef; 2] = [
            Arc::new(StringArray::from(vec!["news", "news", "news", "code"])),
            Arc::new(Float64Array::from(vec![Some(0.6), Some(0.5), None, Some(0.9)])),
        ];
        let batch = RecordBatch::try_new(Arc::new(schema), values.to_vec()).unwrap();
        let holds: Vec<bool> = condition.holds(&batch).unwrap().iter().map(|v| v.unwrap()).collect();
        assert_eq!(holds, [true, false, false, false]);
    }

    #[test]
    fn what_a_row_does_not_settle_is_refused() {
        let said = |sql: &str| Condition::new(sql, &schema()).unwrap_err();
        assert!(said("words + 1").contains("not a truth value"), "{}", said("words + 1"));
        assert!(said("random() > 0.5").contains("answers differently"), "{}", said("random() > 0.5"));
        assert!(said("now() > to_timestamp('2026-01-01')").contains("answers differently"));
        assert!(said("wordz > 3").contains("wordz"), "{}", said("wordz > 3"));
        assert!(said("count(words) > 3").contains("aggregate"), "{}", said("count(words) > 3"));
        assert!(said("words >").contains("ParserError"), "{}", said("words >"));
        assert!(Condition::new("regexp_like(\"set\", '^n') OR words BETWEEN 3 AND 9", &schema()).is_ok());
    }
}

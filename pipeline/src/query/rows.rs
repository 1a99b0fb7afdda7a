//! Rows as JSON values: what a query gives to reports, tables and programs. Bytes are hex, lists are arrays, days and
//! decimals are text; 64-bit integers stay integers.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use manifests::digest::hex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name; a repeated one has a number behind it.
    pub name: String,
    /// Its Arrow type.
    #[serde(rename = "type")]
    pub data_type: String,
}

/// A result, whole in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rows {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each an object with the columns as members.
    pub rows: Vec<Value>,
}

impl Rows {
    pub(super) fn of(schema: &arrow::datatypes::Schema, batches: &[RecordBatch]) -> Result<Self> {
        let mut columns: Vec<Column> = Vec::new();
        for field in schema.fields() {
            let taken = columns.iter().filter(|c| c.name == *field.name()).count();
            let name = if taken == 0 { field.name().clone() } else { format!("{}_{}", field.name(), columns.len()) };
            columns.push(Column { name, data_type: field.data_type().to_string() });
        }
        let mut rows = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let cells = columns.iter().zip(batch.columns());
                let object: Result<Map<String, Value>> =
                    cells.map(|(c, array)| Ok((c.name.clone(), value(array, row)?))).collect();
                rows.push(Value::Object(object?));
            }
        }
        Ok(Self { columns, rows })
    }

    /// The rows as values of one type.
    ///
    /// # Errors
    /// [`Error::Bug`] when the query's columns are not the type's members.
    pub fn read<T: DeserializeOwned>(self) -> Result<Vec<T>> {
        let one =
            |row| serde_json::from_value(row).map_err(|e| Error::Bug(format!("a report's query does not fit: {e}")));
        self.rows.into_iter().map(one).collect()
    }
}

fn value(array: &ArrayRef, row: usize) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(row)).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        // What SQL makes of a sum of unsigned and signed integers.
        DataType::Decimal128(_, 0) => whole(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Binary => hex(array.as_binary::<i32>().value(row)).into(),
        DataType::FixedSizeBinary(_) => hex(array.as_fixed_size_binary().value(row)).into(),
        DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
        _ => {
            let formatter = ArrayFormatter::try_new(array, &FormatOptions::default())?;
            formatter.value(row).to_string().into()
        }
    })
}

/// An integer, or its digits when no 64-bit integer holds it.
fn whole(number: i128) -> Value {
    let signed = i64::try_from(number).map(Value::from);
    signed.or_else(|_| u64::try_from(number).map(Value::from)).unwrap_or_else(|_| number.to_string().into())
}

fn list(items: &ArrayRef) -> Result<Value> {
    (0..items.len()).map(|row| value(items, row)).collect::<Result<Vec<_>>>().map(Value::Array)
}

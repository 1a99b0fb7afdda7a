//! Functions of ours that queries may use beside SQL's own: what a path or an address belongs to.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use corpus::site::registered_domain;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// Every function.
pub(super) fn all() -> Vec<ScalarUDF> {
    vec![of_text("folder_of", |path| Some(folder_of(path).to_owned())), of_text("registered_domain", registered_domain)]
}

/// A function from text to text.
fn of_text(name: &str, one: fn(&str) -> Option<String>) -> ScalarUDF {
    let all = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = cast(&arrays[0], &DataType::Utf8)?;
        let found: StringArray = texts.as_string::<i32>().iter().map(|text| text.and_then(one)).collect();
        Ok(ColumnarValue::Array(Arc::new(found) as ArrayRef))
    };
    create_udf(name, vec![DataType::Utf8], DataType::Utf8, Volatility::Immutable, Arc::new(all))
}

/// The first two folders of a path; empty for a file at the top.
fn folder_of(path: &str) -> &str {
    let Some(folder) = path.rfind('/').map(|end| &path[..end]) else { return "" };
    folder.match_indices('/').nth(1).map_or(folder, |(second, _)| &folder[..second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_first_two_of_its_path() {
        let cases = [("a.txt", ""), ("a/b.txt", "a"), ("a/b/c.txt", "a/b"), ("a/b/c/d.txt", "a/b"), ("/x", "")];
        for (path, folder) in cases {
            assert_eq!(folder_of(path), folder, "{path}");
        }
    }
}

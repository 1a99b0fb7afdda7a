//! Documents that name tests: `path.rs::name`, or `module::name` beneath tests/. What they name must be there.

use std::fs;

use super::workspace;

/// What stands between backticks.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether a test that a document names is where it says.
pub(crate) fn has_test(named: &str) -> bool {
    let Some((module, name)) = named.rsplit_once("::") else { return false };
    let beneath = format!("tests/{}", module.replace("::", "/"));
    let files = if module.ends_with(".rs") {
        vec![module.to_owned()]
    } else {
        vec![format!("{beneath}.rs"), format!("{beneath}/mod.rs")]
    };
    let holds = |file: &String| {
        fs::read_to_string(workspace().join(file)).is_ok_and(|text| text.contains(&format!("fn {name}(")))
    };
    files.iter().any(holds)
}

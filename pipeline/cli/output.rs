//! Where words go: results to standard output, everything else to standard error. A reader that closes the pipe
//! early is no failure.

use std::io::{IsTerminal, Write};

use pipeline::query::Rows;
pub(crate) use pipeline::words::grid;
use serde::Serialize;
use serde_json::Value;

use crate::args::{Format, Global};
use crate::failure::{Failure, Outcome};

/// How much is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    global: Global,
}

impl Output {
    pub(crate) const fn new(global: Global) -> Self {
        Self { global }
    }

    /// Whether progress may be shown.
    pub(crate) const fn shows_progress(&self) -> bool {
        !self.global.quiet && !self.global.no_progress
    }

    /// Writes a result as people or programs read it.
    pub(crate) fn report<T: Serialize>(
        &self,
        format: Format,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Outcome<()> {
        match format {
            Format::Human => self.data(&text(value)),
            Format::Json => {
                let json = serde_json::to_string_pretty(value)
                    .map_err(|e| Failure::Output(format!("cannot write JSON: {e}")))?;
                self.data(&(json + "\n"))
            }
        }
    }

    /// Writes a result to standard output.
    pub(crate) fn data(&self, text: &str) -> Outcome<()> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Output(format!("cannot write to standard output: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Says something on standard error, unless told to be quiet.
    pub(crate) fn say(&self, text: &str) {
        if !self.global.quiet {
            to_stderr(&format!("{text}\n"));
        }
    }
}

/// Writes to standard error; when even that is closed there is nobody to tell.
pub(crate) fn to_stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether standard error takes colour: a terminal, and NO_COLOR not set (no-color.org).
pub(crate) fn colour_on_stderr() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// A result as a table: columns aligned, numbers to the right, control characters shown as such.
pub(crate) fn table(rows: &Rows) -> String {
    let names: Vec<String> = rows.columns.iter().map(|c| c.name.clone()).collect();
    let lines: Vec<Vec<String>> =
        rows.rows.iter().map(|row| names.iter().map(|name| cell(&row[name.as_str()])).collect()).collect();
    let numeric: Vec<bool> =
        rows.columns.iter().map(|c| c.data_type.contains("Int") && !c.data_type.contains("List")).collect();
    let count = if lines.len() == 1 { "1 row".to_owned() } else { format!("{} rows", lines.len()) };
    format!("{}({count})\n", grid(&names, &lines, &numeric))
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

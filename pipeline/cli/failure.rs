//! Whatever stops a command, and how it is told: message, causes, the place in the file where one is known, and the
//! way out on a `hint:` line. Rendered by miette, to standard error.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use pipeline::torch::TorchError;

use crate::exit::Exit;
use crate::output::{colour_on_stderr, to_stderr};

/// Whatever stops a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was typed cannot be meant.
    Usage {
        /// What is wrong.
        what: String,
        /// The way out.
        hint: Option<String>,
    },
    /// The library failed.
    Run(pipeline::Error),
    /// `flexmix-torch` was not run, or failed.
    Torch(TorchError),
    /// A result could not be written.
    Output(String),
}

/// The result of a command.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: Some(hint.into()) }
    }

    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Usage { .. } | Self::Output(_) => None,
            Self::Run(error) => Some(error),
            Self::Torch(error) => Some(error),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => hint.clone(),
            Self::Run(error) => error.hint().or_else(|| hint_of_run(error)),
            Self::Torch(error) => error.hint().map(str::to_owned),
            Self::Output(_) => None,
        }
    }

    /// Writes it to standard error.
    pub(crate) fn render(&self) {
        to_stderr(&self.to_text(colour_on_stderr()));
    }

    /// As programs read it: `flexmix/error/v1`, one line.
    pub(crate) fn to_json(&self, exit: Exit) -> String {
        let told = Told::of(self);
        let mut causes = Vec::new();
        let mut next = &told.cause;
        while let Some(cause) = next {
            causes.push(cause.message.as_str());
            next = &cause.cause;
        }
        let value = serde_json::json!({
            "schema": "flexmix/error/v1", "exit": exit.code(), "error": told.message, "causes": causes,
            "hint": self.hint(),
        });
        format!("{value}\n")
    }

    /// As it is written.
    pub(crate) fn to_text(&self, colour: bool) -> String {
        let told = Told::of(self);
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_links(false);
        let mut text = String::new();
        if handler.render_report(&mut text, &told).is_err() {
            text = format!("  × {told}\n");
        }
        let mut text = format!("error:\n{}\n", text.trim_matches('\n').trim_end());
        if let Some(hint) = self.hint() {
            text.push_str(&format!("  hint: {hint}\n"));
        }
        text
    }
}

fn hint_of_run(error: &pipeline::Error) -> Option<String> {
    let pipeline::Error::Record(record) = error else { return None };
    let hint = match record {
        manifests::Error::Verification { what, .. } if what.contains("FM-T-001") => {
            "name the trust file with `--trust FILE`; `flexmix trust init` makes one"
        }
        manifests::Error::Verification { what, .. } if what.contains("FM-T-004") || what.contains("FM-T-006") => {
            "sign a head over the records: `flexmix sign head HEAD.toml --records DIR --key KEY`"
        }
        manifests::Error::Verification { what, .. } if what.contains("FM-T-005") => {
            "sign a new head, or ask for another day with `--as-of`"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

impl From<pipeline::Error> for Failure {
    fn from(error: pipeline::Error) -> Self {
        Self::Run(error)
    }
}

impl From<manifests::Error> for Failure {
    fn from(error: manifests::Error) -> Self {
        Self::Run(pipeline::Error::Record(error))
    }
}

impl From<TorchError> for Failure {
    fn from(error: TorchError) -> Self {
        Self::Torch(error)
    }
}

/// A failure as miette takes it.
#[derive(Debug)]
struct Told {
    message: String,
    cause: Option<Box<Cause>>,
    source: Option<NamedSource<String>>,
    label: Option<LabeledSpan>,
}

#[derive(Debug)]
struct Cause {
    message: String,
    cause: Option<Box<Self>>,
}

impl Told {
    fn of(failure: &Failure) -> Self {
        let message = match failure {
            Failure::Usage { what, .. } | Failure::Output(what) => what.clone(),
            Failure::Run(error) => error.to_string(),
            Failure::Torch(error) => error.to_string(),
        };
        let mut causes = Vec::new();
        let mut next = failure.source().and_then(std::error::Error::source);
        while let Some(cause) = next {
            // A transparent wrapper says what it wraps: once is enough.
            let text = cause.to_string();
            if text != message && causes.last() != Some(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        let fold = |inner: Option<Box<Cause>>, message: String| Some(Box::new(Cause { message, cause: inner }));
        let cause = causes.into_iter().rev().fold(None, fold);
        let mut told = Self { message, cause, source: None, label: None };
        if let Failure::Run(error) = failure {
            told.point(error);
        }
        told
    }

    /// Finds the place in the file that a mistake is at, from the line and column that its message names.
    fn point(&mut self, error: &pipeline::Error) {
        let (pipeline::Error::Recipe { path, what }
        | pipeline::Error::Record(manifests::Error::Malformed { path, what, .. })) = error
        else {
            return;
        };
        let Some((line, column)) = position(what) else { return };
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let Some(start) = offset(&text, line, column) else { return };
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let words = mistake(what);
        let head = self.message.strip_suffix(what.as_str()).unwrap_or("").to_owned();
        self.message = format!("{head}line {line}, column {column}: {words}");
        let length = text[start..].find(['\n', ',', ']', '}', '=', ' ']).unwrap_or(1).max(1);
        self.label = Some(LabeledSpan::new(Some("here".to_owned()), start, length.min(text.len() - start)));
        self.source = Some(NamedSource::new(name, text));
    }
}

/// `line 20, column 14` in a message.
fn position(what: &str) -> Option<(usize, usize)> {
    let (_, rest) = what.split_once("line ")?;
    let (line, rest) = rest.split_once(", column ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((line.parse().ok()?, rest[..digits].parse().ok()?))
}

/// The byte at a line and column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let start = if line == 1 { 0 } else { text.match_indices('\n').nth(line.checked_sub(2)?)?.0 + 1 };
    let within = text[start..].char_indices().nth(column.checked_sub(1)?).map_or(text[start..].len(), |(at, _)| at);
    Some(start + within)
}

/// A message without its own picture of the file: what stands after the position.
fn mistake(what: &str) -> String {
    if what.starts_with("TOML parse error") {
        let words = |l: &&str| {
            let trimmed = l.trim_start();
            !trimmed.is_empty() && !trimmed.starts_with('|') && !trimmed.starts_with(|c: char| c.is_ascii_digit())
        };
        return what.lines().skip(1).filter(words).collect::<Vec<_>>().join("; ");
    }
    what.split_once(": ").map_or(what, |(_, words)| words).to_owned()
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Told {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|c| c.as_ref() as _)
    }
}

impl Diagnostic for Told {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label.clone().map(|l| Box::new(std::iter::once(l)) as _)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|c| c.as_ref() as _)
    }
}

//! The arguments of `license identify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Format;

/// `flexmix license …`.
#[derive(Debug, Subcommand)]
pub(crate) enum LicenseCommand {
    /// Name the license texts in files, or show where they part from the nearest one
    Identify(IdentifyArgs),
}

/// Arguments of `flexmix license identify`.
#[derive(Debug, Args)]
#[command(
    after_help = "A file is named only when it is nothing but texts of the SPDX license list, word for word. Anything else needs \
a decision: the nearest text is a hint. Exits 1 when a file needs one.\n\n\
Examples:\n  flexmix license identify LICENSE\n  flexmix license identify --package tokio --format json tokio-1.48.0/LICENSE"
)]
pub(crate) struct IdentifyArgs {
    /// The files to read
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The package that they came in: a first line that names it is a title
    #[arg(long, value_name = "NAME")]
    pub package: Option<String>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

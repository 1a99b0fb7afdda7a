//! What people read first: help, and errors with their hints, as snapshots.

use clap::{CommandFactory, Parser};

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;

#[test]
fn help_of_every_command_has_an_example() {
    let mut texts = Vec::new();
    collect(Cli::command(), "flexmix", &mut texts);
    for (name, help, is_leaf) in &texts {
        assert!(!is_leaf || help.contains("Example"), "`{name} --help` has no example");
    }
    let all: Vec<String> = texts.into_iter().map(|(name, help, _)| format!("$ {name} --help\n{help}")).collect();
    insta::assert_snapshot!(all.join("\n"));
}

fn collect(mut command: clap::Command, name: &str, texts: &mut Vec<(String, String, bool)>) {
    command = command.bin_name(name).version("VERSION");
    let is_leaf = command.get_subcommands().next().is_none();
    texts.push((name.to_owned(), command.render_long_help().to_string(), is_leaf));
    for sub in command.get_subcommands().filter(|s| s.get_name() != "help") {
        collect(sub.clone(), &format!("{name} {}", sub.get_name()), texts);
    }
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
    let pass = Cli::try_parse_from(["flexmix", "generate", "m", "--policy", "p.toml", "--help"]);
    assert!(matches!(pass.unwrap().command, crate::args::Command::Generate(a) if a.arguments.len() == 4));
    assert!(Cli::try_parse_from(["flexmix", "sign", "head", "h.toml", "--key", "k"]).is_err());
    assert!(Cli::try_parse_from(["flexmix", "sign", "lease", "h.toml", "--key", "k"]).is_err());
}

const POLICY: &str = r#"schema = "flexmix/policy/v1"
id = "p"
version = 1
owner = "o"
valid = { from = 2026-12-01, until = 2027-05-31 }
default = "deny"
[use]
act = "serve"
purpose = "commercial"
places = ["EU"]
[allow]
families = ["permissive"]
bases = ["license"]
[trust]
assurance = "claimed"
head_max_age = "7d"
undecided_withdrawal = "exclude"
"#;

fn policy_error(text: &str) -> Failure {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, text).unwrap();
    let failure: Failure = manifests::policy::Policy::parse(&path, text.as_bytes()).unwrap_err().into();
    // Rendered while the file is there.
    let rendered = failure.to_text(false).replace(&folder.path().display().to_string(), "DIR");
    assert_eq!(Exit::of(&failure), Exit::Usage, "{rendered}");
    Failure::Output(rendered)
}

fn text_of(failure: Failure) -> String {
    match failure {
        Failure::Output(text) => text,
        other => other.to_text(false),
    }
}

#[test]
fn mistakes_in_a_policy_point_at_their_place() {
    let cases = [
        POLICY.replace("families", "familys"),
        POLICY.replace("\"permissive\"", "\"permissiv\""),
        POLICY.replace("default = \"deny\"", "default = \"allow\""),
        POLICY.replace("bases = [\"license\"]", "bases = [\"license\", \"licence\"]"),
        POLICY.replace("places = [\"EU\"]", "places = [\"EU\""),
    ];
    let texts: Vec<String> = cases.iter().map(|c| text_of(policy_error(c))).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn failures_have_codes_and_hints() {
    let path = std::path::Path::new("corpus/records");
    let io = || std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
    let failures: Vec<(Failure, u8)> = vec![
        (manifests::Error::io(path, io()).into(), 3),
        (manifests::Error::verification(path, "there is no trust file [FM-T-001 trust-missing]").into(), 1),
        (manifests::Error::verification(path, "head 3 is old [FM-T-005 head-expired]").into(), 1),
        (manifests::Error::malformed("set-manifest", "m.dsse.json", "it is not canonical").into(), 1),
        (pipeline::Error::usage("`x` is neither", "try this").into(), 2),
        (pipeline::Error::Bug("two is three".into()).into(), 70),
        (pipeline::torch::TorchError::Missing.into(), 3),
        (pipeline::torch::TorchError::Failed { job: "anchor".into(), code: 75 }.into(), 75),
    ];
    let mut texts = Vec::new();
    for (failure, code) in failures {
        let text = failure.to_text(false);
        assert_eq!(Exit::of(&failure).code(), code, "{text}");
        texts.push(format!("exit {code}\n{text}"));
    }
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn tables_align_and_hide_control_characters() {
    let row = serde_json::json!({"a": "x\u{1b}[31m", "n": 1200, "l": ["p", "q"], "z": null});
    let column = |name: &str, t: &str| pipeline::query::Column { name: name.into(), data_type: t.into() };
    let columns = vec![column("a", "Utf8"), column("n", "UInt64"), column("l", "List(Utf8)"), column("z", "Utf8")];
    let rows = pipeline::query::Rows { columns, rows: vec![row] };
    insta::assert_snapshot!(crate::output::table(&rows));
}

//! Each command: from flags to the library and back to a report.

use std::io::Write as _;
use std::path::Path;

use manifests::date::Date;
use manifests::gate::GateOptions;
use manifests::memory::Memory;
use manifests::policy::Act;
use manifests::trust::Trust;
use training::evaluate::{self, SetLoss};
use training::generate::{Settings, generate};
use training::job::{Finished, Inputs, run_anchor, run_expert};
use training::merge::{Merge, merge};
use training::session::{Report, Session, describe};
use training::{Error, Result};

use super::args::{Cli, Command, Eval, Format, GenerateArgs, JobArgs, LossArgs, MergeArgs, SessionArgs, Train};
use super::progress::Watcher;
use super::{devices, say};

pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Devices(args) => devices::run(&args),
        Command::Train { what: Train::Anchor(args) } => {
            let mut watcher = start(&args.job, "anchor")?;
            let done = run_anchor(&inputs(&args.job, &args.plan), &mut note, &mut |p| watcher.step(p));
            finish(&args.job, done)
        }
        Command::Train { what: Train::Expert(args) } => {
            let mut watcher = start(&args.job, args.id.as_str())?;
            let (job, anchor) = (inputs(&args.job, &args.plan), args.anchor.as_deref());
            let done = run_expert(&job, &args.id, anchor, &mut note, &mut |p| watcher.step(p));
            finish(&args.job, done)
        }
        Command::Merge(args) => run_merge(&args),
        Command::Generate(args) => run_generate(&args),
        Command::Eval { what: Eval::Loss(args) } => run_loss(&args),
    }
}

fn set_threads(threads: Option<i32>) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    // Beyond this, threads only wait for each other, and a slip of the keyboard would occupy the machine.
    let most = i32::try_from(4 * cores).unwrap_or(i32::MAX).max(16);
    match threads {
        Some(threads) if !(1..=most).contains(&threads) => {
            Err(Error::Usage(format!("`--threads {threads}`: 1 to {most} on this machine, which has {cores} cores")))
        }
        Some(threads) => {
            tch::set_num_threads(threads);
            Ok(())
        }
        None => Ok(()),
    }
}

fn today(as_of: Option<Date>) -> Date {
    as_of.unwrap_or_else(|| jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date().into())
}

fn start(job: &JobArgs, name: &str) -> Result<Watcher> {
    set_threads(job.threads)?;
    Watcher::new(name)
}

fn inputs(job: &JobArgs, plan: &Path) -> Inputs {
    Inputs {
        plan: plan.to_owned(),
        corpus: job.corpus.clone(),
        policy: job.policy.clone(),
        trust: job.trust.clone(),
        records: job.records.clone(),
        as_of: today(job.as_of),
        memory: Memory::of_user(),
        key: job.key.clone(),
        out: job.out.clone(),
        checkpoint_every: job.checkpoint_every,
    }
}

/// What a job says before its first step.
fn note(line: String) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

fn finish(job: &JobArgs, done: Result<Finished>) -> Result<()> {
    let done = done?;
    match job.format {
        Format::Json => say(&json("flexmix/trained/v1", &done)?),
        Format::Human => {
            say(&format!("{} trained in {} steps: {}", done.id, done.steps, done.folder.display()));
            say(&format!("  weights {}\n  stamp   {}", done.files_root, done.stamp));
        }
    }
    Ok(())
}

/// A report as one line of JSON with its schema first.
fn json(schema: &str, report: &impl serde::Serialize) -> Result<String> {
    let value = serde_json::json!({ "schema": schema, "result": report });
    serde_json::to_string(&value).map_err(|e| Error::Usage(format!("report: {e}")))
}

fn run_merge(args: &MergeArgs) -> Result<()> {
    let task = Merge {
        anchor: args.anchor.clone(),
        experts: args.experts.clone(),
        out: args.out.clone(),
        trust: args.trust.clone(),
        as_of: today(args.as_of),
        memory: Memory::of_user(),
        key: args.key.clone(),
    };
    let merged = merge(&task)?;
    match args.format {
        Format::Json => say(&json("flexmix/merged/v1", &merged)?),
        Format::Human => {
            say(&format!("merged {} into {}", merged.members.join(", "), merged.folder.display()));
            say(&format!("  index {}", merged.index));
        }
    }
    Ok(())
}

fn gate(args: &SessionArgs) -> GateOptions {
    let above = args.model.parent().and_then(Path::parent).unwrap_or(Path::new(".")).join("records");
    GateOptions {
        policy: args.policy.clone(),
        trust: args.trust.clone(),
        records: args.records.clone().unwrap_or(above),
        as_of: today(args.as_of),
        act: Act::Serve,
        memory: Memory::of_user(),
    }
}

fn session(args: &SessionArgs) -> Result<Session> {
    set_threads(args.threads)?;
    Session::open(&args.model, &gate(args))
}

/// Who answered and why the others did not, for people.
fn who(report: &Report) -> String {
    let Report { policy, policy_version, as_of, .. } = report;
    let members = std::iter::once(&report.anchor).chain(&report.admitted);
    let names: Vec<&str> = members.map(|a| a.id.as_str()).collect();
    let mut text = format!("answered: {} (policy {policy} v{policy_version}, as of {as_of})", names.join(", "));
    for excluded in &report.excluded {
        text.push_str(&format!("\nexcluded: {} {}", excluded.id, excluded.files_root));
        for cause in &excluded.causes {
            text.push_str(&format!("\n  {}", describe(cause)));
        }
    }
    text
}

fn run_generate(args: &GenerateArgs) -> Result<()> {
    if !args.temperature.is_finite() || args.temperature < 0.0 {
        return Err(Error::Usage(format!("`--temperature {}`: a number of at least 0", args.temperature)));
    }
    let session = session(&args.session)?;
    let settings = Settings { max_tokens: args.max_tokens, temperature: args.temperature, seed: args.seed };
    let answer = generate(&session, &args.prompt, settings)?;
    match args.session.format {
        Format::Json => {
            let value = serde_json::json!({
                "schema": "flexmix/answer/v1", "prompt": args.prompt, "answer": answer, "session": session.report,
            });
            say(&value.to_string());
        }
        Format::Human => {
            say(&format!("{}{}", args.prompt, answer.text));
            say(&format!("--\n{}", who(&session.report)));
        }
    }
    Ok(())
}

fn run_loss(args: &LossArgs) -> Result<()> {
    let session = session(&args.session)?;
    let options = gate(&args.session);
    let Some(trust) = &options.trust else { return Err(Error::Usage("`--trust` is needed".into())) };
    let trust = Trust::open(trust, options.as_of)?;
    options.memory.trust(&trust)?;
    let sets = if args.sets.is_empty() { evaluate::sets(&args.corpus)? } else { args.sets.clone() };
    let mut losses: Vec<SetLoss> = Vec::new();
    for set in &sets {
        losses.extend(evaluate::loss(&session, &args.corpus, set, &trust, options.as_of, args.max_tokens)?);
    }
    match args.session.format {
        Format::Json => {
            let value = serde_json::json!({ "schema": "flexmix/loss/v1", "sets": losses, "session": session.report });
            say(&value.to_string());
        }
        Format::Human => {
            say(&format!("{:<18} {:>8} {:>9} {:>9} {:>9}", "held-out set", "tokens", "anchor", "session", "change"));
            for SetLoss { set, tokens, loss, anchor_loss, .. } in &losses {
                let change = loss - anchor_loss;
                say(&format!("{set:<18} {tokens:>8} {anchor_loss:>9.3} {loss:>9.3} {change:>+9.3}"));
            }
            say(&format!("--\n{}", who(&session.report)));
        }
    }
    Ok(())
}

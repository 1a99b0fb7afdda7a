//! `flexmix withdraw`, `flexmix impact`, `flexmix rebuild`.

use std::path::{Path, PathBuf};

use manifests::record::{Withdrawal, WithdrawalTarget};
use manifests::records::Records;
use manifests::sign::PrivateKey;
use manifests::trust::Trust;
use pipeline::html;
use pipeline::withdrawal::impact::{
    Asked, ImpactReport, KIND, Others, answers, draft, impact, page, read_withdrawal, text_of,
};
use pipeline::withdrawal::{RebuildOptions, RebuildReport, SetReport, record, withdrawals};
use pipeline::words::counted;
use serde::Serialize;

use super::replace;
use crate::args::{ImpactArgs, RebuildArgs, TargetArgs, WithdrawArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::settings::GateSettings;

/// Files that are listed one by one; programs get all of them.
const LISTED: usize = 20;

/// What was typed as a target; `dirs` are where a document is looked for.
fn target(args: &TargetArgs, dirs: &[PathBuf]) -> Outcome<Option<WithdrawalTarget>> {
    let work = |text| WithdrawalTarget::Work { text, held_by: [].into() };
    Ok(Some(match args {
        TargetArgs { source: Some(id), .. } => WithdrawalTarget::Source(id.parse()?),
        TargetArgs { work: Some(digest), .. } => work(digest.parse()?),
        TargetArgs { document: Some(id), .. } => work(text_of(id, dirs)?),
        TargetArgs { rightsholder: Some(name), .. } => WithdrawalTarget::Rightsholder(name.clone()),
        TargetArgs { license: Some(expression), .. } => WithdrawalTarget::License(expression.parse()?),
        _ => return Ok(None),
    }))
}

fn no_target() -> Failure {
    Failure::usage(
        "nothing says what is withdrawn",
        "name it with --source, --work, --document, --rightsholder or --license",
    )
}

/// What a records folder says beside the withdrawal that is asked about, and in words how far it was checked.
fn others(settings: &GateSettings, trust: Option<&Trust>) -> Outcome<Others> {
    if !settings.has_records {
        let words = "no records folder was given, so other withdrawals are not known";
        return Ok(Others { words: words.to_owned(), ..Others::default() });
    }
    let words = match trust.map(|trust| Records::open(&settings.records, trust, settings.as_of)) {
        Some(Ok(records)) => {
            // What was true once is no answer to what is withdrawn now, nor a ground for the next head.
            trust.map_or(Ok(()), |trust| settings.memory.head(trust, &records.head))?;
            let place = settings.records.display();
            let words = format!("those that head {} of {place} names", records.head.sequence);
            return Ok(Others::of(records, words));
        }
        Some(Err(error)) => format!("not verified ({error})"),
        None => "not verified, since no trust file was given".to_owned(),
    };
    Ok(Others { withdrawals: withdrawals(&settings.records)?, words, ..Others::default() })
}

pub(super) fn impact_of(args: &ImpactArgs, output: &Output) -> Outcome<Exit> {
    let first = args.dirs.first().map_or(Path::new("."), PathBuf::as_path);
    let settings = GateSettings::resolve(&args.gate, first);
    let trust = settings.open_trust()?;
    let typed = target(&args.target, &args.dirs)?;
    let (withdrawal, digest) = match (&args.withdrawal, typed) {
        (Some(file), _) => read_withdrawal(file).map(|(record, digest)| (record, Some(digest)))?,
        (None, Some(target)) => (draft(target, settings.as_of), None),
        (None, None) => return Err(no_target()),
    };
    let others = others(&settings, trust.as_ref())?;
    let asked = Asked { withdrawal, digest, others, as_of: settings.as_of };
    let report = impact(&asked, &args.dirs, trust.as_ref().map(|t| (t, settings.as_of)))?;
    if let (Some(folder), Some(owner)) = (&args.owner_answers, &args.owner) {
        for file in answers(&asked, &report, owner, folder)? {
            let name = file.display();
            output.say(&format!("wrote {name}; read it, then: flexmix sign impact {name} --key OWNER.key"));
        }
    }
    if let Some(out) = &args.html {
        replace(out, &page(&report), &html::mark(KIND))?;
        output.say(&format!("wrote {}", out.display()));
    }
    output.report(args.format, &report, ImpactReport::to_text)?;
    Ok(Exit::Done)
}

/// What `withdraw` reports.
#[derive(Serialize)]
struct WithdrawReport {
    schema: &'static str,
    record: PathBuf,
    digest: String,
    /// The sequence of the new head, when it was signed.
    head: Option<u64>,
    impact: ImpactReport,
}

pub(super) fn withdraw(args: &WithdrawArgs, output: &Output) -> Outcome<Exit> {
    let Some(records) = args.gate.records.clone() else {
        return Err(Failure::usage("`withdraw` needs `--records DIR`", "a withdrawal goes into a folder of records"));
    };
    let settings = GateSettings::resolve(&args.gate, &records);
    let trust = settings.open_trust()?;
    let target = target(&args.target, &args.corpora)?.ok_or_else(no_target)?;
    let key = PrivateKey::read(&args.key)?;
    let head_key = args.head_key.as_deref().map(PrivateKey::read).transpose()?;
    let mut withdrawal = Withdrawal {
        kind: args.kind.into(),
        effective: args.effective,
        learned: args.learned,
        reason: args.reason.clone(),
        demo: args.demo,
        ..draft(target, settings.as_of)
    };
    withdrawal.id = args.id.clone().unwrap_or_else(|| record::name(&withdrawal));
    let digest = Some(record::digest(&withdrawal)?);
    let asked = Asked { withdrawal, digest, others: others(&settings, trust.as_ref())?, as_of: settings.as_of };
    let report = impact(&asked, &args.corpora, trust.as_ref().map(|t| (t, settings.as_of)))?;
    let mut withdrawal = asked.withdrawal;
    if let WithdrawalTarget::Work { held_by, .. } = &mut withdrawal.target {
        held_by.clone_from(&report.held_by);
        withdrawal.untouched.clone_from(&report.free_of);
        if args.corpora.is_empty() {
            output.say(
                "no --corpus was given, so nobody looked: this record keeps out every set and all weights until one takes \
                 its place that names the manifests that were looked into (withdraw again with --corpus under another \
                 --id, and let two legal keys lift this one)",
            );
        }
    }
    let (file, signature) = record::write(&withdrawal, &records, &key)?;
    let head = match (head_key, args.head_until) {
        (Some(key), Some(until)) => Some(record::renew_head(&records, &key, settings.as_of, until, args.demo)?),
        _ => None,
    };
    output.say(&format!("wrote {} and signed it into {}", file.display(), signature.envelope.display()));
    match head {
        Some(sequence) => output.say(&format!("head {sequence} names it; gates that see it obey from {} on", args.effective)),
        None => output.say(
            "gates refuse these records until the head is signed anew: flexmix sign head HEAD.toml --records DIR --key KEY",
        ),
    }
    let report = WithdrawReport {
        schema: "flexmix/withdraw-report/v1",
        record: signature.envelope,
        digest: signature.payload.to_string(),
        head,
        impact: report,
    };
    output.report(args.format, &report, |r| format!("{}\n{}", r.digest, r.impact.to_text()))?;
    Ok(Exit::Done)
}

pub(super) fn rebuild(args: &RebuildArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let options = RebuildOptions {
        dir: args.dir.clone(),
        out: args.out.clone(),
        policy: args.policy.clone(),
        key: args.key.clone(),
        secret: args.secret.clone(),
        releases: args.releases.clone(),
        trust: settings.trust,
        records: settings.records,
        as_of: settings.as_of,
        memory: settings.memory,
    };
    let report = pipeline::withdrawal::rebuild(&options)?;
    for file in &report.releases {
        output.say(&format!("signed {}; the head must be signed anew", file.display()));
    }
    output.report(args.format, &report, text)?;
    Ok(Exit::Done)
}

fn text(report: &RebuildReport) -> String {
    let mut text = String::new();
    let total: u64 = report.sets.iter().map(|s| s.documents).sum();
    let tokens: u64 = report.sets.iter().map(|s| s.tokens).sum();
    text += &if report.sets.iter().all(SetReport::is_untouched) {
        format!(
            "nothing of `{}` is withdrawn on {}: the new corpus holds the same files\n",
            report.corpus, report.as_of
        )
    } else {
        let by: Vec<&str> = report.withdrawals.iter().map(String::as_str).collect();
        format!(
            "{} and {} taken out of `{}` by {} (head {}, {})\n",
            counted(total, "document"),
            counted(tokens, "token"),
            report.corpus,
            if by.is_empty() { "an erasure".to_owned() } else { by.join(", ") },
            report.head,
            report.as_of
        )
    };
    for set in &report.sets {
        text += &of_set(set);
    }
    if let Some(set) = &report.tokenizer_saw {
        text += &format!(
            "the tokenizer is kept: it was trained on set `{set}` with what was taken out, which stamps of new weights \
             will list as exposure of kind `tokenizer` to text unknown\n"
        );
    }
    text += "read back and verified: every signature, digest and count holds, nothing withdrawn is left\n";
    text
}

fn of_set(set: &SetReport) -> String {
    if set.is_untouched() {
        return format!(
            "set {}: untouched, {} with the digests that they had; manifest {}\n",
            set.set,
            counted(set.untouched, "file"),
            set.after
        );
    }
    let mut text = format!(
        "set {}: {} and {} taken out; {} kept their bytes\n  manifest {} is now {}\n",
        set.set,
        counted(set.documents, "document"),
        counted(set.tokens, "token"),
        counted(set.untouched, "file"),
        set.before,
        set.after
    );
    for (word, files) in [("written anew", &set.rewritten), ("left out", &set.removed)] {
        for file in files.iter().take(LISTED) {
            text += &format!("  {word}: {file}\n");
        }
        if files.len() > LISTED {
            let rest = counted((files.len() - LISTED) as u64, "file");
            text += &format!("  {word}: {rest} more; `--format json` lists all\n");
        }
    }
    text
}

//! `flexmix publish`.

use manifests::closed::Secret;
use manifests::gate::Gate;
use manifests::policy::Act;
use manifests::records::Records;
use manifests::sign::PrivateKey;
use pipeline::audit::thousands;
use pipeline::publish::{Agreed, House, PublishOptions, PublishReport, publish};

use crate::args::{ByAgreement, PublishArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Output, grid};
use crate::settings::GateSettings;

pub(super) fn run(args: &PublishArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let Some(trust) = settings.open_trust()? else {
        let what = "there is no trust file; name one with `--trust` [FM-T-001 trust-missing]";
        return Err(manifests::Error::verification(&args.dir, what).into());
    };
    let records = Records::open(&settings.records, &trust, settings.as_of)?;
    settings.memory.head(&trust, &records.head)?;
    let gates = args.policies.iter().map(|p| settings.open_gate(p)).collect::<Outcome<Vec<Gate>>>()?;
    check_acts(&gates)?;
    let secret = args.secret.as_deref().map(Secret::read).transpose()?;
    let key = PrivateKey::read(&args.key)?;
    let agreed = |what: &ByAgreement| match what {
        ByAgreement::Cells => Agreed::Cells,
        ByAgreement::Attribution => Agreed::Attribution,
    };
    let options = PublishOptions {
        dir: args.dir.clone(),
        out: args.out.clone().filter(|_| !args.dry_run),
        sets: args.sets.iter().map(|s| s.parse()).collect::<manifests::Result<_>>()?,
        agreed: args.by_agreement.iter().map(agreed).collect(),
    };
    let house = House {
        trust: &trust,
        records: &records,
        as_of: settings.as_of,
        key: &key,
        secret: secret.as_ref(),
        gates: &gates,
    };
    let report = publish(&options, &house)?;
    output.report(args.format, &report, text)?;
    Ok(Exit::Done)
}

/// Each policy is for one of the two acts, and no act has two.
fn check_acts(gates: &[Gate]) -> Outcome<()> {
    let mut acts: Vec<Act> = gates.iter().map(|g| g.policy.act).collect();
    if let Some(gate) = gates.iter().find(|g| !matches!(g.policy.act, Act::PublishData | Act::ReleaseWeights)) {
        let what = format!("policy `{}` is for act `{}`", gate.policy.file, gate.policy.act.as_str());
        return Err(Failure::usage(what, "handing out asks for act `publish-data` or `release-weights`"));
    }
    acts.sort();
    acts.dedup();
    if acts.len() == gates.len() && acts.len() <= 2 {
        return Ok(());
    }
    Err(Failure::usage("two policies are for one act", "give one policy for each act"))
}

fn text(report: &PublishReport) -> String {
    let demo = if report.demo { "DEMO: made with throw-away keys. Nobody vouches for this.\n" } else { "" };
    let bytes = thousands(report.published.iter().map(|p| p.length).sum());
    let count = report.published.len();
    let mut text = match &report.out {
        Some(out) => format!("{demo}handed out: {count} files, {bytes} bytes, in {}\n\n", out.display()),
        None => format!("{demo}would be handed out: {count} files, {bytes} bytes (dry run, nothing was written)\n\n"),
    };
    let lines: Vec<Vec<String>> = report
        .published
        .iter()
        .map(|p| vec![p.path.clone(), thousands(p.length), p.digest.to_string(), p.reason.to_owned()])
        .collect();
    let names = ["file", "bytes", "digest", "why it may leave"].map(str::to_owned);
    text.push_str(&grid(&names, &lines, &[false, true, false, false]));
    text.push_str(&format!("and {} over them, signed by the owner, {}\n", report.list, report.digest));
    if !report.refused.is_empty() {
        text.push_str("\nnot handed out:\n");
    }
    for refused in &report.refused {
        let code = refused.code.map_or_else(String::new, |code| format!(" [{code}]"));
        text.push_str(&format!("  {}: {}{code}\n", refused.subject, refused.why));
    }
    text.push_str(&stayed(report));
    for note in &report.notes {
        text.push_str(&format!("\nnote: {note}\n"));
    }
    text
}

/// Files that stay, by reason; `--format json` lists each.
fn stayed(report: &PublishReport) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for file in &report.stayed {
        match reasons.iter_mut().find(|(reason, _)| *reason == file.reason) {
            Some((_, files)) => files.push(&file.path),
            None => reasons.push((file.reason, vec![&file.path])),
        }
    }
    let lines: Vec<Vec<String>> = reasons
        .iter()
        .map(|(reason, files)| {
            let first = files.first().copied().unwrap_or_default();
            let more = if files.len() > 1 { ", …" } else { "" };
            vec![thousands(files.len() as u64), format!("{first}{more}"), (*reason).to_owned()]
        })
        .collect();
    let names = ["files", "which", "why they stay"].map(str::to_owned);
    format!("\nstays in the house: {} files\n{}", report.stayed.len(), grid(&names, &lines, &[true, false, false]))
}

//! `flexmix prove` and `flexmix verify-proof`.

use std::path::Path;

use manifests::closed::Secret;
use manifests::digest::Sha256;
use manifests::proof::{Answer, Checked, Evidence, Proof, Question};
use manifests::sign::{Envelope, KeyId};
use manifests::trust::Trust;
use pipeline::prove::{prove as make, text_digest};
use pipeline::verify::trust_words;
use serde::Serialize;

use crate::args::{Format, GateArgs, ProveArgs, VerifyProofArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::settings::GateSettings;

/// What a proof proves.
#[derive(Serialize)]
struct ProofReport {
    schema: &'static str,
    statement: String,
    corpus: String,
    set: String,
    question: Question,
    answer: Answer,
    terms: Option<String>,
    /// Who may see the proof, where it is about a closed set.
    closed: Option<&'static str>,
    tree: &'static str,
    manifest: Sha256,
    public_manifest: Option<Sha256>,
    /// Whether the public manifest was seen to commit to the full one.
    committed: Option<bool>,
    demo: bool,
    /// Names of the keys that signed; absent without a trust file.
    signers: Option<Vec<String>>,
    trust: String,
}

const OPENED: &str = "closed set: one commitment is opened, and no other";
const SHOWN: &str = "closed set: holds its full manifest, to be shown and not to be handed out";

pub(super) fn prove(args: &ProveArgs, output: &Output) -> Outcome<Exit> {
    let question = question(args)?;
    let secret = args.secret.as_deref().map(Secret::read).transpose()?;
    let proof = make(&args.dir, args.set.as_ref(), &question, secret.as_ref())?;
    // What is written holds.
    let checked = proof.check(&args.out, None, secret.as_ref())?;
    proof.write(&args.out)?;
    let report = report(&proof, checked, None, trust_words(None));
    match args.format {
        Format::Json => output.report(args.format, &report, |_| String::new())?,
        Format::Human => output.data(&format!("{}\n", report.statement))?,
    }
    output.say(&format!("wrote {}", args.out.display()));
    if let Some(closed) = report.closed {
        output.say(closed);
    }
    Ok(Exit::Done)
}

fn question(args: &ProveArgs) -> Outcome<Question> {
    let asked = &args.question;
    let text = asked.text.as_deref().map(text_digest).transpose()?.or(asked.digest);
    let question = asked.document.map(Question::Document).or(text.map(Question::Text));
    let question = question.or_else(|| asked.file.clone().map(Question::File));
    question.ok_or_else(|| Failure::usage("nothing is asked", "for example `--document ID`"))
}

pub(super) fn verify(args: &VerifyProofArgs, output: &Output) -> Outcome<Exit> {
    let gate = GateArgs { trust: args.trust.clone(), records: None, as_of: args.as_of };
    let settings = GateSettings::resolve(&gate, Path::new("."));
    let trust = settings.open_trust()?;
    let bound = trust.as_ref().map(|t| (t, settings.as_of));
    let secret = args.secret.as_deref().map(Secret::read).transpose()?;
    let proof = Proof::read(&args.proof)?;
    let checked = proof.check(&args.proof, bound, secret.as_ref())?;
    if let Some(held) = &args.manifest {
        let held = Sha256::of(Envelope::read(held)?.peek_unverified()?);
        let carried = [Some(&proof.manifest), proof.public.as_ref()];
        if !carried.into_iter().flatten().any(|c| c.digest == held) {
            let what =
                format!("it is about manifest {}, not about {held} [FM-T-007 digest-mismatch]", proof.manifest.digest);
            return Err(manifests::Error::verification(&args.proof, what).into());
        }
    }
    let report = report(&proof, checked, trust.as_ref(), trust_words(bound));
    output.report(args.format, &report, text)?;
    Ok(Exit::Done)
}

fn report(proof: &Proof, checked: Checked, trust: Option<&Trust>, words: String) -> ProofReport {
    let what = match &proof.question {
        Question::Document(id) => format!("document {id}"),
        Question::Text(digest) => format!("the text with digest {digest}"),
        Question::File(path) => format!("shard `{path}`"),
    };
    let verb = if proof.answer == Answer::Included { "is" } else { "is not" };
    let name = |id: &KeyId| trust.and_then(|t| t.name_of(id)).map_or_else(|| id.to_string(), str::to_owned);
    let closed = match (&proof.evidence, &proof.public) {
        (Evidence::Opening(_), _) => Some(OPENED),
        (_, Some(_)) => Some(SHOWN),
        _ => None,
    };
    ProofReport {
        schema: "flexmix/proof-report/v1",
        statement: format!("{what} {verb} in set `{}` of corpus `{}`", proof.set, checked.corpus),
        corpus: checked.corpus,
        set: proof.set.to_string(),
        question: proof.question.clone(),
        answer: proof.answer,
        terms: checked.terms,
        closed,
        tree: proof.evidence.tree(),
        manifest: proof.manifest.digest,
        public_manifest: proof.public.as_ref().map(|p| p.digest),
        committed: checked.committed,
        demo: checked.demo,
        signers: checked.signers.map(|ids| ids.iter().map(name).collect()),
        trust: words,
    }
}

/// What is proved, on what it rests, and what it does not say.
fn text(report: &ProofReport) -> String {
    let demo = if report.demo { "DEMO " } else { "" };
    let mut text = format!("{demo}proof holds: {}\n", report.statement);
    let mut line = |name: &str, words: &str| text.push_str(&format!("  {name:<10}{words}\n"));
    if let Some(terms) = &report.terms {
        line("terms", terms);
    }
    line("manifest", &format!("{}, its {}", report.manifest, report.tree));
    if let Some(signers) = &report.signers {
        line("signed by", &signers.join(", "));
    }
    if let Some(closed) = report.closed {
        line("note", closed);
    }
    if let Some(public) = report.public_manifest {
        let seen = if report.committed == Some(true) { "commits to it, by the owner's secret" } else { NOT_SEEN };
        line("public", &format!("{public} {seen}"));
    }
    line("not said", NOT_SAID[usize::from(report.answer == Answer::Absent)]);
    text.push_str(&format!("{}\n", report.trust));
    text
}

const NOT_SEEN: &str = "was not seen to commit to it: that takes the owner's secret, where the owner keeps it";
const NOT_SAID: [&str; 2] = [
    "that the manifest tells the truth about terms",
    "that no changed copy is in the set, nor that the text is in no other set",
];

//! `flexmix keys generate`, `flexmix sign`, `flexmix trust …`.

use std::path::Path;

use manifests::sign::PrivateKey;
use pipeline::signing::{self, trust};

use crate::args::{SignArgs, SignKind, TrustCommand, TrustCompromiseArgs, TrustKeysArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

pub(super) fn generate(prefix: &Path, output: &Output) -> Outcome<Exit> {
    let (private, public, id) = signing::generate(prefix)?;
    output.say(&format!("wrote {} (keep it secret) and {}", private.display(), public.display()));
    output.data(&format!("{id}\n"))?;
    Ok(Exit::Done)
}

pub(super) fn sign(args: &SignArgs, output: &Output) -> Outcome<Exit> {
    let key = PrivateKey::read(&args.key)?;
    let file = args.file.as_path();
    let signed = match args.kind {
        SignKind::Policy => signing::sign_policy(file, &key),
        SignKind::Trust => trust::sign_trust(file, &key),
        SignKind::Election => signing::sign_election(file, &key),
        SignKind::Decision => signing::sign_decision(file, &key),
        SignKind::Exception => signing::sign_exception(file, &key),
        SignKind::Grant => signing::sign_grant(file, &key),
        SignKind::Withdrawal => signing::sign_withdrawal(file, &key),
        SignKind::Lift => signing::sign_lift(file, &key),
        SignKind::Impact => signing::sign_impact(file, &key),
        SignKind::Release => signing::sign_release(file, &key),
        SignKind::Head => {
            let missing = || Failure::usage("`sign head` needs `--records DIR`", "a head is over a records folder");
            signing::sign_head(file, args.records.as_ref().ok_or_else(missing)?, &key)
        }
    }?;
    let times =
        if signed.signatures == 1 { "1 signature".to_owned() } else { format!("{} signatures", signed.signatures) };
    output.say(&format!("{}: {times}, the last by key {}", signed.envelope.display(), signed.key));
    output.data(&format!("{}\n", signed.payload))?;
    Ok(Exit::Done)
}

pub(super) fn trust(command: TrustCommand, output: &Output) -> Outcome<Exit> {
    let (out, file) = match command {
        TrustCommand::Init(args) => {
            let options = options(args)?;
            (options.out.clone(), trust::trust_init(&options)?)
        }
        TrustCommand::Rotate(args) => {
            let options = options(args.keys)?;
            (options.out.clone(), trust::trust_rotate(&args.before, &options)?)
        }
        TrustCommand::Compromise(TrustCompromiseArgs { before, out, key, records, vouch }) => {
            let options = trust::CompromiseOptions { before, out: out.clone(), key, records, vouched: vouch };
            (out, trust::trust_compromise(&options)?)
        }
    };
    let by = if file.version > 1 { "the root key before and the root key now" } else { "the root key" };
    output.say(&format!(
        "wrote {} version {} with {} keys; sign it with {by}: flexmix sign trust {} --key ROOT.key",
        out.display(),
        file.version,
        file.keys.len(),
        out.display()
    ));
    Ok(Exit::Done)
}

fn options(args: TrustKeysArgs) -> Outcome<trust::TrustOptions> {
    let parse = |text: &String| {
        text.parse().map_err(|what: String| Failure::usage(what, "for example --key lab-k1=builder:keys/builder.pub"))
    };
    let keys = args.keys.iter().map(parse).collect::<Outcome<Vec<_>>>()?;
    Ok(trust::TrustOptions {
        out: args.out,
        root: args.root,
        keys,
        from: args.from,
        until: args.until,
        demo: args.demo,
    })
}

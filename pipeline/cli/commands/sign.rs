//! `flexmix keys generate`, `flexmix sign`, `flexmix trust init`.

use std::path::Path;

use manifests::sign::PrivateKey;
use pipeline::signing::{self, TrustOptions};

use crate::args::{SignArgs, SignKind, TrustInitArgs};
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
        SignKind::Trust => signing::sign_trust(file, &key),
        SignKind::Election => signing::sign_election(file, &key),
        SignKind::Exception => signing::sign_exception(file, &key),
        SignKind::Grant => signing::sign_grant(file, &key),
        SignKind::Withdrawal => signing::sign_withdrawal(file, &key),
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

pub(super) fn trust_init(args: TrustInitArgs, output: &Output) -> Outcome<Exit> {
    let parse = |text: &String| {
        text.parse().map_err(|what: String| Failure::usage(what, "for example --key lab-k1=builder:keys/builder.pub"))
    };
    let keys = args.keys.iter().map(parse).collect::<Outcome<Vec<_>>>()?;
    let options =
        TrustOptions { out: args.out, root: args.root, keys, from: args.from, until: args.until, demo: args.demo };
    let file = signing::trust_init(&options)?;
    output.say(&format!(
        "wrote {} with {} keys; sign it with the root key: flexmix sign trust {} --key ROOT.key",
        options.out.display(),
        file.keys.len(),
        options.out.display()
    ));
    Ok(Exit::Done)
}

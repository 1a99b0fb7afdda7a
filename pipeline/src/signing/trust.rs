//! Making trust files: a first one, the next one in its place, and the word that a key is no longer its owner's alone.
//! Each is written unsigned; the root's owners sign it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::record::Head;
use manifests::records::{HEAD_FILE, Listing};
use manifests::sign::{Envelope, KeyId, PrivateKey, PublicKey, Statement};
use manifests::store::{read_capped, write_new};
use manifests::trust::{Compromised, FormerRoot, Role, TRUST_TYPE, TrustFile, TrustedKey, envelope_path};

use super::{CAP, Signature, sign};
use crate::error::{Error, Result};

/// Signs a trust file as exact bytes.
///
/// # Errors
/// [`Error::Record`] when it is no valid trust file, or the key is neither a root key of it nor of the one before.
pub fn sign_trust(file: &Path, key: &PrivateKey) -> Result<Signature> {
    let bytes = read_capped(file, CAP)?;
    let trust = TrustFile::parse(file, &bytes)?;
    let id = key.public().id();
    let roots = trust.keys.iter().filter(|k| k.roles.contains(&Role::Root)).map(|k| (&k.name, &k.pem));
    let mut is_root = false;
    for (name, pem) in roots.chain(trust.former_roots.iter().map(|k| (&k.name, &k.pem))) {
        let public = PublicKey::from_pem(pem)
            .map_err(|e| manifests::Error::malformed("trust file", file, format!("key `{name}`: {e}")))?;
        is_root |= public.id() == id;
    }
    if !is_root {
        let what = format!("key {id} is not a root key of `{}`", file.display());
        return Err(Error::usage(what, "sign with a key that the file names as root, or as root before"));
    }
    sign(&envelope_path(file), TRUST_TYPE, bytes, key)
}

/// A key of a new trust file, as typed: `NAME=ROLE[,ROLE][@SCOPE[,SCOPE]]:PEMFILE`. No scope is all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// Its name.
    pub name: String,
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// The sets, sources or experts that it is for; `*` is all.
    pub scope: BTreeSet<String>,
    /// Its public key's file.
    pub pem: PathBuf,
}

impl std::str::FromStr for KeyGrant {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let form = || format!("`{text}` is not NAME=ROLE[,ROLE][@SCOPE[,SCOPE]]:PEMFILE");
        let (name, rest) = text.split_once('=').ok_or_else(form)?;
        let (held, pem) = rest.split_once(':').ok_or_else(form)?;
        let (roles, scope) = held.split_once('@').unwrap_or((held, "*"));
        let scope: BTreeSet<String> = scope.split(',').map(str::to_owned).collect();
        if name.is_empty() || pem.is_empty() || scope.contains("") {
            return Err(form());
        }
        let role = |word: &str| {
            let known = Role::ALL.map(Role::as_str).join(", ");
            let found = Role::ALL.into_iter().find(|r| r.as_str() == word);
            found.ok_or_else(|| format!("`{word}` is no role; the roles are {known}"))
        };
        let roles = roles.split(',').map(role).collect::<std::result::Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), roles, scope, pem: pem.into() })
    }
}

/// What a new trust file says.
#[derive(Clone, Debug)]
pub struct TrustOptions {
    /// The file; must not exist.
    pub out: PathBuf,
    /// The root's public key.
    pub root: PathBuf,
    /// The other keys.
    pub keys: Vec<KeyGrant>,
    /// The first day of all keys.
    pub from: Date,
    /// The last day of all keys.
    pub until: Date,
    /// Made with throw-away keys.
    pub demo: bool,
}

/// Writes a trust file, unsigned. A key that is named several times with one scope gets one entry with all its roles.
///
/// # Errors
/// [`Error::Usage`] when the days are the wrong way round, or one key is given two scopes; [`Error::Record`] for a key
/// that is none, or a file that exists.
pub fn trust_init(options: &TrustOptions) -> Result<TrustFile> {
    let keys = keys_of(options)?;
    let file = TrustFile {
        schema: TrustFile::SCHEMA.to_owned(),
        version: 1,
        demo: options.demo,
        keys,
        former_roots: vec![],
        compromised: vec![],
    };
    write(&options.out, &file)?;
    Ok(file)
}

/// Writes the trust file that takes the place of `before`, unsigned: a root of each must sign it. What was said of
/// compromised keys stays said.
///
/// # Errors
/// As [`trust_init`].
pub fn trust_rotate(before: &Path, options: &TrustOptions) -> Result<TrustFile> {
    let old = TrustFile::parse(before, &read_capped(before, CAP)?)?;
    let former_roots = former(&old);
    let file = TrustFile {
        schema: TrustFile::SCHEMA.to_owned(),
        version: old.version + 1,
        demo: options.demo,
        keys: keys_of(options)?,
        former_roots,
        compromised: old.compromised,
    };
    write(&options.out, &file)?;
    Ok(file)
}

/// What is said of a key that somebody else may have used.
#[derive(Clone, Debug)]
pub struct CompromiseOptions {
    /// The trust file before.
    pub before: PathBuf,
    /// The new one; must not exist.
    pub out: PathBuf,
    /// The key.
    pub key: KeyId,
    /// The records folder as it was under the last good head.
    pub records: PathBuf,
    /// Other envelopes signed by the key that the root's owner vouches for: manifests, stamps, indexes.
    pub vouched: Vec<PathBuf>,
}

/// Writes the trust file that voids a key's signatures above the head of `records`, unsigned: what the key signed and
/// lies under that head stands, and what is vouched for by name.
///
/// # Errors
/// [`Error::Usage`] when the trust file knows no such key; [`Error::Record`] when the records have no head.
pub fn trust_compromise(options: &CompromiseOptions) -> Result<TrustFile> {
    let mut file = TrustFile::parse(&options.before, &read_capped(&options.before, CAP)?)?;
    let mut known = false;
    for key in &file.keys {
        known |= PublicKey::from_pem(&key.pem)?.id() == options.key;
    }
    let roots = former(&file);
    if !known {
        let what = format!("`{}` knows no key {}", options.before.display(), options.key);
        return Err(Error::usage(what, "its id is what `flexmix keys generate` printed"));
    }
    let head_path = options.records.join(HEAD_FILE);
    let head = Statement::<Head>::peek_unverified(&Envelope::read(&head_path)?, &head_path)?.predicate;
    let listing = Listing::of(&options.records)?;
    if listing.root != head.root {
        let what = format!("`{}` is not what head {} names", options.records.display(), head.sequence);
        return Err(Error::usage(what, "give the records folder as it was under the last good head"));
    }
    let mut stands = BTreeSet::new();
    let of_key = |envelope: &Envelope| envelope.claimed_key_ids_unverified().any(|k| k == options.key.to_string());
    let vouched = options.vouched.iter().map(|p| Envelope::read(p)).collect::<manifests::Result<Vec<_>>>()?;
    let head_envelope = Envelope::read(&head_path)?;
    for envelope in listing.envelopes().chain(&vouched).chain([&head_envelope]).filter(|e| of_key(e)) {
        stands.insert(Sha256::of(envelope.peek_unverified()?));
    }
    file.compromised.retain(|c| c.key != options.key);
    file.compromised.push(Compromised { key: options.key, after: head.sequence, stands });
    file.compromised.sort_by_key(|c| c.key);
    TrustFile::SCHEMA.clone_into(&mut file.schema);
    file.version += 1;
    file.former_roots = roots;
    write(&options.out, &file)?;
    Ok(file)
}

/// The roots of a trust file and of those before it, each with the last version that it was a root of.
fn former(file: &TrustFile) -> Vec<FormerRoot> {
    let roots = file.keys.iter().filter(|k| k.roles.contains(&Role::Root));
    let now = roots.map(|k| FormerRoot { name: k.name.clone(), version: file.version, pem: k.pem.clone() });
    let mut all: Vec<FormerRoot> = now.collect();
    let before = file.former_roots.iter().filter(|r| !all.iter().any(|n| n.pem == r.pem));
    let before: Vec<FormerRoot> = before.cloned().collect();
    all.extend(before);
    all
}

fn keys_of(options: &TrustOptions) -> Result<Vec<TrustedKey>> {
    if options.from > options.until {
        return Err(Error::usage("`--from` is after `--until`", "no key would ever be valid"));
    }
    let all = BTreeSet::from(["*".to_owned()]);
    let roles = BTreeSet::from([Role::Root]);
    let root = KeyGrant { name: "root".into(), roles, scope: all, pem: options.root.clone() };
    let mut keys: Vec<(KeyId, TrustedKey)> = Vec::new();
    for grant in std::iter::once(&root).chain(&options.keys) {
        let public = PublicKey::read(&grant.pem)?;
        if let Some((_, known)) = keys.iter_mut().find(|(id, _)| *id == public.id()) {
            if known.scope != grant.scope {
                let what = format!("key `{}` is given two scopes", grant.name);
                return Err(Error::usage(what, "a key has one scope for all its roles; use two keys"));
            }
            known.roles.extend(&grant.roles);
            continue;
        }
        let key = TrustedKey {
            name: grant.name.clone(),
            roles: grant.roles.clone(),
            scope: grant.scope.clone(),
            from: options.from,
            until: options.until,
            pem: public.to_pem()?,
        };
        keys.push((public.id(), key));
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

fn write(out: &Path, file: &TrustFile) -> Result<()> {
    let text = toml::to_string_pretty(file).map_err(|e| Error::Bug(format!("a trust file has no TOML form: {e}")))?;
    if let Some(folder) = out.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    Ok(write_new(out, text.as_bytes(), 0o644)?)
}

//! What a recipe's `[[source]]` table may say, and the checked form of it that readers take. Nothing legal has a
//! default: access, the date of reading and who speaks are always written out.

use std::collections::BTreeSet;

use manifests::claim::{Claim, Speaker};
use manifests::date::Date;
use manifests::digest::Sha256;
use manifests::id::{SetName, SourceId};
use manifests::manifest::Access;
use serde::Deserialize;

use super::claim_toml::ClaimToml;
use super::error::{Error, Result};
use super::globs::Globs;
use super::place::Place;
use super::snapshot_toml::{SnapshotSpec, SnapshotToml};
use super::unused::Unused;
use crate::extract::{Format, RecordFields};
use crate::optout::Sites;

/// A `[[source]]` table as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceToml {
    id: String,
    set: String,
    title: String,
    access: Access,
    rightsholder: Option<String>,
    read_at: Date,
    object: Option<String>,
    #[serde(default)]
    objects: Vec<String>,
    list: Option<String>,
    sha256: Option<String>,
    package: Option<PackageToml>,
    #[serde(default)]
    strip: u8,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    format: String,
    #[serde(default)]
    fields: Vec<String>,
    id_field: Option<String>,
    license_field: Option<String>,
    license_speaker: Option<Speaker>,
    #[serde(default)]
    attribution_fields: Vec<String>,
    url_field: Option<String>,
    headers_field: Option<String>,
    address: Option<String>,
    separator: Option<String>,
    first_records: Option<u64>,
    #[serde(default)]
    skip: u64,
    limit: Option<u64>,
    #[serde(default)]
    license_files: Vec<String>,
    metadata_speaker: Option<Speaker>,
    note: Option<String>,
    #[serde(default)]
    claim: Vec<ClaimToml>,
    #[serde(default)]
    optout: Vec<SnapshotToml>,
}

/// The registry package that the object comes from; the fetch script reads it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageToml {
    /// The ordinary client: `npm`, `pip` or `cargo`.
    pub client: Client,
    /// The package's name.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// With pip: the wheel instead of the source distribution.
    #[serde(default)]
    pub wheel: bool,
    /// With pip: the interpreter that the wheel is for, when it is not the one that runs.
    pub python: Option<String>,
}

/// A package client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// npm.
    Npm,
    /// pip.
    Pip,
    /// cargo.
    Cargo,
}

/// A source that can be read.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    /// The source's id.
    pub id: SourceId,
    /// The set that its documents belong to.
    pub set: SetName,
    /// What it is, for people.
    pub title: String,
    /// Whether it may be shown.
    pub access: Access,
    /// Who holds the rights, when one person holds them all.
    pub rightsholder: Option<String>,
    /// The date of reading: the date of every claim.
    pub read_at: Date,
    /// Where its objects lie.
    pub place: Place,
    /// The digest of its one object; absent for folders, prefixes and lists, and where a store pins the object.
    pub sha256: Option<Sha256>,
    /// Where the object is fetched.
    pub package: Option<PackageToml>,
    /// How the text is got out of a record.
    pub format: Format,
    /// How many records of each object are read; all when absent.
    pub first_records: Option<u64>,
    /// How many records of the source are passed over before the first that is read.
    pub skip: u64,
    /// How many records of the source are read after them; all when absent.
    pub limit: Option<u64>,
    /// Who speaks in the package's metadata and license files. Without it they are kept and conclude nothing: a
    /// package that collects other people's text does not license it.
    pub metadata_speaker: Option<Speaker>,
    /// What the recipe says of the source in the open.
    pub note: Option<String>,
    pub(super) strip: u8,
    pub(super) include: Globs,
    pub(super) exclude: Globs,
    pub(super) license_files: Globs,
    claims: Vec<(Claim, Globs)>,
    pub(super) address: Option<String>,
    pub(super) snapshots: Vec<SnapshotSpec>,
    pub(super) unused: Unused,
}

impl SourceSpec {
    /// The recipe's claims on the object at `path`.
    #[must_use]
    pub fn claims_on(&self, path: &str) -> Vec<Claim> {
        let covers = |globs: &Globs| globs.is_empty() || globs.matches(path);
        self.claims.iter().filter(|(_, globs)| covers(globs)).map(|(claim, _)| claim.clone()).collect()
    }

    /// Every claim of the recipe on this source, whatever paths it covers.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().map(|(claim, _)| claim)
    }
}

impl SourceToml {
    /// Checks the table and gives its meaning.
    ///
    /// # Errors
    /// [`Error::Recipe`] with the source's id and the first thing that is wrong.
    pub fn validate(self) -> Result<SourceSpec> {
        let fail = |what: String| Error::recipe(&self.id, what);
        let globs = |patterns: &[String]| Globs::new(patterns).map_err(fail);
        let id: SourceId = self.id.parse().map_err(|e| fail(format!("{e}")))?;
        let set: SetName = self.set.parse().map_err(|e| fail(format!("{e}")))?;
        let place = Place::new(self.object.clone(), self.objects.clone(), self.list.clone()).map_err(fail)?;
        let sha256 = self.sha256.as_deref().map(pin).transpose().map_err(fail)?;
        if sha256.is_some() && !matches!(place, Place::Object(_)) {
            return Err(fail("`sha256` pins one object, and a list names several".into()));
        }
        if self.strip > 1 {
            return Err(fail(format!("strip is `{}`, expected 0 or 1", self.strip)));
        }
        if self.license_field.is_some() != self.license_speaker.is_some() {
            return Err(fail("`license_field` and `license_speaker` go together: say whose words they are".into()));
        }
        let digest = sha256.unwrap_or_else(|| Sha256::of(place.name().as_bytes()));
        let mut claims = Vec::new();
        for (n, claim) in self.claim.iter().enumerate() {
            let wrong = |what: String| fail(format!("claim {}: {what}", n + 1));
            let paths = Globs::new(&claim.paths).map_err(wrong)?;
            claims.push((claim.meaning(digest, self.read_at).map_err(wrong)?, paths));
        }
        let mut snapshots = Vec::new();
        for (n, snapshot) in self.optout.iter().enumerate() {
            let wrong = |what: String| fail(format!("optout {}: {what}", n + 1));
            snapshots.push(snapshot.clone().validate(self.read_at).map_err(wrong)?);
        }
        let format = self.format().map_err(fail)?;
        self.addressed(&format).map_err(fail)?;
        Ok(SourceSpec {
            id,
            set,
            unused: self.unused(&format).map_err(fail)?,
            format,
            strip: self.strip,
            include: globs(&self.include)?,
            exclude: globs(&self.exclude)?,
            license_files: globs(&self.license_files)?,
            sha256,
            claims,
            snapshots,
            address: self.address,
            title: self.title,
            access: self.access,
            rightsholder: self.rightsholder,
            read_at: self.read_at,
            place,
            package: self.package,
            first_records: self.first_records,
            skip: self.skip,
            limit: self.limit,
            metadata_speaker: self.metadata_speaker,
            note: self.note,
        })
    }

    /// Whether its documents have addresses, where snapshots ask for them.
    fn addressed(&self, format: &Format) -> std::result::Result<(), String> {
        let by_field = format.record_fields().is_some_and(|f| f.url.is_some());
        match &self.address {
            Some(_) if by_field => Err("`address` and `url_field` both say where documents were read".to_owned()),
            Some(address) if !Sites::is_address(address) || !address.ends_with('/') => {
                Err(format!("address `{address}` is not `https://HOST/…/`"))
            }
            None if !by_field && !self.optout.is_empty() => {
                Err("an `optout` needs the documents' addresses: give `address` or `url_field`".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// What the recipe names and the source must have.
    fn unused(&self, format: &Format) -> std::result::Result<Unused, String> {
        let mut unused = Unused::default();
        for (key, patterns) in
            [("include", &self.include), ("exclude", &self.exclude), ("license_files", &self.license_files)]
        {
            unused.patterns(key, patterns)?;
        }
        for (n, claim) in self.claim.iter().enumerate() {
            unused.patterns(&format!("claim {}: paths", n + 1), &claim.paths)?;
        }
        // `id` is looked for whether a recipe names it or not.
        let named = format.record_fields().into_iter().flat_map(RecordFields::paths);
        named.filter(|path| self.id_field.is_some() || *path != "id").for_each(|path| unused.field(path));
        Ok(unused)
    }

    /// The fields of a JSON record beside its text.
    fn record_fields(&self, id: Option<String>) -> RecordFields {
        RecordFields {
            id,
            license: self.license_field.clone().zip(self.license_speaker),
            attributions: self.attribution_fields.clone(),
            url: self.url_field.clone(),
            headers: self.headers_field.clone(),
        }
    }

    /// The format with its options; an option that the format does not have is refused.
    fn format(&self) -> std::result::Result<Format, String> {
        let fields =
            || if self.fields.is_empty() { Err("`fields` is missing".to_owned()) } else { Ok(self.fields.clone()) };
        let (format, takes): (Format, &[&str]) = match self.format.as_str() {
            "plain" => (Format::Plain, &[]),
            "markdown" => (Format::Markdown, &[]),
            "html" => (Format::Html, &[]),
            "brown" => (Format::Brown, &[]),
            "email" => (Format::Email, &[]),
            "pubmed" => (Format::Pubmed, &[]),
            "jats" => (Format::Jats, &[]),
            "sentences" => (Format::Sentences, &[]),
            "outline" => (Format::Outline, &[]),
            "toml" => (Format::Toml { fields: fields()? }, &["fields"]),
            "json" => (Format::Json { fields: fields()?, record: self.record_fields(self.id_field.clone()) }, &RECORD),
            "jsonl" => {
                let fields = if self.fields.is_empty() { vec!["text".to_owned()] } else { self.fields.clone() };
                let id = self.id_field.clone().or_else(|| Some("id".to_owned()));
                (Format::Jsonl { fields, record: self.record_fields(id) }, &RECORD)
            }
            "delimited" => {
                let separator = self.separator.clone().filter(|s| !s.is_empty());
                let separator = separator.ok_or("`separator` is missing")?;
                (Format::Delimited { separator }, &["separator"])
            }
            other => return Err(format!("unknown format `{other}`, expected one of {}", Format::NAMES.join(", "))),
        };
        let given = [
            ("fields", !self.fields.is_empty()),
            ("id_field", self.id_field.is_some()),
            ("license_field", self.license_field.is_some()),
            ("attribution_fields", !self.attribution_fields.is_empty()),
            ("url_field", self.url_field.is_some()),
            ("headers_field", self.headers_field.is_some()),
            ("separator", self.separator.is_some()),
        ];
        let takes: BTreeSet<&str> = takes.iter().copied().collect();
        match given.iter().find(|(name, given)| *given && !takes.contains(name)) {
            Some((name, _)) => Err(format!("format `{}` has no `{name}`", self.format)),
            None => Ok(format),
        }
    }
}

/// The options of JSON records.
const RECORD: [&str; 6] = ["fields", "id_field", "license_field", "attribution_fields", "url_field", "headers_field"];

/// A digest with or without the `sha256:` prefix.
pub(super) fn pin(text: &str) -> std::result::Result<Sha256, String> {
    Sha256::from_hex(text.strip_prefix("sha256:").unwrap_or(text)).map_err(|e| e.to_string())
}

//! Finds the objects of a source and pins them: files of the inputs folder by their digests, what lies behind a network
//! by what its store says of it.

use std::path::Path;

use manifests::digest::Sha256;

use super::error::{Error, Result};
use super::object::{Found, Objects};
use super::place::{Place, is_address, is_prefix, listed, path_of};
use super::spec::SourceSpec;

/// The objects of a source, sorted by path. Files in `inputs` are read once, for their digests.
///
/// # Errors
/// [`Error::Io`] when an object cannot be had, [`Error::Changed`] when it is not the pinned one, [`Error::Recipe`] when a
/// file has no pin or a list names what it may not.
pub fn find(spec: &SourceSpec, inputs: &Path, objects: &dyn Objects) -> Result<Vec<Found>> {
    let entries = match &spec.place {
        Place::Object(address) if is_address(address) => return distant(spec, address, objects),
        Place::Object(path) => return local(spec, path, inputs, objects),
        Place::Objects(entries) => entries.clone(),
        Place::List(list) => {
            let path = inputs.join(list);
            let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let entries = listed(lines.map(str::to_owned).collect());
            entries.map_err(|what| Error::recipe(spec.id.as_str(), format!("{list}: {what}")))?
        }
    };
    let mut found = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut object = objects.head(&entry).map_err(|e| Error::io(&entry, e))?;
        path_of(&entry).clone_into(&mut object.path);
        if !is_address(&entry) {
            object.sha256 = Some(digest(&object, inputs, objects)?);
        }
        found.push(object);
    }
    Ok(found)
}

/// One distant object, or all under a prefix.
fn distant(spec: &SourceSpec, address: &str, objects: &dyn Objects) -> Result<Vec<Found>> {
    let fail = |e| Error::io(address, e);
    if !is_prefix(address) {
        let mut found = objects.head(address).map_err(fail)?;
        address.rsplit('/').next().unwrap_or_default().clone_into(&mut found.path);
        found.sha256 = spec.sha256;
        return Ok(vec![found]);
    }
    if spec.sha256.is_some() {
        return Err(Error::recipe(spec.id.as_str(), "a prefix has no `sha256`"));
    }
    let mut found = objects.list(address).map_err(fail)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    if found.is_empty() {
        return Err(Error::recipe(spec.id.as_str(), format!("nothing lies under `{address}`")));
    }
    Ok(found)
}

/// A pinned file, or a folder, whose files have no pin.
fn local(spec: &SourceSpec, object: &str, inputs: &Path, objects: &dyn Objects) -> Result<Vec<Found>> {
    let path = inputs.join(object);
    let is_file = std::fs::metadata(&path).map_err(|e| Error::io(&path, e))?.is_file();
    let mut found = match (is_file, spec.sha256) {
        (true, Some(_)) => vec![objects.head(object).map_err(|e| Error::io(&path, e))?],
        (true, None) => return Err(Error::recipe(spec.id.as_str(), format!("`{object}` has no `sha256`"))),
        (false, Some(_)) => return Err(Error::recipe(spec.id.as_str(), "a folder has no `sha256`")),
        (false, None) => objects.list(object).map_err(|e| Error::io(&path, e))?,
    };
    for file in &mut found {
        file.sha256 = Some(digest(file, inputs, objects)?);
    }
    match (spec.sha256, found.first().and_then(|file| file.sha256)) {
        (Some(expected), Some(found)) if expected != found => {
            Err(Error::Changed { id: spec.id.to_string(), path, expected, found })
        }
        _ => Ok(found),
    }
}

/// The digest of a file of the inputs folder.
fn digest(found: &Found, inputs: &Path, objects: &dyn Objects) -> Result<Sha256> {
    let path = inputs.join(&found.address);
    let stream = objects.object(found).and_then(|object| object.open(0)).map_err(|e| Error::io(&path, e))?;
    match Sha256::of_reader(stream, &path) {
        Ok((_, digest)) => Ok(digest),
        Err(manifests::Error::Io { source, .. }) => Err(Error::io(&path, source)),
        Err(other) => Err(Error::io(&path, std::io::Error::other(other))),
    }
}

//! Where a recipe says that a source lies: one object, everything in a folder or under a prefix, or a list. Addresses
//! are checked here, before anything is opened: what may stand in a recipe holds no secret and names its host.

use std::fmt;

/// Where a source lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// One file or object, a folder, or all under a prefix, whose address ends in `/`.
    Object(String),
    /// These objects, in the order of their paths.
    Objects(Vec<String>),
    /// The objects that a file in the inputs folder lists, one a line.
    List(String),
}

/// What an address may begin with.
const SCHEMES: [&str; 5] = ["s3", "gs", "az", "https", "http"];

impl Place {
    /// Checks what a recipe says.
    pub(super) fn new(object: Option<String>, objects: Vec<String>, list: Option<String>) -> Result<Self, String> {
        match (object, objects, list) {
            (Some(object), objects, None) if objects.is_empty() => {
                check(&object)?;
                if is_prefix(&object) && (object.starts_with("http:") || object.starts_with("https:")) {
                    return Err(format!("`{object}` cannot be listed; name its objects in `objects` or `list`"));
                }
                Ok(Self::Object(object))
            }
            (None, objects, None) if !objects.is_empty() => Ok(Self::Objects(listed(objects)?)),
            (None, objects, Some(list)) if objects.is_empty() => match is_address(&list) || !is_relative(&list) {
                true => Err(format!("list: `{list}` is not a path inside the inputs folder")),
                false => Ok(Self::List(list)),
            },
            _ => Err("expected one of `object`, `objects` and `list`".to_owned()),
        }
    }

    /// The name by which messages and rows mean the whole of it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Object(place) | Self::List(place) => place,
            Self::Objects(objects) => objects.first().map_or("", String::as_str),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Checks the entries of a list and sorts them by their paths.
pub(super) fn listed(mut entries: Vec<String>) -> Result<Vec<String>, String> {
    for entry in &entries {
        check(entry)?;
        if is_prefix(entry) {
            return Err(format!("`{entry}` is a prefix; a list names objects"));
        }
    }
    entries.sort_by(|a, b| path_of(a).cmp(path_of(b)));
    match entries.windows(2).find(|pair| path_of(&pair[0]) == path_of(&pair[1])) {
        Some(pair) => Err(format!("`{}` is listed twice", pair[1])),
        None => Ok(entries),
    }
}

/// Whether this names something behind a network.
#[must_use]
pub fn is_address(place: &str) -> bool {
    place.contains("://")
}

/// Whether this means all that lies under it.
pub(super) fn is_prefix(place: &str) -> bool {
    is_address(place) && place.ends_with('/')
}

/// The path of a list's entry: a path as it stands, an address without its scheme.
pub(super) fn path_of(entry: &str) -> &str {
    entry.split_once("://").map_or(entry, |(_, rest)| rest)
}

fn check(place: &str) -> Result<(), String> {
    let Some((scheme, rest)) = place.split_once("://") else {
        return if is_relative(place) {
            Ok(())
        } else {
            Err(format!("`{place}` is not a path inside the inputs folder"))
        };
    };
    if !SCHEMES.contains(&scheme) {
        return Err(format!("`{place}` begins with `{scheme}`, expected one of {}", SCHEMES.join(", ")));
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_bucket = !scheme.starts_with("http") && rest.ends_with('/');
    if host.is_empty() || path.is_empty() && !is_bucket {
        return Err(format!("`{place}` names no object"));
    }
    if host.contains('@') || rest.contains(['?', '#']) {
        return Err(format!(
            "an address may hold no user, no query and no fragment, which carry secrets: `{scheme}://{}`",
            host.rsplit('@').next().unwrap_or_default()
        ));
    }
    if rest.contains(|c: char| c.is_control() || c.is_whitespace() && c != ' ' || c == '\\') {
        return Err(format!("`{}` has characters that no address has", place.escape_debug()));
    }
    let inside = path.strip_suffix('/').unwrap_or(path);
    if !inside.is_empty() && inside.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!("`{place}` has an empty part, `.` or `..`"));
    }
    if scheme == "http" && !is_loopback(host) {
        return Err(format!("`{place}` is not encrypted; `http://` is for this machine alone, use `https://`"));
    }
    Ok(())
}

/// Whether a host with its port is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) fn is_relative(path: &str) -> bool {
    !path.is_empty() && !path.contains('\\') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_or_refused_with_the_reason() {
        for good in [
            "s3://bucket/prefix/",
            "s3://bucket/",
            "gs://bucket/a.jsonl.zst",
            "az://container/a b.parquet",
            "https://host.example/a/b.gz",
            "http://127.0.0.1:8000/a",
            "http://[::1]:1/a",
            "http://localhost/a",
            "a/b.txt",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("ftp://host/a", "expected one of"),
            ("s3://", "names no object"),
            ("s3://bucket", "names no object"),
            ("https://host/", "names no object"),
            ("https://user:secret@host/a", "carry secrets: `https://host`"),
            ("https://host/a?X-Amz-Signature=0", "carry secrets"),
            ("https://host/a#b", "carry secrets"),
            ("s3://bucket/a/../b", "`..`"),
            ("s3://bucket/a//b", "an empty part"),
            ("http://host/a", "not encrypted"),
            ("http://127.0.0.1.host.example/a", "not encrypted"),
            ("http://169.254.169.254/latest", "not encrypted"),
            ("https://host/a\nb", "characters"),
            ("/etc/passwd", "inputs folder"),
            ("../a", "inputs folder"),
        ] {
            let said = check(bad).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
            assert!(!said.contains("secret@"), "{said}");
        }
    }

    #[test]
    fn lists_are_sorted_by_path_and_name_nothing_twice() {
        let list = |entries: &[&str]| listed(entries.iter().map(|e| (*e).to_owned()).collect());
        assert_eq!(list(&["s3://b/z", "gs://a/y"]).unwrap(), ["gs://a/y", "s3://b/z"]);
        assert!(list(&["s3://b/z", "gs://b/z"]).unwrap_err().contains("listed twice"));
        assert!(list(&["s3://b/z/"]).unwrap_err().contains("is a prefix"));
    }

    #[test]
    fn a_recipe_says_one_place() {
        let object = |o: &str| Place::new(Some(o.to_owned()), vec![], None);
        assert!(object("https://host/a/").unwrap_err().contains("cannot be listed"));
        assert_eq!(object("s3://b/a/").unwrap().to_string(), "s3://b/a/");
        assert!(Place::new(None, vec![], None).is_err());
        assert!(Place::new(Some("a".into()), vec!["b".into()], None).is_err());
        assert!(Place::new(None, vec![], Some("s3://b/list".into())).is_err());
    }
}

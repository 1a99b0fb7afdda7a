//! Addresses of documents, as far as signals ask for them: whose site, and which path on it. Nothing is fetched.

use super::pattern::normalized;

/// An address on the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Host and port, in lower case; the port is left out where it is the scheme's own.
    pub host: String,
    /// Path and query in the form that patterns are compared in, beginning with `/`.
    pub path: String,
}

impl Address {
    /// Reads `http://` and `https://` addresses; anything else is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://")?;
        let port = match scheme.to_ascii_lowercase().as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let host = authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        let host = host.strip_suffix(port).unwrap_or(&host).trim_end_matches('.').to_owned();
        if host.is_empty() || host.contains(char::is_whitespace) {
            return None;
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { host, path: normalized(&path) })
    }

    /// Whether `self` is at or beneath `prefix`: the same host, and a path that begins with its whole segments.
    pub(super) fn is_beneath(&self, prefix: &Self) -> bool {
        let rest = self.path.strip_prefix(prefix.path.as_str()).filter(|_| self.host == prefix.host);
        rest.is_some_and(|rest| prefix.path.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '?']))
    }
}

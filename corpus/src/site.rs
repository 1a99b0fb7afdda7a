//! The site of an address: its host, and the registered domain of that by the public suffix list. Knows nothing of lists
//! of sites or of what is done with them.

/// The host of an address, in lower case and without user, port and a dot at its end; none where there is none.
#[must_use]
pub fn host(url: &str) -> Option<String> {
    let url = url.trim();
    let rest = url.split_once("://").map_or_else(|| url.strip_prefix("//"), |(_, rest)| Some(rest))?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // The colons of an IPv6 address stand in brackets.
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?.0,
        None => host.split(':').next()?,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty()).then(|| host.to_lowercase())
}

/// The registered domain of an address, `example.co.uk` of `https://www.example.co.uk/a`. A host without one (an IP
/// address, a name of one part, a public suffix alone) stands for itself.
#[must_use]
pub fn registered_domain(url: &str) -> Option<String> {
    let host = host(url)?;
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Some(host);
    }
    let found = psl::domain_str(&host).map(str::to_owned);
    Some(found.unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_known_by_its_registered_domain() {
        let cases = [
            ("https://www.example.co.uk/a?b#c", Some("example.co.uk")),
            ("HTTP://User:pw@Sub.Example.COM:8080", Some("example.com")),
            ("//cdn.example.org/x", Some("example.org")),
            ("https://example.org./", Some("example.org")),
            ("http://192.0.2.7:80/", Some("192.0.2.7")),
            ("http://[2001:db8::1]:80/", Some("2001:db8::1")),
            ("http://localhost/", Some("localhost")),
            ("https://co.uk/", Some("co.uk")),
            ("https://someone.github.io/page", Some("someone.github.io")),
            ("not an address", None),
            ("file:///etc/hosts", None),
            ("", None),
        ];
        for (url, domain) in cases {
            assert_eq!(registered_domain(url).as_deref(), domain, "{url}");
        }
    }
}

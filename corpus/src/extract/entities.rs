//! Character references of HTML and XML: the numeric ones, and the named ones that prose uses.

const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("copy", "\u{a9}"),
    ("reg", "\u{ae}"),
    ("deg", "\u{b0}"),
    ("plusmn", "\u{b1}"),
    ("micro", "\u{b5}"),
    ("middot", "\u{b7}"),
    ("times", "\u{d7}"),
    ("ndash", "\u{2013}"),
    ("mdash", "\u{2014}"),
    ("lsquo", "\u{2018}"),
    ("rsquo", "\u{2019}"),
    ("ldquo", "\u{201c}"),
    ("rdquo", "\u{201d}"),
    ("hellip", "\u{2026}"),
    ("eacute", "\u{e9}"),
    ("egrave", "\u{e8}"),
    ("uuml", "\u{fc}"),
    ("ouml", "\u{f6}"),
    ("auml", "\u{e4}"),
];

/// Appends `text` with its references resolved; one that is unknown stays as it is.
pub(super) fn decode_into(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.bytes().take(12).position(|b| b == b';');
        let resolved = end.and_then(|end| resolve(&after[..end]).map(|c| (c, end)));
        if let Some((character, end)) = resolved {
            out.push_str(&character);
            rest = &after[end + 1..];
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
}

fn resolve(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| *c != '\0').map(String::from);
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| (*character).to_owned())
}

#[cfg(test)]
mod tests {
    fn check(text: &str, expected: &str) {
        let mut out = String::new();
        super::decode_into(&mut out, text);
        assert_eq!(out, expected);
    }

    #[test]
    fn known_references_resolve_and_others_stay() {
        check("a &amp; b &#233;&#xE9; &lt;x&gt;", "a & b éé <x>");
        check("AT&T; &unknown; &#0; &#xD800; & é&", "AT&T; &unknown; &#0; &#xD800; & é&");
    }
}

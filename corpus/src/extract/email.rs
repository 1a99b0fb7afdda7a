//! Mails: headers out, body kept. A multipart mail gives its first plain part. Charsets other than UTF-8, ASCII and
//! Latin-1, and parts in base64, are refused.

use super::{Failure, utf8};
use crate::document::FailReason;

/// The body's text.
pub(super) fn body(record: &[u8]) -> Result<String, Failure> {
    let (headers, body) = split(record);
    part(headers, body, 0)
}

fn part(headers: &[u8], body: &[u8], depth: usize) -> Result<String, Failure> {
    let kind = header(headers, "content-type").unwrap_or_else(|| "text/plain".to_owned());
    let lower = kind.to_ascii_lowercase();
    if lower.starts_with("multipart/") && depth < 4 {
        let boundary = parameter(&kind, "boundary").ok_or_else(|| unsupported("a multipart mail names no boundary"))?;
        let marker = format!("--{boundary}").into_bytes();
        let mut parts = parts(body, &marker).into_iter().map(|bytes| {
            let (headers, body) = split(bytes);
            part(headers, body, depth + 1)
        });
        return parts.find_map(Result::ok).ok_or_else(|| unsupported("no part of the mail is plain text"));
    }
    if !lower.starts_with("text/plain") {
        return Err(unsupported(&format!("the mail is `{}`", lower.split(';').next().unwrap_or_default().trim())));
    }
    let encoding = header(headers, "content-transfer-encoding").unwrap_or_default().trim().to_ascii_lowercase();
    let bytes = match encoding.as_str() {
        "quoted-printable" => unquote(body),
        "base64" => return Err(unsupported("the mail's text is in base64")),
        _ => body.to_vec(),
    };
    let charset = parameter(&kind, "charset").unwrap_or_else(|| "us-ascii".to_owned()).to_ascii_lowercase();
    match charset.as_str() {
        "iso-8859-1" | "latin1" => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        _ => utf8(&bytes).map(str::to_owned),
    }
}

fn unsupported(what: &str) -> Failure {
    (FailReason::UnsupportedFormat, what.to_owned())
}

/// Headers and body; a mail without a blank line has no body.
fn split(record: &[u8]) -> (&[u8], &[u8]) {
    let cut = |blank: &[u8]| record.windows(blank.len()).position(|w| w == blank).map(|at| (at, at + blank.len()));
    let found = [cut(b"\n\n"), cut(b"\r\n\r\n")].into_iter().flatten().min();
    found.map_or((record, &[]), |(at, end)| (&record[..at], &record[end..]))
}

/// A header's value with its continuation lines joined.
fn header(headers: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(headers);
    let mut value: Option<String> = None;
    for line in text.lines() {
        match &mut value {
            Some(value) if line.starts_with([' ', '\t']) => value.push_str(line),
            Some(_) => break,
            None => {
                let found = line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name));
                value = found.map(|(_, v)| v.trim().to_owned());
            }
        }
    }
    value
}

fn parameter(value: &str, name: &str) -> Option<String> {
    let pieces = value.split(';').skip(1).filter_map(|p| p.split_once('='));
    let found = pieces.into_iter().find(|(n, _)| n.trim().eq_ignore_ascii_case(name));
    found.map(|(_, v)| v.trim().trim_matches('"').to_owned()).filter(|v| !v.is_empty())
}

/// The parts between lines that start with the marker.
fn parts<'a>(body: &'a [u8], marker: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let (mut at, mut start) = (0, None);
    for line in body.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(marker) {
            if let Some(start) = start {
                parts.push(&body[start..at]);
            }
            start = Some(at + line.len());
        }
        at += line.len();
    }
    parts
}

fn unquote(body: &[u8]) -> Vec<u8> {
    let digit = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        if body[at] != b'=' {
            bytes.push(body[at]);
            at += 1;
        } else if let (Some(high), Some(low)) = (digit(body.get(at + 1)), digit(body.get(at + 2))) {
            bytes.push(high * 16 + low);
            at += 3;
        } else if body.get(at + 1) == Some(&b'\n') {
            at += 2;
        } else if body.get(at + 1..at + 3) == Some(b"\r\n") {
            at += 3;
        } else {
            bytes.push(b'=');
            at += 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_go_and_the_body_stays() {
        assert_eq!(body(b"From: a\nSubject: s\n\nHello\n\n> quoted\n").unwrap(), "Hello\n\n> quoted\n");
    }

    #[test]
    fn the_first_plain_part_of_a_multipart_mail_is_its_text() {
        let mail = b"Content-Type: multipart/alternative;\n\tboundary=\"xx\"\n\n--xx\nContent-Type: text/html\n\n<p>\n--xx\n\
                     Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9 =\nau\n--xx--\n";
        assert_eq!(body(mail).unwrap(), "caf\u{e9} au\n");
    }

    #[test]
    fn other_kinds_are_refused_by_name() {
        let (reason, detail) = body(b"Content-Type: text/html; charset=x\n\n<p>").unwrap_err();
        assert_eq!((reason, detail.as_str()), (FailReason::UnsupportedFormat, "the mail is `text/html`"));
        assert_eq!(body(b"A: b\n\n\xff").unwrap_err().0, FailReason::InvalidUtf8);
    }
}

//! Tar archives as a stream: ustar, GNU long names and pax paths; everything that is not a regular file is skipped.
//! Members are never written to disk, so their paths are labels only.

use std::io::{self, Read};

use super::container::{Container, Member};

const BLOCK: usize = 512;
/// The most bytes of a long name or a pax header.
const MAX_HEADER: u64 = 1 << 20;

/// A tar archive.
pub(super) struct Tar {
    inner: Box<dyn Read + Send>,
    /// Bytes of the current member that are not read yet.
    left: u64,
    /// Bytes of padding after it.
    padding: u64,
    ended: bool,
}

impl Tar {
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        Self { inner, left: 0, padding: 0, ended: false }
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        let rest = self.left + self.padding;
        let skipped = io::copy(&mut (&mut self.inner).take(rest), &mut io::sink())?;
        (self.left, self.padding) = (0, 0);
        if skipped == rest { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The next header block, or nothing at the archive's end.
    fn header(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        self.inner.read_exact(&mut block)?;
        if block.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let stored = number(&block[148..156])?;
        let sum: u64 =
            block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u64::from(*b) }).sum();
        if stored == sum { Ok(Some(block)) } else { Err(invalid("a tar header's checksum is wrong")) }
    }

    fn set_size(&mut self, size: u64) {
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
    }

    /// The payload of a header that describes the next one.
    fn payload(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_HEADER {
            return Err(invalid("a tar header is longer than 1 MiB"));
        }
        self.set_size(size);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        self.skip_rest()?;
        Ok(bytes)
    }
}

impl Container for Tar {
    fn next(&mut self) -> io::Result<Option<Member>> {
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        self.skip_rest()?;
        let (mut long_name, mut long_size) = (None, None);
        while let Some(block) = self.header()? {
            let size = number(&block[124..136])?;
            match block[156] {
                b'L' => long_name = Some(text(&self.payload(size)?)),
                b'x' => {
                    for (key, value) in pax(&self.payload(size)?) {
                        match key.as_str() {
                            "path" => long_name = Some(value),
                            "size" => long_size = Some(value.parse().map_err(|_| invalid("a pax size is no number"))?),
                            _ => {}
                        }
                    }
                }
                b'0' | 0 | b'7' => {
                    let path = long_name.take().unwrap_or_else(|| name(&block));
                    let size = long_size.take().unwrap_or(size);
                    if size > super::decode::MAX_OBJECT {
                        return Err(invalid("a tar member's size is impossible"));
                    }
                    self.set_size(size);
                    if path.ends_with('/') {
                        self.skip_rest()?;
                        continue;
                    }
                    self.ended = false;
                    return Ok(Some(Member { path }));
                }
                kind => {
                    // Links and folders have no bytes of their own, whatever their size field says.
                    let has_bytes = !matches!(kind, b'1'..=b'6');
                    self.set_size(if has_bytes { size.min(super::decode::MAX_OBJECT) } else { 0 });
                    self.skip_rest()?;
                    (long_name, long_size) = (None, None);
                }
            }
        }
        Ok(None)
    }
}

impl Read for Tar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        let n = self.inner.read(&mut buffer[..most]).inspect_err(|_| self.ended = true)?;
        if n == 0 {
            self.ended = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn name(block: &[u8; BLOCK]) -> String {
    let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
    let is_ustar = &block[257..263] == b"ustar\0";
    if is_ustar && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// Octal text, or base 256 when the first bit is set.
fn number(field: &[u8]) -> io::Result<u64> {
    if field[0] & 0x80 != 0 {
        let mut value = u64::from(field[0] & 0x7f);
        for byte in &field[1..] {
            value = value.checked_mul(256).ok_or_else(|| invalid("a tar number is too large"))? | u64::from(*byte);
        }
        return Ok(value);
    }
    let digits = text(field);
    let digits = digits.trim();
    if digits.is_empty() {
        return Ok(0);
    }
    u64::from_str_radix(digits, 8).map_err(|_| invalid("a tar number is not octal"))
}

/// `length key=value\n` records; a record that does not parse ends the list.
fn pax(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut records = Vec::new();
    while let Some(space) = bytes.iter().position(|b| *b == b' ') {
        let length = std::str::from_utf8(&bytes[..space]).ok().and_then(|t| t.parse::<usize>().ok());
        let Some(record) = length.filter(|l| *l > space + 1 && *l <= bytes.len()).map(|l| &bytes[space + 1..l]) else {
            break;
        };
        let consumed = space + 1 + record.len();
        let record = String::from_utf8_lossy(record);
        if let Some((key, value)) = record.trim_end_matches('\n').split_once('=') {
            records.push((key.to_owned(), value.to_owned()));
        }
        bytes = &bytes[consumed..];
    }
    records
}

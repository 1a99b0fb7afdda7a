//! Zip archives (wheels) by their central directory, sorted by path: stored and deflated members, CRC checked.
//! Zip64, encryption and other methods are refused member by member.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::container::{Container, Member, Positioned};

/// A zip archive.
pub(super) struct Zip {
    file: Positioned,
    entries: std::vec::IntoIter<Entry>,
    open: Option<Open>,
}

struct Entry {
    path: String,
    method: u16,
    encrypted: bool,
    crc: u32,
    packed: u64,
    offset: u64,
}

/// The current member with its running checksum.
struct Open {
    bytes: Bytes,
    crc: Crc,
    expected: u32,
}

enum Bytes {
    Stored(Take<BufReader<Positioned>>),
    Deflated(Box<DeflateDecoder<Take<BufReader<Positioned>>>>),
    Refused(&'static str),
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn u16_at(bytes: &[u8], at: usize) -> io::Result<u16> {
    let field = bytes.get(at..at + 2).and_then(|b| b.try_into().ok());
    field.map(u16::from_le_bytes).ok_or_else(|| invalid("the zip directory is cut off"))
}

fn u32_at(bytes: &[u8], at: usize) -> io::Result<u32> {
    let field = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    field.map(u32::from_le_bytes).ok_or_else(|| invalid("the zip directory is cut off"))
}

impl Zip {
    /// Reads the directory of the archive.
    pub(super) fn new(mut file: Positioned) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let tail_length = length.min(22 + 0xffff);
        file.seek(SeekFrom::Start(length - tail_length))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or_else(|| invalid("no zip directory"))?;
        let (size, offset) = (u64::from(u32_at(&tail, end + 12)?), u64::from(u32_at(&tail, end + 16)?));
        if offset + size > length {
            return Err(invalid("the zip directory lies outside the file, or is zip64"));
        }
        file.seek(SeekFrom::Start(offset))?;
        let mut directory = Vec::new();
        (&mut file).take(size).read_to_end(&mut directory)?;
        let mut entries = entries(&directory)?;
        entries.sort_by(|a, b| a.path.cmp(&b.path).then(a.offset.cmp(&b.offset)));
        Ok(Self { file, entries: entries.into_iter(), open: None })
    }
}

fn entries(directory: &[u8]) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < directory.len() {
        if directory.get(at..at + 4) != Some(b"PK\x01\x02".as_slice()) {
            return Err(invalid("the zip directory has a broken entry"));
        }
        let flags = u16_at(directory, at + 8)?;
        let name_length = usize::from(u16_at(directory, at + 28)?);
        let rest = usize::from(u16_at(directory, at + 30)?) + usize::from(u16_at(directory, at + 32)?);
        let name =
            directory.get(at + 46..at + 46 + name_length).ok_or_else(|| invalid("the zip directory is cut off"))?;
        let path = String::from_utf8_lossy(name).into_owned();
        if !path.ends_with('/') {
            entries.push(Entry {
                path,
                method: u16_at(directory, at + 10)?,
                encrypted: flags & 1 != 0,
                crc: u32_at(directory, at + 16)?,
                packed: u64::from(u32_at(directory, at + 20)?),
                offset: u64::from(u32_at(directory, at + 42)?),
            });
        }
        at += 46 + name_length + rest;
    }
    Ok(entries)
}

impl Container for Zip {
    fn next(&mut self) -> io::Result<Option<Member>> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        let mut bytes = Bytes::Refused("the member is encrypted");
        if !entry.encrypted {
            let mut file = self.file.clone();
            file.seek(SeekFrom::Start(entry.offset))?;
            let mut header = [0; 30];
            let read = file.read_exact(&mut header);
            if read.is_err() || header[..4] != *b"PK\x03\x04" {
                bytes = Bytes::Refused("the member's header is broken");
            } else {
                let skip = i64::from(u16_at(&header, 26)?) + i64::from(u16_at(&header, 28)?);
                file.seek(SeekFrom::Current(skip))?;
                let packed = BufReader::with_capacity(1 << 16, file).take(entry.packed);
                bytes = match entry.method {
                    0 => Bytes::Stored(packed),
                    8 => Bytes::Deflated(Box::new(DeflateDecoder::new(packed))),
                    _ => Bytes::Refused("the member's compression is neither stored nor deflate"),
                };
            }
        }
        self.open = Some(Open { bytes, crc: Crc::new(), expected: entry.crc });
        Ok(Some(Member { path: entry.path }))
    }
}

impl Read for Zip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(open) = self.open.as_mut().filter(|_| !buffer.is_empty()) else { return Ok(0) };
        let n = match &mut open.bytes {
            Bytes::Stored(bytes) => bytes.read(buffer)?,
            Bytes::Deflated(bytes) => bytes.read(buffer)?,
            Bytes::Refused(why) => return Err(invalid(why)),
        };
        open.crc.update(&buffer[..n]);
        if n == 0 && open.crc.sum() != open.expected {
            return Err(invalid("the member's checksum is wrong"));
        }
        Ok(n)
    }
}

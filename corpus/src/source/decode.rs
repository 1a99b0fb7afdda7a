//! Streams: decompression by file name, a bound on what comes out of it, and the difference between a stream that
//! is broken (a row of the ledger) and a disk that is (an error).

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::object::Unavailable;

/// The most bytes that one object may decompress to.
pub(super) const MAX_OBJECT: u64 = 16 << 30;

/// Decompresses by the name's ending, `.gz`, `.tgz`, `.crate` or `.zst`; other names pass as they are.
pub(super) fn decoded(name: &str, reader: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let ending = name.rsplit('.').next().unwrap_or_default();
    let inner: Box<dyn Read + Send> = match ending {
        "gz" | "tgz" | "crate" => Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, reader))),
        "zst" => Box::new(zstd::stream::read::Decoder::new(reader)?),
        _ => reader,
    };
    Ok(Box::new(Bounded { inner, left: MAX_OBJECT }))
}

/// Whether the error says that the bytes are broken, and not that they could not be had.
pub(super) fn is_broken(error: &io::Error) -> bool {
    error.raw_os_error().is_none() && !is_unavailable(error)
}

/// Whether the object could not be had.
fn is_unavailable(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Unavailable>())
}

/// Whether the error is [`Bounded`]'s.
pub(super) fn is_too_large(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::FileTooLarge
}

/// Ends with an error instead of giving more bytes than it may.
struct Bounded {
    inner: Box<dyn Read + Send>,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let left = self.left.checked_sub(n as u64);
        self.left = left.ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, format!("decompresses to more than {MAX_OBJECT} bytes"))
        })?;
        Ok(n)
    }
}

//! The container of `.r1cs`, `.ptau` and `.zkey` files. All integers are little-endian.
//!
//! ```text
//! magic (4 bytes)  version u32  section count u32
//! section count times:  id u32  length u64  content
//! ```
//!
//! The reader wants every id once and no byte after the last section. It reads forward through one
//! section at a time with a buffer of fixed size, whatever lengths the file claims.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{NativeError, Place, Result};

/// No format has more; files of plonk and fflonk keys have fewer than 20.
const MAX_SECTIONS: u32 = 64;

const BUFFER: usize = 1 << 18;

/// Where a section's content lies in its file.
#[derive(Clone, Copy, Debug)]
struct Extent {
    offset: u64,
    length: u64,
}

/// A file whose table of sections has been read and checked.
#[derive(Debug)]
pub struct SectionFile {
    path: PathBuf,
    format: &'static str,
    sections: BTreeMap<u32, Extent>,
}

impl SectionFile {
    /// Opens a file and checks magic, version and the table of sections.
    pub fn open(path: &Path, format: &'static str) -> Result<Self> {
        let io = NativeError::read(path);
        let file = File::open(path).map_err(&io)?;
        let size = file.metadata().map_err(&io)?.len();
        let mut place = Place { path: path.to_path_buf(), format, section: None, offset: 0 };
        let mut input = BufReader::new(file);
        let mut header = [0; 12];
        if size < 12 {
            return Err(place.malformed("a header of 12 bytes", format!("{size} bytes")));
        }
        input.read_exact(&mut header).map_err(&io)?;
        let [magic, version, count] = words(&header);
        if magic.to_le_bytes() != *format.as_bytes() {
            return Err(place.malformed(
                format!("the four letters \"{format}\""),
                String::from_utf8_lossy(&header[..4]).escape_default(),
            ));
        }
        place.offset = 4;
        if version != 1 {
            return Err(place.malformed("version 1", version));
        }
        place.offset = 8;
        if count > MAX_SECTIONS {
            return Err(place.malformed(format!("at most {MAX_SECTIONS} sections"), count));
        }
        let mut sections = BTreeMap::new();
        let mut offset = 12;
        for _ in 0..count {
            place.offset = offset;
            if size - offset < 12 {
                let left = size - offset;
                return Err(place.malformed("a section header", format!("{left} bytes")));
            }
            input.seek(SeekFrom::Start(offset)).map_err(&io)?;
            input.read_exact(&mut header).map_err(&io)?;
            let [id, low, high] = words(&header);
            let length = u64::from(low) | u64::from(high) << 32;
            offset += 12;
            if length > size - offset {
                let left = size - offset;
                return Err(place.malformed(
                    format!("section {id} of at most {left} bytes, which the file still has"),
                    format!("a length of {length}"),
                ));
            }
            if sections.insert(id, Extent { offset, length }).is_some() {
                return Err(place.malformed("every section once", format!("section {id} again")));
            }
            offset += length;
        }
        place.offset = offset;
        if offset != size {
            return Err(place.malformed(
                "the end of the file after the last section",
                format!("{} more bytes", size - offset),
            ));
        }
        Ok(Self { path: path.to_path_buf(), format, sections })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file has the section.
    pub fn has(&self, id: u32) -> bool {
        self.sections.contains_key(&id)
    }

    /// Bytes in the section, or none without it.
    pub fn length(&self, id: u32) -> Option<u64> {
        self.sections.get(&id).map(|extent| extent.length)
    }

    /// The place of a section's first byte, for errors about the section as a whole.
    pub fn place(&self, id: u32) -> Place {
        Place {
            path: self.path.clone(),
            format: self.format,
            section: Some(id),
            offset: self.sections.get(&id).map_or(0, |extent| extent.offset),
        }
    }

    /// Starts to read a section that must be there.
    pub fn read(&self, id: u32) -> Result<SectionReader> {
        let extent = *self
            .sections
            .get(&id)
            .ok_or_else(|| self.place(id).malformed(format!("a section {id}"), "none"))?;
        let io = NativeError::read(&self.path);
        let mut file = File::open(&self.path).map_err(&io)?;
        file.seek(SeekFrom::Start(extent.offset)).map_err(&io)?;
        let input = BufReader::with_capacity(BUFFER, file);
        Ok(SectionReader { input, place: self.place(id), left: extent.length })
    }

    /// Starts to read a section that must have exactly `length` bytes.
    pub fn read_exactly(&self, id: u32, length: u64) -> Result<SectionReader> {
        let reader = self.read(id)?;
        if reader.left != length {
            return Err(reader.place.malformed(
                format!("section {id} of {length} bytes"),
                format!("{} bytes", reader.left),
            ));
        }
        Ok(reader)
    }
}

fn words(header: &[u8; 12]) -> [u32; 3] {
    let word =
        |i: usize| u32::from_le_bytes([header[i], header[i + 1], header[i + 2], header[i + 3]]);
    [word(0), word(4), word(8)]
}

/// Reads one section from its first byte to its last.
#[derive(Debug)]
pub struct SectionReader {
    input: BufReader<File>,
    place: Place,
    left: u64,
}

impl SectionReader {
    /// The place of the next byte.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Bytes not yet read.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Fills `target` with the next bytes.
    pub fn bytes(&mut self, target: &mut [u8]) -> Result<()> {
        let wanted = target.len() as u64;
        if wanted > self.left {
            return Err(self.place.malformed(
                format!("{wanted} more bytes in the section"),
                format!("{} bytes", self.left),
            ));
        }
        self.input.read_exact(target).map_err(NativeError::read(&self.place.path))?;
        self.left -= wanted;
        self.place.offset += wanted;
        Ok(())
    }

    /// The next bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.bytes(&mut bytes)?;
        Ok(bytes)
    }

    /// The next 4 bytes.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// The next 8 bytes.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Ends reading; anything left is an error.
    pub fn end(self) -> Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        Err(self.place.malformed("the end of the section", format!("{} more bytes", self.left)))
    }
}

/// Writes a file section by section. What is not finished is deleted.
pub struct SectionWriter {
    output: BufWriter<File>,
    path: PathBuf,
    announced: u32,
    written: u32,
    /// Offset of the open section's length field.
    open: Option<u64>,
    finished: bool,
}

impl SectionWriter {
    /// Creates the file and writes its header.
    pub fn create(path: &Path, format: &'static str, sections: u32) -> Result<Self> {
        let file = File::create(path).map_err(NativeError::write(path))?;
        let mut writer = Self {
            output: BufWriter::with_capacity(BUFFER, file),
            path: path.to_path_buf(),
            announced: sections,
            written: 0,
            open: None,
            finished: false,
        };
        writer.bytes(format.as_bytes())?;
        writer.u32(1)?;
        writer.u32(sections)?;
        Ok(writer)
    }

    /// Begins a section; its length is filled in by [`Self::end`].
    pub fn begin(&mut self, id: u32) -> Result<()> {
        assert!(self.open.is_none(), "sections do not nest");
        self.u32(id)?;
        self.open = Some(self.position()?);
        self.bytes(&[0; 8])
    }

    /// Ends the open section.
    pub fn end(&mut self) -> Result<()> {
        let at = self.open.take().expect("a section is open");
        let length = self.position()? - at - 8;
        self.patch(at, &length.to_le_bytes())?;
        self.written += 1;
        Ok(())
    }

    /// Writes bytes into the open section.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.output.write_all(bytes).map_err(NativeError::write(&self.path))
    }

    /// Writes 4 bytes.
    pub fn u32(&mut self, value: u32) -> Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// Offset in the file of the next byte.
    pub fn position(&mut self) -> Result<u64> {
        self.output.stream_position().map_err(NativeError::write(&self.path))
    }

    /// Overwrites bytes written before.
    pub fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        let io = NativeError::write(&self.path);
        let end = self.output.stream_position().map_err(&io)?;
        self.output.seek(SeekFrom::Start(at)).map_err(&io)?;
        self.output.write_all(bytes).map_err(&io)?;
        self.output.seek(SeekFrom::Start(end)).map_err(&io)?;
        Ok(())
    }

    /// Flushes the file to disk; without this it is deleted.
    pub fn finish(mut self) -> Result<()> {
        assert!(self.open.is_none() && self.written == self.announced, "all sections are written");
        let io = NativeError::write(&self.path);
        self.output.flush().map_err(&io)?;
        self.output.get_ref().sync_all().map_err(&io)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for SectionWriter {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing more can be done about a failure to clean up after a failure.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

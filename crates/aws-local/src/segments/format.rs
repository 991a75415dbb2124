//! The bytes of a segment's file: a header, records, and from when no more are added an index at the end.
//!
//! Numbers are little endian. Each part has a CRC-32 of its own, so that a torn or changed one is found where it is read.

use std::io::{self, Read};

use super::bounds::RECORD_BYTES_MAX;
use super::log::LogId;
use crate::clock::Millis;

/// The version of the format; a file of another one is refused.
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"EVENTSEG";
const INDEX_MAGIC: &[u8; 8] = b"EVENTIDX";

pub(super) const HEADER_BYTES: usize = 32;
pub(super) const RECORD_HEAD_BYTES: usize = 24;
/// The last part of an index, which says how long the index is.
pub(super) const TAIL_BYTES: usize = 40;
pub(super) const BLOCK_BYTES: usize = 24;

/// What a file's first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) log: LogId,
    /// No record of the file has a lower sequence, and every record of the log before the file has one.
    pub(super) from: u64,
}

/// Where a stretch of records begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) sequence: u64,
    pub(super) time: Millis,
    pub(super) at: u64,
}

/// What is in front of a record's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub(super) length: usize,
    pub(super) sequence: u64,
    pub(super) time: Millis,
    sum: u32,
}

/// The last part of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) sequence: u64,
    pub(super) time: Millis,
    /// Where the records end and the index begins.
    pub(super) end: u64,
    pub(super) blocks: u32,
    sum: u32,
}

/// Takes numbers from the front of a slice that is long enough.
struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (first, rest) = self.0.split_first_chunk().unwrap_or((&[0; N], &[]));
        self.0 = rest;
        *first
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    fn time(&mut self) -> Millis {
        Millis::from_le_bytes(self.bytes())
    }
}

impl Header {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.log.0.to_le_bytes());
        bytes.extend(self.from.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// The error is why this version cannot read the file.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = Fields(bytes);
        if &fields.bytes() != MAGIC {
            return Err("it is no segment of retained events".to_owned());
        }
        let version = fields.u32();
        if version != VERSION {
            return Err(format!("version {version}"));
        }
        let (log, from) = (LogId(fields.u64()), fields.u64());
        let (summed, _) = bytes.split_at(bytes.len().min(HEADER_BYTES - 4));
        if bytes.len() < HEADER_BYTES || fields.u32() != crc32fast::hash(summed) {
            return Err("its header is not what was written".to_owned());
        }
        Ok(Self { log, from })
    }
}

/// Adds a record to `buffer`, whose bytes come in pieces, and are no more than [`RECORD_BYTES_MAX`].
pub(super) fn append_record(buffer: &mut Vec<u8>, sequence: u64, time: Millis, pieces: [&[u8]; 2]) {
    let length = pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let sum = sum(length, sequence, time, pieces);
    buffer.extend(length.to_le_bytes());
    buffer.extend(sum.to_le_bytes());
    buffer.extend(sequence.to_le_bytes());
    buffer.extend(time.to_le_bytes());
    for piece in pieces {
        buffer.extend(piece);
    }
}

fn sum(length: u32, sequence: u64, time: Millis, pieces: [&[u8]; 2]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&length.to_le_bytes());
    sum.update(&sequence.to_le_bytes());
    sum.update(&time.to_le_bytes());
    for piece in pieces {
        sum.update(piece);
    }
    sum.finalize()
}

/// Reads the next record, its bytes into `bytes`; none where the next bytes are no record.
pub(super) fn read_record(from: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<Option<RecordHead>> {
    let mut head = [0; RECORD_HEAD_BYTES];
    if !read_whole(from, &mut head)? {
        return Ok(None);
    }
    let mut fields = Fields(&head);
    let (length, wanted) = (fields.u32(), fields.u32());
    let (sequence, time) = (fields.u64(), fields.time());
    let bytes_long = length as usize;
    if bytes_long > RECORD_BYTES_MAX {
        return Ok(None);
    }
    bytes.resize(bytes_long, 0);
    if !read_whole(from, bytes)? || sum(length, sequence, time, [bytes, b""]) != wanted {
        return Ok(None);
    }
    Ok(Some(RecordHead {
        length: bytes_long,
        sequence,
        time,
        sum: wanted,
    }))
}

/// False where the file ends before.
fn read_whole(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The index of a file whose last record is `last` and whose records end at `end`.
pub(super) fn index(blocks: &[Block], last: (u64, Millis), end: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(blocks.len() * BLOCK_BYTES + TAIL_BYTES);
    for block in blocks {
        bytes.extend(block.sequence.to_le_bytes());
        bytes.extend(block.time.to_le_bytes());
        bytes.extend(block.at.to_le_bytes());
    }
    bytes.extend(INDEX_MAGIC);
    bytes.extend(last.0.to_le_bytes());
    bytes.extend(last.1.to_le_bytes());
    bytes.extend(end.to_le_bytes());
    bytes.extend(u32::try_from(blocks.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

impl Tail {
    /// The tail that the file's last bytes are, if they are one.
    pub(super) fn decode(bytes: &[u8; TAIL_BYTES]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let is_index = &fields.bytes() == INDEX_MAGIC;
        let tail = Self {
            sequence: fields.u64(),
            time: fields.time(),
            end: fields.u64(),
            blocks: fields.u32(),
            sum: fields.u32(),
        };
        is_index.then_some(tail)
    }

    /// How long the whole index is.
    pub(super) fn index_bytes(self) -> u64 {
        u64::from(self.blocks) * BLOCK_BYTES as u64 + TAIL_BYTES as u64
    }

    /// The blocks of an index with this tail; none where its bytes are not what was written.
    pub(super) fn blocks(self, index: &[u8]) -> Option<Vec<Block>> {
        let (summed, _) = index.split_at_checked(index.len().checked_sub(4)?)?;
        if crc32fast::hash(summed) != self.sum {
            return None;
        }
        let (blocks, _) = index.split_at_checked(self.blocks as usize * BLOCK_BYTES)?;
        let block = |bytes| {
            let mut fields = Fields(bytes);
            Block {
                sequence: fields.u64(),
                time: fields.time(),
                at: fields.u64(),
            }
        };
        Some(blocks.chunks_exact(BLOCK_BYTES).map(block).collect())
    }
}

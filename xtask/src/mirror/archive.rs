//! Provider packages as archives: a zip file without compression, the same bytes from the same program.

use anyhow::{Context, Result};

/// Every entry has the oldest date that the format has, so that equal contents give equal archives.
const DATE: u16 = (1 << 5) | 1;
const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// What a reader has to know: version 2.0 of the format, nothing that came later.
const VERSION_NEEDED: u16 = 20;
/// The upper byte says that the attributes are those of Unix.
const MADE_BY_UNIX: u16 = (3 << 8) | VERSION_NEEDED;

/// A file in an archive.
pub(super) struct Entry {
    pub(super) name: String,
    /// Permissions as Unix has them; command-line tools start what is executable only.
    pub(super) mode: u16,
    pub(super) contents: Vec<u8>,
}

/// The archive of these files, in this order.
pub(super) fn zip(entries: &[Entry]) -> Result<Vec<u8>> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = size(archive.len(), &entry.name)?;
        let common = common_fields(entry)?;
        archive.extend(LOCAL_HEADER.to_le_bytes());
        archive.extend(&common);
        archive.extend(entry.name.as_bytes());
        archive.extend(&entry.contents);
        directory.extend(CENTRAL_HEADER.to_le_bytes());
        directory.extend(MADE_BY_UNIX.to_le_bytes());
        directory.extend(&common);
        // No comment, first disk, binary.
        directory.extend([0; 6]);
        directory.extend(((0o100_000 | u32::from(entry.mode)) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let count = u16::try_from(entries.len())?;
    let (start, length) = (
        size(archive.len(), "directory")?,
        size(directory.len(), "directory")?,
    );
    archive.extend(directory);
    archive.extend(END.to_le_bytes());
    archive.extend([0; 4]);
    archive.extend([count, count].iter().flat_map(|count| count.to_le_bytes()));
    archive.extend([length, start].iter().flat_map(|size| size.to_le_bytes()));
    archive.extend([0; 2]);
    Ok(archive)
}

/// What both headers of a file say, from the version needed to the length of the extra field.
fn common_fields(entry: &Entry) -> Result<Vec<u8>> {
    let length = size(entry.contents.len(), &entry.name)?;
    let mut fields = Vec::new();
    fields.extend(VERSION_NEEDED.to_le_bytes());
    // No flags, no compression, midnight.
    fields.extend([0; 6]);
    fields.extend(DATE.to_le_bytes());
    fields.extend(crc32fast::hash(&entry.contents).to_le_bytes());
    fields.extend([length, length].iter().flat_map(|size| size.to_le_bytes()));
    fields.extend(u16::try_from(entry.name.len())?.to_le_bytes());
    fields.extend([0; 2]);
    Ok(fields)
}

fn size(bytes: usize, what: &str) -> Result<u32> {
    u32::try_from(bytes).with_context(|| format!("{what}: an archive holds 4 GiB at most"))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Entry, zip};

    fn entries() -> [Entry; 2] {
        let entry = |name: &str, mode, contents: &[u8]| Entry {
            name: name.to_owned(),
            mode,
            contents: contents.to_vec(),
        };
        [
            entry("LICENSE", 0o644, b"MPL\n"),
            entry("program_v0.1.0", 0o755, &[0, 1, 2, 255]),
        ]
    }

    /// What Python's `zipfile` writes for these files with the same dates and permissions, in base64.
    const OF_PYTHON: &str = "\
        UEsDBBQAAAAAAAAAIQBbmJ+YBAAAAAQAAAAHAAAATElDRU5TRU1QTApQSwMEFAAAAAAAAAAhACQ4sj8EAAAABAAAAA4AAABwcm9n\
        cmFtX3YwLjEuMAABAv9QSwECFAMUAAAAAAAAACEAW5ifmAQAAAAEAAAABwAAAAAAAAAAAAAApIEAAAAATElDRU5TRVBLAQIUAxQA\
        AAAAAAAAIQAkOLI/BAAAAAQAAAAOAAAAAAAAAAAAAADtgSkAAABwcm9ncmFtX3YwLjEuMFBLBQYAAAAAAgACAHEAAABZAAAAAAA=";

    #[test]
    fn it_is_what_another_implementation_writes() -> anyhow::Result<()> {
        assert_eq!(STANDARD.encode(zip(&entries())?), OF_PYTHON);
        Ok(())
    }
}

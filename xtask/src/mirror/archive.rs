//! Provider packages as archives: zip files, the same bytes from the same program.

use std::io::{Cursor, Write as _};

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A file in an archive.
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Permissions as Unix has them; command-line tools start what is executable only.
    pub(crate) mode: u32,
    pub(crate) contents: Vec<u8>,
}

/// The archive of these files, in this order. Each has the oldest date that the format has.
pub(crate) fn zip(entries: &[Entry], compressed: bool) -> Result<Vec<u8>> {
    let method = if compressed {
        CompressionMethod::Deflated
    } else {
        CompressionMethod::Stored
    };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default())
            .unix_permissions(entry.mode);
        let written = archive
            .start_file(&entry.name, options)
            .and_then(|()| Ok(archive.write_all(&entry.contents)?));
        written.with_context(|| entry.name.clone())?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use anyhow::Result;
    use zip::ZipArchive;

    use super::{Entry, zip};

    /// Names, permissions and contents come back, and equal contents give equal archives.
    #[test]
    fn an_archive_holds_what_was_put_in() -> Result<()> {
        let files = [
            ("LICENSE", 0o644, b"MPL\n".to_vec()),
            ("program_v0.1.0", 0o755, vec![0, 1, 2, 255]),
        ];
        let entries = files.clone().map(|(name, mode, contents)| Entry {
            name: name.to_owned(),
            mode,
            contents,
        });
        for compressed in [false, true] {
            let bytes = zip(&entries, compressed)?;
            assert_eq!(bytes, zip(&entries, compressed)?);
            same(bytes, &files)?;
        }
        Ok(())
    }

    fn same(bytes: Vec<u8>, files: &[(&str, u32, Vec<u8>)]) -> Result<()> {
        let mut archive = ZipArchive::new(Cursor::new(bytes))?;
        for (at, (name, mode, contents)) in files.iter().enumerate() {
            let mut file = archive.by_index(at)?;
            assert_eq!(file.name()?, *name);
            assert_eq!(file.unix_mode(), Some(0o100_000 | mode), "{name}");
            let mut read = Vec::new();
            file.read_to_end(&mut read)?;
            assert_eq!(&read, contents);
        }
        assert_eq!(archive.len(), files.len());
        Ok(())
    }
}

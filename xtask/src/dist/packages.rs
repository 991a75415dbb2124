//! What people download: the provider's package and manifest as the registry wants them, a mirror of it, the companion's archive.

use std::path::Path;

use anyhow::Result;
use flate2::Compression;
use tar::{Builder, EntryType, Header};

use super::names::{PROVIDER, Release};
use super::report::Report;
use super::tree::{self, Layout, entry, gzip, read};
use crate::mirror::{self, Entry};
use crate::{places, third_party};

/// Writes them.
pub(super) fn write(release: &Release, out: &Path, uncompressed: bool, report: &mut Report) -> Result<()> {
    let package = release.provider();
    let name = mirror::package_name(&package);
    std::fs::write(
        out.join(&name),
        mirror::zip(&mirror::entries(&package)?, !uncompressed)?,
    )?;
    report.made(&name);

    let name = format!("{PROVIDER}_{}_manifest.json", release.version);
    std::fs::copy(
        places::root().join("terraform-registry-manifest.json"),
        out.join(&name),
    )?;
    report.made(&name);

    mirror::write(&out.join("mirror"), std::slice::from_ref(&package))?;
    report.made("mirror/");

    let name = format!("{}.tar.gz", release.archive());
    let mut entries = tree::companion(release, Layout::Prefix)?;
    for file in ["LICENSE", "CHANGELOG.md"] {
        entries.push(entry(file, 0o644, read(&places::root().join(file))?));
    }
    let third_party = release.third_party.clone().into_bytes();
    entries.push(entry(third_party::NAME, 0o644, third_party));
    let level = if uncompressed {
        Compression::none()
    } else {
        Compression::best()
    };
    std::fs::write(
        out.join(&name),
        gzip(&archive(&release.archive(), &entries)?, level)?,
    )?;
    report.made(&name);
    Ok(())
}

/// A tar archive of these files in a folder, in this order. They are root's, and have the oldest date that there is.
fn archive(folder: &str, entries: &[Entry]) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(entry.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(entry.contents.len().try_into()?);
        let name = format!("{folder}/{}", entry.name);
        archive.append_data(&mut header, name, entry.contents.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use anyhow::Result;

    use super::{archive, entry};

    /// Names, permissions and contents come back, and equal contents give equal archives.
    #[test]
    fn an_archive_holds_what_was_put_in() -> Result<()> {
        let entries = [
            entry("bin/program", 0o755, vec![0, 1, 2, 255]),
            entry("LICENSE", 0o644, b"MPL\n".to_vec()),
        ];
        let bytes = archive("program_0.1.0", &entries)?;
        assert_eq!(bytes, archive("program_0.1.0", &entries)?);
        let mut unpacked = tar::Archive::new(bytes.as_slice());
        let mut names = Vec::new();
        for (file, entry) in unpacked.entries()?.zip(&entries) {
            let mut file = file?;
            names.push(file.path()?.display().to_string());
            assert_eq!(file.header().mode()?, entry.mode);
            assert_eq!((file.header().uid()?, file.header().mtime()?), (0, 0));
            let mut contents = Vec::new();
            file.read_to_end(&mut contents)?;
            assert_eq!(contents, entry.contents);
        }
        assert_eq!(names, ["program_0.1.0/bin/program", "program_0.1.0/LICENSE"]);
        Ok(())
    }
}

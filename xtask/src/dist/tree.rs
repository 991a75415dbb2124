//! The files of an installation below `/usr`: what the Debian package and the container image have.

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};

use super::names::{COMPANION, PROVIDER, Release};
use crate::mirror::{self, Entry};
use crate::{places, shell, third_party};

/// A shell whose completions are installed.
struct Shell {
    name: &'static str,
    /// Below `share/`.
    file: &'static str,
    /// The same in a Debian package.
    debian: &'static str,
}

const BASH: &str = "bash-completion/completions/scalr-eventbridge";
const FISH: &str = "fish/vendor_completions.d/scalr-eventbridge.fish";
const SHELLS: [Shell; 3] = [
    Shell {
        name: "bash",
        file: BASH,
        debian: BASH,
    },
    Shell {
        name: "zsh",
        file: "zsh/site-functions/_scalr-eventbridge",
        debian: "zsh/vendor-completions/_scalr-eventbridge",
    },
    Shell {
        name: "fish",
        file: FISH,
        debian: FISH,
    },
];

/// For whom files are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Any prefix, such as `/usr/local`.
    Prefix,
    /// `/usr` of a Debian package.
    Debian,
}

/// The companion's files, relative to the prefix.
pub(super) fn companion(release: &Release, layout: Layout) -> Result<Vec<Entry>> {
    let program = release.program(COMPANION);
    let mut entries = vec![entry("bin/scalr-eventbridge", 0o755, read(&program)?)];
    for one in &SHELLS {
        let mut command = Command::new(&program);
        command.args(["completions", one.name]);
        let file = match layout {
            Layout::Prefix => one.file,
            Layout::Debian => one.debian,
        };
        let script = shell::read(command)?.into_bytes();
        entries.push(entry(&format!("share/{file}"), 0o644, script));
    }
    entries.extend(manual(&program)?);
    Ok(entries)
}

/// The manual pages, as the program writes them.
fn manual(program: &Path) -> Result<Vec<Entry>> {
    let pages = tempfile::tempdir()?;
    let mut command = Command::new(program);
    command.args(["man", "--dir"]).arg(pages.path());
    shell::read(command)?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(pages.path())?
        .map(|page| Ok(page?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    let mut entries = Vec::new();
    for page in files {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        let packed = gzip(&read(&page)?, Compression::best())?;
        entries.push(entry(&format!("share/man/man1/{name}.gz"), 0o644, packed));
    }
    Ok(entries)
}

/// Writes all of it into `tree/usr`.
pub(super) fn write(release: &Release, tree: &Path) -> Result<()> {
    let usr = tree.join("usr");
    for entry in companion(release, Layout::Debian)? {
        put(&usr, &entry)?;
    }
    for mut entry in mirror::entries(&release.provider())? {
        entry.name = format!("lib/{PROVIDER}/{}", entry.name);
        put(&usr, &entry)?;
    }
    // Where both tools look by themselves: https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    for host in mirror::HOSTS {
        let version = usr
            .join("share/terraform/plugins")
            .join(host)
            .join(mirror::SOURCE)
            .join(&release.version);
        std::fs::create_dir_all(&version)?;
        let program = Path::new("../../../../../../../lib").join(PROVIDER);
        symlink(program, version.join(&release.platform))?;
    }
    let doc = format!("share/doc/{COMPANION}");
    let copyright = read(&places::root().join("packaging/debian/copyright"))?;
    put(&usr, &entry(&format!("{doc}/copyright"), 0o644, copyright))?;
    // It is in the provider's package, whose files are the same everywhere.
    let licences = Path::new("../../../lib").join(PROVIDER).join(third_party::NAME);
    Ok(symlink(licences, usr.join(doc).join(third_party::NAME))?)
}

/// Writes one file below a folder.
pub(super) fn put(folder: &Path, entry: &Entry) -> Result<()> {
    let file = folder.join(&entry.name);
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(&file, &entry.contents).with_context(|| file.display().to_string())?;
    Ok(std::fs::set_permissions(
        &file,
        PermissionsExt::from_mode(entry.mode),
    )?)
}

/// Compressed, without the time or the name of the file: the same bytes from the same contents.
pub(super) fn gzip(contents: &[u8], level: Compression) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), level);
    encoder.write_all(contents)?;
    Ok(encoder.finish()?)
}

pub(super) fn entry(name: &str, mode: u32, contents: Vec<u8>) -> Entry {
    Entry {
        name: name.to_owned(),
        mode,
        contents,
    }
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| file.display().to_string())
}

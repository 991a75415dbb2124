//! The Debian package: both programs, manual pages, completions, and the provider where `init` looks by itself.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use flate2::Compression;

use super::names::{COMPANION, Release};
use super::report::Report;
use super::tree::{entry, gzip, put};
use super::{glibc, names};
use crate::{places, shell};

const MAINTAINER: &str = "scalr-eventbridge contributors <scalr-eventbridge@users.noreply.github.com>";

/// Writes it, where there is dpkg-deb.
pub(super) fn write(
    release: &Release,
    tree: &Path,
    out: &Path,
    uncompressed: bool,
    report: &mut Report,
) -> Result<()> {
    let name = release.debian_package()?;
    if places::on_path("dpkg-deb").is_none() || !release.platform.starts_with("linux_") {
        report.left_out(&name, "dpkg-deb is not here");
        return Ok(());
    }
    let epoch = epoch()?;
    let log = changelog(&release.version, &epoch)?;
    let file = format!("usr/share/doc/{COMPANION}/changelog.gz");
    put(
        tree,
        &entry(&file, 0o644, gzip(log.as_bytes(), Compression::best())?),
    )?;
    // Beside the tree, of which the container image is made as well.
    let staged = tempfile::tempdir_in(out)?;
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(tree.join("usr")).arg(staged.path());
    shell::run(copy)?;
    put(
        staged.path(),
        &entry(
            "DEBIAN/control",
            0o644,
            control(release, size(tree)?)?.into_bytes(),
        ),
    )?;
    let mut build = Command::new("dpkg-deb");
    build
        .args([
            "--root-owner-group",
            if uncompressed { "-Znone" } else { "-Zxz" },
            "--build",
        ])
        .arg(staged.path())
        .arg(out.join(&name))
        .env("SOURCE_DATE_EPOCH", epoch);
    shell::run(build)?;
    report.made(&name);
    Ok(())
}

fn control(release: &Release, kib: u64) -> Result<String> {
    let (major, minor) = glibc::PROMISED;
    let provider = names::PROVIDER;
    Ok(format!(
        "Package: {COMPANION}\n\
         Version: {version}\n\
         Architecture: {processor}\n\
         Maintainer: {MAINTAINER}\n\
         Installed-Size: {kib}\n\
         Depends: ca-certificates, libc6 (>= {major}.{minor}), libgcc-s1\n\
         Section: admin\n\
         Priority: optional\n\
         Description: Scalr events in AWS EventBridge, as code\n \
         The provider {provider} for Terraform and OpenTofu, which\n \
         find it without configuration, and scalr-eventbridge, its other side for\n \
         laptops and CI: Scalr's half of the integration and a local AWS.\n",
        version = release.version,
        processor = release.processor()?,
    ))
}

/// Debian's form of a changelog; the changes themselves are in CHANGELOG.md.
fn changelog(version: &str, epoch: &str) -> Result<String> {
    let mut date = Command::new("date");
    date.args(["--utc", "--rfc-email", &format!("--date=@{epoch}")]);
    let date = shell::read(date)?;
    Ok(format!(
        "{COMPANION} ({version}) stable; urgency=medium\n\n  * What has changed is in CHANGELOG.md of the sources.\n\n \
         -- {MAINTAINER}  {date}",
    ))
}

/// The time that files get: that of the commit, so that the same sources give the same package.
fn epoch() -> Result<String> {
    if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(set);
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"])
        .current_dir(places::root());
    Ok(shell::read(git)?.trim().to_owned())
}

/// What it takes on disk, in KiB.
fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for found in std::fs::read_dir(folder)? {
        let found = found?;
        // A link takes no room.
        let metadata = std::fs::symlink_metadata(found.path())?;
        sum += if metadata.is_dir() {
            size(&found.path())?
        } else {
            metadata.len().div_ceil(1024)
        };
    }
    Ok(sum)
}

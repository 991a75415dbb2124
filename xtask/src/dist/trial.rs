//! Whether what was packed works: installed by the tools from the mirror and from a registry, and by Debian's package manager.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use rustix::process::geteuid;

use super::names::{COMPANION, Release};
use super::report::Report;
use crate::{places, shell};

/// The acceptance cases about packages, with these ones: `tests/it/cases/dist.rs`.
pub(super) fn of_tools(out: &Path, report: &mut Report) -> Result<()> {
    let mut cases = shell::cargo(&["xtask", "test", "--step", "acceptance", "--case", "dist::"]);
    cases.env("ACCEPTANCE_DIST", out);
    shell::run(cases)?;
    report.passed("installed by each tool: from the mirror, a registry, the Debian package, in CI");
    Ok(())
}

/// Installs and removes the package in a folder, which takes root.
pub(super) fn of_package(release: &Release, out: &Path, report: &mut Report) -> Result<()> {
    let name = release.debian_package()?;
    let package = out.join(&name);
    let trial = "installation of the Debian package";
    if !package.is_file() {
        report.left_out(trial, "there is none");
        return Ok(());
    }
    if !geteuid().is_root() {
        report.left_out(trial, "dpkg needs root");
        return Ok(());
    }
    let root = tempfile::tempdir()?;
    std::fs::create_dir_all(root.path().join("var/lib/dpkg/info"))?;
    std::fs::create_dir_all(root.path().join("var/lib/dpkg/updates"))?;
    std::fs::write(root.path().join("var/lib/dpkg/status"), "")?;
    let dpkg = |args: &[&str]| {
        let mut dpkg = Command::new("dpkg");
        // What the package depends on is the machine's, not the folder's.
        dpkg.args(["--force-depends", "--root"])
            .arg(root.path())
            .args(args);
        shell::run(dpkg)
    };
    dpkg(&["--install", &package.to_string_lossy()])?;
    dpkg(&["--verify", COMPANION])?;
    let mut version = Command::new(root.path().join("usr/bin").join(COMPANION));
    version.arg("--version");
    let version = shell::read(version)?;
    ensure!(version.contains(&release.version), "it says {version}");
    dpkg(&["--purge", COMPANION])?;
    let usr = root.path().join("usr");
    ensure!(!usr.exists(), "`{}` is left after its removal", usr.display());
    report.passed(&format!("{name} installed, run and removed"));
    Ok(())
}

/// Checks the package against Debian's policy.
pub(super) fn of_policy(release: &Release, out: &Path, report: &mut Report) -> Result<()> {
    let package = out.join(release.debian_package()?);
    if !package.is_file() {
        report.left_out("lintian", "there is no Debian package");
        return Ok(());
    }
    if places::on_path("lintian").is_none() {
        report.left_out("lintian", "it is not here");
        return Ok(());
    }
    let mut lintian = Command::new("lintian");
    lintian
        .args([
            "--fail-on",
            "error",
            "--allow-root",
            "--suppress-tags",
            SUPPRESSED,
        ])
        .arg(package);
    shell::run(lintian)?;
    report.passed("lintian finds no error");
    Ok(())
}

/// Rust programs are linked statically with what they use, SQLite among it.
const SUPPRESSED: &str = "embedded-library";

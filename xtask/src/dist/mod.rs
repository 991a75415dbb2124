//! `cargo xtask dist`: everything that a release has for this machine's platform, and a trial of each part.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! glibc names report sums      leaves: what a program needs of the system, what files are called, what was made, checksums
//! tree                         the files of an installation
//! debian image packages trial  archives, the Debian package, the container image, and whether they work
//! ```

mod debian;
mod glibc;
mod image;
mod names;
mod packages;
mod report;
mod sums;
mod tree;
mod trial;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use self::names::Release;
use self::report::Report;
use crate::{places, shell};

/// Options of `cargo xtask dist`.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a user types")]
pub(crate) struct Options {
    /// The folder that is written; `target/dist` if none is named. What is there already is deleted.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Cargo's profile.
    #[arg(long, default_value = "release")]
    profile: String,
    /// Packs the programs in this folder instead of building them.
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Only packs: installs nothing, starts nothing, builds no image.
    #[arg(long)]
    pack_only: bool,
    /// Leaves the container image out.
    #[arg(long)]
    no_image: bool,
    /// The image that the container image is based on; without one, a base is made from Debian packages.
    #[arg(long, value_name = "IMAGE", conflicts_with = "no_image")]
    base: Option<String>,
    /// Does not compress the archives: for tests, which unpack them at once.
    #[arg(long)]
    uncompressed: bool,
    /// Only writes the checksums of the archives in `--out`, which several machines have packed, and signs them.
    #[arg(long)]
    sums_only: bool,
}

/// Builds, packs and tries; says what was made, and by name what could not be.
pub(crate) fn run(options: &Options) -> Result<()> {
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| places::target().join("dist"));
    let mut report = Report::default();
    if options.sums_only {
        sums::write(&out, &mut report)?;
        report.print(&out);
        return Ok(());
    }
    let programs = match &options.programs {
        Some(folder) => folder.clone(),
        None => build(&options.profile)?,
    };
    let release = Release::here(programs)?;
    glibc::check(&release, &mut report)?;
    empty(&out)?;
    let out = out.canonicalize()?;
    pack(options, &release, &out, &mut report)?;
    if !options.pack_only {
        try_out(options, &release, &out, &mut report)?;
    }
    report.print(&out);
    Ok(())
}

fn pack(options: &Options, release: &Release, out: &Path, report: &mut Report) -> Result<()> {
    let tree = out.join("tree");
    tree::write(release, &tree)?;
    packages::write(release, out, options.uncompressed, report)?;
    debian::write(release, &tree, out, options.uncompressed, report)?;
    std::fs::copy(
        places::root().join("packaging/install.sh"),
        out.join("install.sh"),
    )?;
    report.made("install.sh");
    sums::write(out, report)
}

fn try_out(options: &Options, release: &Release, out: &Path, report: &mut Report) -> Result<()> {
    trial::of_tools(out, report)?;
    if options.uncompressed {
        // Debian's policy wants packages compressed.
        report.left_out("lintian", "`--uncompressed`");
    } else {
        trial::of_policy(release, out, report)?;
    }
    trial::of_package(release, out, report)?;
    if options.no_image {
        report.left_out("container image", "`--no-image`");
        return Ok(());
    }
    image::build_and_run(release, out, options.base.as_deref(), report)
}

/// Builds both programs, and says where they are.
fn build(profile: &str) -> Result<PathBuf> {
    let mut command = shell::build_programs();
    command.args(["--profile", profile]);
    shell::run(command)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(places::target().join(folder))
}

/// An empty folder. One that holds something else than an earlier run's files is left alone.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        let is_ours = folder.join("tree").is_dir() || std::fs::read_dir(folder)?.next().is_none();
        ensure!(
            is_ours,
            "`{}` holds other files: name an empty folder with `--out`",
            folder.display()
        );
        std::fs::remove_dir_all(folder)?;
    }
    Ok(std::fs::create_dir_all(folder)?)
}

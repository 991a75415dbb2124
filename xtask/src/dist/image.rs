//! The container image, built without a daemon, and both programs run in it as they are meant to: without root, and with a root
//! file system that they cannot write to.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::geteuid;

use super::names::{COMPANION, PROVIDER, Release};
use super::report::Report;
use crate::{places, shell};

const WHAT: &str = "container image";
/// The image that is made of Debian packages.
const BASE: &str = "localhost/debian-packages";
/// What the programs use of the system.
const PACKAGES: [&str; 3] = ["libc6", "libgcc-s1", "ca-certificates"];
/// The user of the image, `nonroot` in distroless images.
const USER: &str = "65532";
/// Starts a program of the image at $1 as that user: nothing but /tmp can be written to.
const READ_ONLY: &str = r#"
set -e
root=$1 user=$2
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot --userspec="$user:$user" "$root" "$@"
"#;
/// What go-plugin's clients set.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// Buildah with a store of its own.
struct Buildah {
    store: PathBuf,
}

/// Builds the image and tries it. Where this machine lacks what that takes, the report says so.
pub(super) fn build_and_run(
    release: &Release,
    out: &Path,
    base: Option<&str>,
    report: &mut Report,
) -> Result<()> {
    if let Some(why) = forbidden(base) {
        report.left_out(WHAT, &why);
        return Ok(());
    }
    let store = tempfile::tempdir()?;
    let buildah = Buildah {
        store: store.path().to_path_buf(),
    };
    let base = match base {
        Some(base) => base.to_owned(),
        None => buildah.base_of_packages()?,
    };
    let image = format!("localhost/{COMPANION}:{}", release.version);
    let mut build = buildah.command(&["build", "--isolation", "chroot", "--tag", &image]);
    build
        .args(["--build-arg", &format!("BASE={base}"), "--file"])
        .arg(places::root().join("packaging/Containerfile"))
        .arg(out.join("tree"));
    shell::run(build)?;
    let container = buildah.read(&["from", &image])?;
    let user = buildah.read(&[
        "inspect",
        "--type",
        "image",
        "--format",
        "{{.OCIv1.Config.User}}",
        &image,
    ])?;
    ensure!(user == format!("{USER}:{USER}"), "the image's user is `{user}`");
    let root = buildah.read(&["mount", &container])?;
    let tried = companion(&root).and_then(|()| provider(&root, release));
    // The store goes with its folder; a mount would stay.
    buildah.read(&["umount", &container])?;
    tried?;
    report.passed(&format!(
        "{image} built on {base}; both programs run in it as {USER} with a read-only root"
    ));
    Ok(())
}

/// Why this machine cannot do it.
fn forbidden(base: Option<&str>) -> Option<String> {
    let mut tools = vec!["buildah", "unshare", "chroot"];
    if base.is_none() {
        tools.extend(["apt-get", "dpkg-deb"]);
    }
    if let Some(missing) = tools.iter().find(|tool| places::on_path(tool).is_none()) {
        return Some(format!("{missing} is not here; `--no-image` leaves it out"));
    }
    if !geteuid().is_root() {
        return Some("mounts need root; `--no-image` leaves it out".to_owned());
    }
    let may_mount = Command::new("unshare").args(["--mount", "true"]).status();
    let may_mount = may_mount.is_ok_and(|status| status.success());
    (!may_mount).then(|| "this machine forbids mount namespaces; `--no-image` leaves it out".to_owned())
}

impl Buildah {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("buildah");
        command
            .args(["--storage-driver", "vfs", "--root"])
            .arg(self.store.join("images"))
            .arg("--runroot")
            .arg(self.store.join("run"))
            .args(args);
        command
    }

    fn read(&self, args: &[&str]) -> Result<String> {
        Ok(shell::read(self.command(args))?.trim().to_owned())
    }

    /// An image of the packages that the programs need, from where this machine gets its own.
    fn base_of_packages(&self) -> Result<String> {
        let work = tempfile::tempdir()?;
        let root = work.path().join("root");
        for folder in ["tmp", "etc/ssl/certs"] {
            std::fs::create_dir_all(root.join(folder))?;
        }
        let mut download = Command::new("apt-get");
        download
            .args(["--quiet", "download"])
            .args(PACKAGES)
            .current_dir(work.path());
        shell::run(download)?;
        for file in std::fs::read_dir(work.path())? {
            let file = file?.path();
            if file.extension().is_some_and(|ending| ending == "deb") {
                let mut unpack = Command::new("dpkg-deb");
                unpack.arg("--extract").arg(file).arg(&root);
                shell::run(unpack)?;
            }
        }
        certificates(&root)?;
        let users =
            format!("root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/:/sbin/nologin\n");
        std::fs::write(root.join("etc/passwd"), users)?;
        let container = self.read(&["from", "scratch"])?;
        let mut copy = self.command(&["copy", &container]);
        copy.arg(&root).arg("/");
        shell::run(copy)?;
        self.read(&["commit", &container, BASE])?;
        Ok(BASE.to_owned())
    }
}

/// The file that the package's own script makes of the certificates.
fn certificates(root: &Path) -> Result<()> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(root.join("usr/share/ca-certificates/mozilla"))? {
        all.extend(std::fs::read(file?.path())?);
    }
    Ok(std::fs::write(
        root.join("etc/ssl/certs/ca-certificates.crt"),
        all,
    )?)
}

/// A program of the image, in a mount namespace of its own.
fn program(root: &str, words: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", READ_ONLY, "sh", root, USER])
        .args(words);
    command
}

/// Serves a command; and finds a read-only file system where it has to write elsewhere.
fn companion(root: &str) -> Result<()> {
    let path = format!("/usr/bin/{COMPANION}");
    shell::run(program(
        root,
        &[&path, "exec", "--", &path, "connections", "list"],
    ))?;
    let refused = program(root, &[&path, "man", "--dir", "/pages"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(
        !refused.status.success() && said.contains("Read-only file system"),
        "its root can be written to: {said}"
    );
    Ok(())
}

/// Shakes hands as a plugin.
fn provider(root: &str, release: &Release) -> Result<()> {
    let path = format!("/usr/lib/{PROVIDER}/{PROVIDER}_v{}", release.version);
    let mut plugin = program(root, &[&path])
        .env(COOKIE.0, COOKIE.1)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let out = plugin.stdout.take().context("it has no stdout")?;
    let read = BufReader::new(out).read_line(&mut line);
    // Each program of the chain has taken the place of the one before.
    let status = std::fs::read_to_string(format!("/proc/{}/status", plugin.id()));
    plugin.kill()?;
    plugin.wait()?;
    read?;
    ensure!(line.starts_with("1|6|unix|"), "its first line is `{line}`");
    let users = format!("Uid:\t{USER}\t{USER}\t{USER}\t{USER}\n");
    ensure!(status?.contains(&users), "it does not run as {USER}");
    Ok(())
}

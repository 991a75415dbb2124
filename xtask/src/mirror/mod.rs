//! `cargo xtask mirror DIR`: a mirror with the provider that was just built. `terraform init` and `tofu init` install from
//! it as from a registry: with a lock file, beside a backend and other providers, for every tool that starts them.
//!
//! The layout is the packed one of <https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror>; the
//! JSON files beside the archives are those of
//! <https://developer.hashicorp.com/terraform/internals/provider-network-mirror-protocol>, so that the same folder behind an
//! HTTPS server is a network mirror.

mod archive;
mod hash;

use std::env::consts;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub(crate) use self::archive::{Entry, zip};
pub(crate) use self::hash::hex;
use crate::{places, shell, third_party};

/// What users write as `source`. Without a host it is that of the tool's own registry, so the mirror has both.
pub(crate) const SOURCE: &str = "scalr-eventbridge/scalr";
/// The registries of the two tools.
pub(crate) const HOSTS: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];
const PROGRAM: &str = "terraform-provider-scalr";

/// Options of `cargo xtask mirror`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The folder; what it holds of other versions and platforms stays. `~/.terraform.d/plugins` needs no configuration.
    folder: PathBuf,
    /// Packs this program instead of building a release.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// The provider for one platform.
pub(crate) struct Package {
    /// `0.1.0`.
    pub(crate) version: String,
    /// Operating system and processor as Go names them: `linux_amd64`.
    pub(crate) platform: String,
    /// The program.
    pub(crate) program: PathBuf,
    /// The licences of what is linked into it.
    pub(crate) third_party: String,
}

impl Package {
    /// The provider for this machine.
    ///
    /// # Errors
    /// When the licences of what is linked into it cannot be listed.
    pub(crate) fn here(program: PathBuf) -> Result<Self> {
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: platform(consts::OS, consts::ARCH),
            program,
            third_party: third_party::text()?,
        })
    }
}

/// Builds, writes the mirror, and says how it is used.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => release()?,
    };
    let package = Package::here(program)?;
    write(&options.folder, std::slice::from_ref(&package))?;
    let folder = options.folder.canonicalize()?;
    println!(
        "{}: {SOURCE} {} for {}\n\n`terraform init` and `tofu init` look into ~/.terraform.d/plugins by themselves. Into another folder, \
         and where the CLI configuration has a `provider_installation` already, they look with this in ~/.terraformrc or ~/.tofurc:\n\n{}",
        folder.display(),
        package.version,
        package.platform,
        cli_config(&folder)
    );
    Ok(())
}

/// A CLI configuration that installs the provider from the mirror, and all others as ever.
pub(crate) fn cli_config(mirror: &Path) -> String {
    let path = mirror.display();
    format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path    = \"{path}\"\n    include = [\"{SOURCE}\"]\n  }}\n  \
         direct {{\n    exclude = [\"{SOURCE}\"]\n  }}\n}}\n"
    )
}

/// Writes the packages and the indices into a mirror; what it holds of other versions and platforms stays.
pub(crate) fn write(mirror: &Path, packages: &[Package]) -> Result<()> {
    for package in packages {
        let entries = entries(package)?;
        let archive = zip(&entries, false)?;
        let files = entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.contents.as_slice()));
        let hash = hash::contents(files);
        for host in HOSTS {
            let folder = mirror.join(host).join(SOURCE);
            std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
            add(&folder, package, &archive, &hash).with_context(|| folder.display().to_string())?;
        }
    }
    Ok(())
}

/// Puts one archive into the folder of one host, and its name into the indices.
fn add(folder: &Path, package: &Package, archive: &[u8], hash: &str) -> Result<()> {
    let Package {
        version, platform, ..
    } = package;
    let name = package_name(package);
    replace(&folder.join(&name), archive)?;
    let listed = json!({"url": name, "hashes": [hash]});
    index(
        &folder.join(format!("{version}.json")),
        "archives",
        platform,
        listed,
    )?;
    index(&folder.join("index.json"), "versions", version, json!({}))
}

/// Adds one member to the object that is all that an index has.
fn index(file: &Path, list: &str, name: &str, member: Value) -> Result<()> {
    let mut value = match std::fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).with_context(|| file.display().to_string())?,
        Err(_) => json!({ list: {} }),
    };
    value[list][name] = member;
    replace(file, (serde_json::to_string_pretty(&value)? + "\n").as_bytes())
}

/// Replaces a file as a whole, so that whoever installs meanwhile reads the old one or the new one.
fn replace(file: &Path, contents: &[u8]) -> Result<()> {
    let part = file.with_extension("part");
    std::fs::write(&part, contents)?;
    Ok(std::fs::rename(part, file)?)
}

/// The name of a package, in a mirror and in a release.
pub(crate) fn package_name(package: &Package) -> String {
    format!("{PROGRAM}_{}_{}.zip", package.version, package.platform)
}

/// What a package holds: the licences and the program, under the name that it has in a release.
pub(crate) fn entries(package: &Package) -> Result<[Entry; 3]> {
    let read = |file: &Path| std::fs::read(file).with_context(|| file.display().to_string());
    let suffix = if package.platform.starts_with("windows_") {
        ".exe"
    } else {
        ""
    };
    Ok([
        Entry {
            name: "LICENSE".to_owned(),
            mode: 0o644,
            contents: read(&places::root().join("LICENSE"))?,
        },
        Entry {
            name: third_party::NAME.to_owned(),
            mode: 0o644,
            contents: package.third_party.clone().into_bytes(),
        },
        Entry {
            name: format!("{PROGRAM}_v{}{suffix}", package.version),
            mode: 0o755,
            contents: read(&package.program)?,
        },
    ])
}

/// Builds what is published, and says where it is.
fn release() -> Result<PathBuf> {
    shell::run(shell::cargo(&["build", "--release", "--locked", "-p", PROGRAM]))?;
    Ok(places::target()
        .join("release")
        .join(format!("{PROGRAM}{}", consts::EXE_SUFFIX)))
}

/// The platform in the words of Go, whose tools look for it.
pub(crate) fn platform(os: &str, processor: &str) -> String {
    let os = if os == "macos" { "darwin" } else { os };
    let processor = match processor {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{os}_{processor}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Result;
    use serde_json::{Value, json};

    use super::{HOSTS, Package, platform, write};

    fn read(file: &Path) -> Result<Value> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    }

    #[test]
    fn platforms_have_the_names_that_go_gives_them() {
        let check = |os: &str, processor: &str, wanted: &str| assert_eq!(platform(os, processor), wanted);
        check("linux", "x86_64", "linux_amd64");
        check("macos", "aarch64", "darwin_arm64");
        check("windows", "x86", "windows_386");
        check("freebsd", "arm", "freebsd_arm");
    }

    /// Paths and JSON as the documentation of both tools has them; what was there of other versions and platforms stays.
    #[test]
    fn a_mirror_has_archives_and_indices_for_both_registries() -> Result<()> {
        let work = tempfile::tempdir()?;
        let program = work.path().join("program");
        std::fs::write(&program, "ELF")?;
        let mirror = work.path().join("mirror");
        let package = |version: &str, platform: &str| Package {
            version: version.to_owned(),
            platform: platform.to_owned(),
            program: program.clone(),
            third_party: String::new(),
        };
        write(&mirror, &[package("0.1.0", "linux_amd64")])?;
        write(
            &mirror,
            &[
                package("0.1.0", "darwin_arm64"),
                package("0.2.0", "windows_amd64"),
            ],
        )?;
        for host in HOSTS {
            let folder = mirror.join(host).join("scalr-eventbridge/scalr");
            assert_eq!(
                read(&folder.join("index.json"))?,
                json!({"versions": {"0.1.0": {}, "0.2.0": {}}})
            );
            let archives = read(&folder.join("0.1.0.json"))?;
            for platform in ["linux_amd64", "darwin_arm64"] {
                let archive = &archives["archives"][platform];
                let name = format!("terraform-provider-scalr_0.1.0_{platform}.zip");
                assert_eq!(archive["url"], name.as_str());
                assert!(folder.join(name).is_file());
                let hash = archive["hashes"][0].as_str().unwrap_or_default();
                assert!(hash.starts_with("h1:"), "{archive}");
            }
            let windows = std::fs::read(folder.join("terraform-provider-scalr_0.2.0_windows_amd64.zip"))?;
            let text = String::from_utf8_lossy(&windows);
            assert!(text.contains("terraform-provider-scalr_v0.2.0.exe"));
            let left = std::fs::read_dir(&folder)?.count();
            assert_eq!(left, 6, "archives, their indices, and nothing else");
        }
        Ok(())
    }
}

//! The checksums of a release's files, and their signatures.
//!
//! The registry wants those of the provider's packages in a file of their own, signed by a key that its publisher has registered:
//! <https://developer.hashicorp.com/terraform/registry/providers/publishing>.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::names::{COMPANION, PROVIDER};
use super::report::Report;
use crate::{mirror, shell};

/// Names the key, as gpg knows it.
const KEY: &str = "DIST_SIGNING_KEY";
/// The file with its public part.
const PUBLIC_KEY: &str = "signing-key.asc";

/// Writes both files of checksums into the folder of the files, and signs them.
pub(super) fn write(folder: &Path, report: &mut Report) -> Result<()> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder)? {
        names.push(file?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for program in [PROVIDER, COMPANION] {
        let listed = names.iter().filter(|name| is_listed(program, name));
        let mut text = String::new();
        for name in listed {
            let digest = mirror::hex(&std::fs::read(folder.join(name))?);
            text.extend([digest.as_str(), "  ", name, "\n"]);
        }
        ensure!(
            !text.is_empty(),
            "`{}` has no file of {program}",
            folder.display()
        );
        let name = format!("{program}_{}_SHA256SUMS", env!("CARGO_PKG_VERSION"));
        std::fs::write(folder.join(&name), text)?;
        report.made(&name);
        sign(&folder.join(&name), report)?;
    }
    publish_key(folder, report)
}

/// The public part of the key, for those who compare the signatures: a registry wants it as well.
fn publish_key(folder: &Path, report: &mut Report) -> Result<()> {
    let Ok(key) = std::env::var(KEY) else {
        report.left_out(PUBLIC_KEY, &format!("{KEY} names no key of gpg"));
        return Ok(());
    };
    let gpg = |args: &[&str]| {
        let mut gpg = Command::new("gpg");
        gpg.arg("--batch").args(args).arg(&key);
        shell::read(gpg)
    };
    let public = gpg(&["--armor", "--export"])?;
    ensure!(!public.is_empty(), "gpg has no public key `{key}`");
    std::fs::write(folder.join(PUBLIC_KEY), public)?;
    let listed = gpg(&["--with-colons", "--fingerprint"])?;
    let fingerprint = fingerprint(&listed).context("gpg lists no fingerprint")?;
    report.made(&format!("{PUBLIC_KEY}, fingerprint {fingerprint}"));
    Ok(())
}

/// The fingerprint of the first key in gpg's list of records.
fn fingerprint(listed: &str) -> Option<&str> {
    let record = listed.lines().find_map(|line| line.strip_prefix("fpr:"))?;
    record.split(':').find(|field| !field.is_empty())
}

/// Whether a file is in a program's checksums: what is downloaded, and no checksums or signatures.
fn is_listed(program: &str, name: &str) -> bool {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if name == "install.sh" {
        return program == COMPANION;
    }
    let of_program = name
        .strip_prefix(program)
        .is_some_and(|rest| rest.starts_with('_'));
    of_program && ends(&[".zip", "_manifest.json", ".tar.gz", ".deb"])
}

/// A detached signature beside the file, in the binary form that the registry takes.
fn sign(file: &Path, report: &mut Report) -> Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = format!("{name}.sig");
    let Ok(key) = std::env::var(KEY) else {
        report.left_out(&name, &format!("{KEY} names no key of gpg"));
        return Ok(());
    };
    let mut gpg = Command::new("gpg");
    gpg.args(["--batch", "--yes", "--local-user", &key, "--detach-sign"])
        .arg("--output")
        .arg(file.with_file_name(&name))
        .arg(file);
    shell::run(gpg)?;
    report.made(&name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{COMPANION, PROVIDER, fingerprint, is_listed};

    #[test]
    fn each_file_is_in_the_checksums_of_its_program() {
        for (name, wanted) in [
            ("terraform-provider-scalr_0.1.0_linux_amd64.zip", Some(PROVIDER)),
            ("terraform-provider-scalr_0.1.0_manifest.json", Some(PROVIDER)),
            ("terraform-provider-scalr_0.1.0_SHA256SUMS", None),
            ("terraform-provider-scalr_0.1.0_SHA256SUMS.sig", None),
            ("scalr-eventbridge_0.1.0_darwin_arm64.tar.gz", Some(COMPANION)),
            ("scalr-eventbridge_0.1.0_amd64.deb", Some(COMPANION)),
            ("install.sh", Some(COMPANION)),
            ("signing-key.asc", None),
            ("mirror", None),
            ("tree", None),
        ] {
            let found = [PROVIDER, COMPANION]
                .into_iter()
                .find(|program| is_listed(program, name));
            assert_eq!(found, wanted, "{name}");
        }
    }

    #[test]
    fn a_fingerprint_is_read_from_gpgs_records() {
        let listed = "tru::1:1\npub:u:2048:1:9ABC:1:::u:::scSC::::::23::0:\nfpr:::::::::12349ABC:\nuid:u::::1::X::a <b>:\n";
        assert_eq!(fingerprint(listed), Some("12349ABC"));
        assert_eq!(fingerprint("tru::1:1\n"), None);
    }
}

//! A release as `cargo xtask dist` packs it, signed with a key made for the run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};

use crate::paths;

/// What a release has for this machine's platform.
#[derive(Clone)]
pub struct Dist {
    /// The folder with the files that people download.
    pub folder: PathBuf,
    /// The public key, as a registry shows it.
    pub key: PublicKey,
}

/// A key of gpg.
#[derive(Clone)]
pub struct PublicKey {
    /// Its id, 16 hexadecimal digits.
    pub id: String,
    /// The key, armoured.
    pub armoured: String,
}

impl Dist {
    /// The release, packed once for all cases: of the programs under test, or what `ACCEPTANCE_DIST` has.
    ///
    /// # Errors
    /// When it cannot be packed or signed.
    pub fn of_programs() -> Result<Self> {
        static PACKED: OnceLock<Result<Dist, String>> = OnceLock::new();
        let packed = PACKED.get_or_init(|| pack().map_err(|error| format!("{error:#}")));
        packed.clone().map_err(|error| anyhow!(error))
    }

    /// The one file of the folder whose name begins and ends so.
    ///
    /// # Errors
    /// When there is none.
    pub fn file(&self, begins: &str, ends: &str) -> Result<PathBuf> {
        let name = |path: &Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let mut files = std::fs::read_dir(&self.folder)?.filter_map(|file| Some(file.ok()?.path()));
        let found = files.find(|path| name(path).starts_with(begins) && name(path).ends_with(ends));
        found.with_context(|| format!("no `{begins}…{ends}` in `{}`", self.folder.display()))
    }
}

fn pack() -> Result<Dist> {
    let folder = paths::target().join("acceptance/dist");
    let _ = std::fs::remove_dir_all(&folder);
    let home = tempfile::tempdir()?;
    let key = key(home.path());
    let packed = key.and_then(|key| {
        sign(&folder, home.path(), &key.id)?;
        Ok(key)
    });
    // It goes on by itself otherwise.
    let _ = gpg(home.path(), "gpgconf", &["--kill", "gpg-agent"]);
    Ok(Dist { folder, key: packed? })
}

/// Packs the programs, or copies what is packed already, and signs that.
fn sign(folder: &Path, home: &Path, key: &str) -> Result<()> {
    let mut dist = Command::new(paths::target().join("debug/xtask"));
    dist.arg("dist")
        .arg("--out")
        .arg(folder)
        .env("GNUPGHOME", home)
        .env("DIST_SIGNING_KEY", key);
    let stripped = tempfile::tempdir()?;
    if let Some(packed) = std::env::var_os("ACCEPTANCE_DIST") {
        let packed = Path::new(&packed);
        paths::copy_tree(&packed.join("mirror"), &folder.join("mirror"))?;
        paths::copy_files(packed, folder, "")?;
        dist.arg("--sums-only");
    } else {
        for program in ["scalr-eventbridge", "terraform-provider-scalr"] {
            // Half of what would be packed is for debuggers.
            let mut strip = Command::new("strip");
            strip.arg("-o").arg(stripped.path().join(program));
            output(strip.arg(paths::programs().join(program)))?;
        }
        dist.args(["--pack-only", "--uncompressed", "--programs"])
            .arg(stripped.path());
    }
    output(&mut dist)?;
    Ok(())
}

/// A key of the kind that the registry takes.
fn key(home: &Path) -> Result<PublicKey> {
    let name = "acceptance <acceptance@example.com>";
    let make = [
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        name,
        "rsa2048",
        "sign",
        "never",
    ];
    gpg(home, "gpg", &make)?;
    let listed = gpg(home, "gpg", &["--batch", "--with-colons", "--list-keys"])?;
    let id = listed
        .lines()
        .find_map(|line| line.strip_prefix("pub:")?.split(':').nth(3));
    Ok(PublicKey {
        id: id.context("gpg lists no key")?.to_owned(),
        armoured: gpg(home, "gpg", &["--batch", "--armor", "--export"])?,
    })
}

fn gpg(home: &Path, program: &str, args: &[&str]) -> Result<String> {
    output(Command::new(program).args(args).env("GNUPGHOME", home))
}

fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("`{name}` is needed"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "`{name}` ended with {}:\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

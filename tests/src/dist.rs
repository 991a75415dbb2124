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
    match std::env::var_os("ACCEPTANCE_DIST") {
        Some(packed) => {
            let packed = Path::new(&packed);
            paths::copy_tree(&packed.join("mirror"), &folder.join("mirror"))?;
            paths::copy_files(packed, &folder, "")?;
        }
        None => xtask(
            &folder,
            &["--pack-only", "--uncompressed", "--programs"],
            Some(&paths::programs()),
            &[],
        )?,
    }
    let home = tempfile::tempdir()?;
    let key = key(home.path());
    let signed = key.and_then(|key| {
        let settings = [
            ("GNUPGHOME", home.path().to_string_lossy().into_owned()),
            ("DIST_SIGNING_KEY", key.id.clone()),
        ];
        xtask(&folder, &["--sums-only"], None, &settings)?;
        Ok(key)
    });
    // It goes on by itself otherwise.
    let _ = gpg(home.path(), "gpgconf", &["--kill", "gpg-agent"]);
    Ok(Dist { folder, key: signed? })
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
    let output = Command::new(program).args(args).env("GNUPGHOME", home).output();
    let output = output.with_context(|| format!("{program} is needed"))?;
    ensure!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn xtask(out: &Path, args: &[&str], programs: Option<&Path>, settings: &[(&str, String)]) -> Result<()> {
    let program = paths::target().join("debug/xtask");
    let mut command = Command::new(&program);
    command
        .arg("dist")
        .arg("--out")
        .arg(out)
        .args(args)
        .args(programs);
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    let output = command.output().with_context(|| program.display().to_string())?;
    ensure!(
        output.status.success(),
        "`cargo xtask dist` ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

//! What the files of a release are called.

use std::env::consts;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::{mirror, third_party};

/// The name of the companion's program, archives and Debian package.
pub(super) const COMPANION: &str = "scalr-eventbridge";
/// The name of the provider's program and packages.
pub(super) const PROVIDER: &str = "terraform-provider-scalr";

/// A release for one platform.
pub(super) struct Release {
    /// `0.1.0`.
    pub(super) version: String,
    /// Operating system and processor as Go names them: `linux_amd64`.
    pub(super) platform: String,
    /// The folder with both programs.
    programs: PathBuf,
    /// The licences of what is linked into them.
    pub(super) third_party: String,
}

impl Release {
    /// The release for this machine.
    pub(super) fn here(programs: PathBuf) -> Result<Self> {
        let release = Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: mirror::platform(consts::OS, consts::ARCH),
            programs,
            third_party: third_party::text()?,
        };
        for name in [COMPANION, PROVIDER] {
            let program = release.program(name);
            if !program.is_file() {
                bail!("`{}` is missing", program.display());
            }
        }
        Ok(release)
    }

    /// One of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The provider as the mirror packs it.
    pub(super) fn provider(&self) -> mirror::Package {
        mirror::Package {
            version: self.version.clone(),
            platform: self.platform.clone(),
            program: self.program(PROVIDER),
            third_party: self.third_party.clone(),
        }
    }

    /// The companion's archive, without its ending; also the folder in it.
    pub(super) fn archive(&self) -> String {
        format!("{COMPANION}_{}_{}", self.version, self.platform)
    }

    /// The processor in Debian's words, which are Go's for those that we build for.
    pub(super) fn processor(&self) -> Result<&str> {
        let (_, processor) = self
            .platform
            .split_once('_')
            .context("a platform has two parts")?;
        Ok(processor)
    }

    /// The Debian package.
    pub(super) fn debian_package(&self) -> Result<String> {
        Ok(format!("{COMPANION}_{}_{}.deb", self.version, self.processor()?))
    }
}

#[cfg(test)]
mod tests {
    use crate::places;

    /// What is raised with the version, beside Cargo.toml.
    #[test]
    fn files_that_name_the_version_name_this_one() {
        let check = |file: &str, before: &str, after: &str| {
            let text = std::fs::read_to_string(places::root().join(file)).unwrap();
            let needle = format!("{before}{}{after}", env!("CARGO_PKG_VERSION"));
            assert!(text.contains(&needle), "{file} has no `{needle}`");
        };
        check("packaging/install.sh", "{SCALR_EVENTBRIDGE_VERSION:-", "}");
        check("packaging/gitlab.yml", "SCALR_EVENTBRIDGE_VERSION: \"", "\"");
        check(
            "packaging/setup-scalr-eventbridge/action.yml",
            "default: \"",
            "\"",
        );
        check("docs/guides/install.md", "scalr-eventbridge_", "_amd64.deb");
        check("docs/guides/install.md", "scalr-eventbridge:", "");
        check("docs/guides/ci.md", "setup-scalr-eventbridge@v", "");
        check("docs/guides/ci.md", "/v", "/packaging/gitlab.yml");
    }
}

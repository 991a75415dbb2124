//! The oldest glibc that the programs start with: read from the versions of the symbols that they ask for, and promised.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use object::Endianness;
use object::read::elf::ElfFile64;

use super::names::{COMPANION, PROVIDER, Release};
use super::report::Report;

/// What install.sh, the guides and the Debian package say: Debian 12, Ubuntu 22.04 and RHEL 9 have it.
pub(super) const PROMISED: (u32, u32) = (2, 34);

/// Fails where a program asks for a newer one than is promised.
pub(super) fn check(release: &Release, report: &mut Report) -> Result<()> {
    if !release.platform.starts_with("linux_") {
        return Ok(());
    }
    for name in [COMPANION, PROVIDER] {
        let program = release.program(name);
        let (major, minor) = needed(&program).with_context(|| program.display().to_string())?;
        let (promised_major, promised_minor) = PROMISED;
        ensure!(
            (major, minor) <= PROMISED,
            "`{}` needs glibc {major}.{minor}, and {promised_major}.{promised_minor} is promised: build on an older system",
            program.display()
        );
        report.passed(&format!(
            "{name} needs glibc {major}.{minor} or later; {promised_major}.{promised_minor} is promised"
        ));
    }
    Ok(())
}

/// The newest version of glibc's symbols that a program asks for.
fn needed(program: &Path) -> Result<(u32, u32)> {
    let bytes = std::fs::read(program)?;
    let file = ElfFile64::<Endianness>::parse(bytes.as_slice())?;
    let (endian, sections) = (file.endian(), file.elf_section_table());
    let (mut libraries, strings) = sections
        .gnu_verneed(endian, bytes.as_slice())?
        .context("it asks for no versions of symbols")?;
    let strings = sections.strings(endian, bytes.as_slice(), strings)?;
    let mut newest = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            let name = version.name(endian, strings)?;
            newest = newest.max(version_of(&String::from_utf8_lossy(name)));
        }
    }
    newest.context("it does not use glibc")
}

/// `GLIBC_2.34` in numbers.
fn version_of(symbol: &str) -> Option<(u32, u32)> {
    let mut numbers = symbol.strip_prefix("GLIBC_")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{PROMISED, needed, version_of};
    use crate::places;

    #[test]
    fn versions_of_glibc_are_compared_as_numbers() {
        for (symbol, wanted) in [
            ("GLIBC_2.34", Some((2, 34))),
            ("GLIBC_2.2.5", Some((2, 2))),
            ("GLIBC_PRIVATE", None),
            ("GCC_3.0", None),
        ] {
            assert_eq!(version_of(symbol), wanted, "{symbol}");
        }
        assert!(version_of("GLIBC_2.9") < version_of("GLIBC_2.34"));
    }

    /// This test's own program is one that the compiler has just linked.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn a_program_says_what_it_needs() {
        let needed = needed(&std::env::current_exe().unwrap()).unwrap();
        assert_eq!(needed.0, 2, "{needed:?}");
    }

    #[test]
    fn what_users_read_names_the_promised_version() {
        let promised = format!("glibc {}.{}", PROMISED.0, PROMISED.1);
        for file in [
            "packaging/install.sh",
            "packaging/gitlab.yml",
            "packaging/Containerfile",
            "docs/guides/install.md",
            "docs/guides/ci.md",
        ] {
            let text = std::fs::read_to_string(places::root().join(file)).unwrap();
            assert!(text.contains(&promised), "{file} does not name `{promised}`");
        }
    }
}

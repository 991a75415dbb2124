//! Where the repository, the built programs and the installed tools are.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder with the provider and the companion under test; `ACCEPTANCE_BIN_DIR` names another build.
pub fn programs() -> PathBuf {
    std::env::var_os("ACCEPTANCE_BIN_DIR").map_or_else(|| target().join("debug"), PathBuf::from)
}

/// The companion's program.
pub fn companion() -> PathBuf {
    programs().join("scalr-eventbridge")
}

/// A folder of the repository's `examples/`.
pub fn example(name: &str) -> PathBuf {
    root().join("examples").join(name)
}

/// Copies the files (not the folders) of `from` into `to`, if their names end in `suffix`.
///
/// # Errors
/// When a folder cannot be read or a file not be copied.
pub fn copy_files(from: &Path, to: &Path, suffix: &str) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name().to_string_lossy().ends_with(suffix) {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Copies a whole folder.
///
/// # Errors
/// When a folder cannot be read or a file not be copied.
pub fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

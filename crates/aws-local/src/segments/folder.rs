//! Where the files are: in the data directory, or in a temporary folder that is removed at the end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::scratch::Scratch;
use crate::disk::{Disk, private};

/// A file is begun under this name.
pub(super) const BEGUN: &str = "segment.tmp";

/// A folder that is created with its first file.
#[derive(Debug)]
pub(super) enum Folder {
    Kept(PathBuf),
    /// Removed with the last value that refers to it.
    Temporary(OnceLock<Scratch>),
}

impl Folder {
    pub(super) fn temporary() -> Self {
        Self::Temporary(OnceLock::new())
    }

    /// None for a temporary one that has not been created.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Kept(path) => Some(path),
            Self::Temporary(dir) => dir.get().map(Scratch::path),
        }
    }

    /// A file's path, relative where there is no folder yet.
    pub(super) fn file(&self, number: u64) -> PathBuf {
        self.path().unwrap_or(Path::new("")).join(file_name(number))
    }

    /// Creates the folder, readable by its owner only, unless it is there.
    pub(super) fn create(&self, disk: &dyn Disk) -> io::Result<&Path> {
        match self {
            Self::Kept(path) => {
                if !path.is_dir() {
                    private::create_dir(path)?;
                    path.parent().map_or(Ok(()), |parent| disk.sync_names(parent))?;
                }
                Ok(path)
            }
            Self::Temporary(dir) => {
                if let Some(dir) = dir.get() {
                    return Ok(dir.path());
                }
                let made = Scratch::create(&std::env::temp_dir())?;
                Ok(dir.get_or_init(|| made).path())
            }
        }
    }
}

pub(super) fn file_name(number: u64) -> String {
    format!("segment-{number}.events")
}

/// The number in a file's name; none for other files.
pub(super) fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?
        .strip_suffix(".events")?
        .parse()
        .ok()
}

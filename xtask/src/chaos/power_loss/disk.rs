//! A disk that keeps what was synced, and of everything since then any part. Pure.
//!
//! A file's sync makes its bytes and its length last; a folder's sync makes its entries last: files that were made, renamed and removed
//! there. Neither makes the other last. Of what was not synced yet, each write may be there whole, in any of its sectors, or not.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};

use super::record::Record;
use crate::chaos::plan::Random;

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// A file by its number here: an inode's number may be used again.
type File = usize;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    File(File),
}

/// A change of a folder's entries.
#[derive(Clone, Debug)]
struct Entry {
    path: String,
    /// What is there from now on; none where it is removed.
    node: Option<Node>,
    /// The entry that this one replaces under another name.
    renamed_from: Option<String>,
}

#[derive(Debug)]
enum Change {
    Written { at: usize, data: Vec<u8> },
    Cut { length: usize },
}

#[derive(Debug, Default)]
struct Contents {
    synced: Vec<u8>,
    since: Vec<Change>,
}

/// The state of the disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: Vec<Contents>,
    by_inode: HashMap<u64, File>,
    /// Entries as processes see them, and as they were synced.
    current: BTreeMap<String, Node>,
    synced: BTreeMap<String, Node>,
    since: Vec<Entry>,
}

/// What is there after a loss of power.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Folder,
    File(Vec<u8>),
}

impl Disk {
    /// One with this folder alone.
    pub(super) fn new(folder: &str) -> Self {
        let mut disk = Self::default();
        disk.current.insert(folder.to_owned(), Node::Folder);
        disk.synced.insert(folder.to_owned(), Node::Folder);
        disk
    }

    /// Takes what has happened next.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<()> {
        match *record {
            Record::FileMade { inode, path } => {
                self.by_inode.insert(inode, self.files.len());
                let node = Node::File(self.files.len());
                self.files.push(Contents::default());
                self.enter(path, Some(node), None);
            }
            Record::FolderMade { path } => self.enter(path, Some(Node::Folder), None),
            Record::Removed { path } => self.enter(path, None, None),
            Record::Renamed { from, to } => {
                let node = self.current.remove(from);
                let node = node.with_context(|| format!("`{from}` is renamed, and was not made"))?;
                self.enter(to, Some(node), Some(from.to_owned()));
            }
            Record::Written { inode, at, data } => {
                let data = data.to_vec();
                self.file(inode)?.since.push(Change::Written { at, data });
            }
            Record::Cut { inode, length } => self.file(inode)?.since.push(Change::Cut { length }),
            Record::FileSynced { inode } => {
                let file = self.file(inode)?;
                for change in std::mem::take(&mut file.since) {
                    change.apply(&mut file.synced, |_| true);
                }
            }
            Record::FolderSynced { path } => {
                let (here, others) = std::mem::take(&mut self.since)
                    .into_iter()
                    .partition(|entry: &Entry| parent(&entry.path) == path);
                self.since = others;
                for entry in here {
                    entry.apply(&mut self.synced);
                }
            }
            Record::Accepted { .. } => {}
        }
        Ok(())
    }

    fn enter(&mut self, path: &str, node: Option<Node>, renamed_from: Option<String>) {
        let entry = Entry {
            path: path.to_owned(),
            node,
            renamed_from,
        };
        entry.clone().apply(&mut self.current);
        self.since.push(entry);
    }

    fn file(&mut self, inode: u64) -> Result<&mut Contents> {
        let file = self
            .by_inode
            .get(&inode)
            .and_then(|file| self.files.get_mut(*file));
        file.with_context(|| format!("inode {inode} is used, and was not made"))
    }

    /// What a loss of power at this moment leaves, by path.
    pub(super) fn cut(&self, random: &mut Random) -> BTreeMap<String, Found> {
        // From nothing of what was not synced, to all of it.
        let quarters = random.below(5);
        let mut entries = self.synced.clone();
        for entry in &self.since {
            if random.below(4) < quarters {
                entry.clone().apply(&mut entries);
            }
        }
        let mut found = BTreeMap::new();
        for (path, node) in entries {
            // The first of all is the folder that was there before.
            if !found.is_empty() && found.get(parent(&path)) != Some(&Found::Folder) {
                continue;
            }
            let what = match node {
                Node::Folder => Found::Folder,
                // Written through a map, which is not recorded: anything may be there.
                Node::File(_) if path.ends_with("-shm") => Found::File(
                    (0..64 * SECTOR)
                        .map(|_| random.below(256).to_le_bytes()[0])
                        .collect(),
                ),
                Node::File(file) => Found::File(self.files[file].cut(quarters, random)),
            };
            found.insert(path, what);
        }
        found
    }
}

impl Contents {
    fn cut(&self, quarters: u64, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.since {
            if random.below(4) >= quarters {
                continue;
            }
            let is_torn = random.below(3) == 0;
            change.apply(&mut bytes, |_| !is_torn || random.below(2) == 0);
        }
        bytes
    }
}

impl Change {
    /// Makes the change, of a write in those of its sectors that are `there`.
    fn apply(&self, bytes: &mut Vec<u8>, mut there: impl FnMut(usize) -> bool) {
        match self {
            Self::Cut { length } => bytes.resize(*length, 0),
            Self::Written { at, data } => {
                let (mut at, mut data) = (*at, data.as_slice());
                while !data.is_empty() {
                    let (sector, rest) = data.split_at((SECTOR - at % SECTOR).min(data.len()));
                    if there(at / SECTOR) {
                        let end = at + sector.len();
                        bytes.resize(bytes.len().max(end), 0);
                        bytes[at..end].copy_from_slice(sector);
                    }
                    at += sector.len();
                    data = rest;
                }
            }
        }
    }
}

impl Entry {
    fn apply(self, entries: &mut BTreeMap<String, Node>) {
        if let Some(from) = self.renamed_from {
            entries.remove(&from);
        }
        match self.node {
            Some(node) => entries.insert(self.path, node),
            None => entries.remove(&self.path),
        };
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What may be in `/d` after each of these happened: all that 200 cuts leave. `CW` make and write `/d/a`, which has 2 sectors, `S`
    /// syncs it, `D` the folder, `R` renames it to `/d/b`, `w` writes it again, `T` cuts it, `U` removes it.
    fn leaves(happened: &str) -> BTreeSet<String> {
        let mut disk = Disk::new("/d");
        for op in happened.chars() {
            let record = match op {
                'C' => Record::FileMade {
                    inode: 1,
                    path: "/d/a",
                },
                'W' => Record::Written {
                    inode: 1,
                    at: 0,
                    data: &[b'1'; 2 * SECTOR],
                },
                'w' => Record::Written {
                    inode: 1,
                    at: 0,
                    data: &[b'2'; 2 * SECTOR],
                },
                'S' => Record::FileSynced { inode: 1 },
                'D' => Record::FolderSynced { path: "/d" },
                'R' => Record::Renamed {
                    from: "/d/a",
                    to: "/d/b",
                },
                'T' => Record::Cut {
                    inode: 1,
                    length: SECTOR,
                },
                _ => Record::Removed { path: "/d/a" },
            };
            disk.take(&record).unwrap();
        }
        let mut random = Random::new(1);
        let cuts = (0..200).map(|_| {
            let found = disk.cut(&mut random);
            let files = found.iter().filter_map(|(path, found)| match found {
                Found::Folder => None,
                Found::File(bytes) => {
                    let sectors = bytes.chunks(SECTOR).map(|sector| char::from(sector[0].max(b'0')));
                    Some(format!(
                        "{}={}",
                        path.trim_start_matches("/d/"),
                        sectors.collect::<String>()
                    ))
                }
            });
            files.collect::<Vec<_>>().join(" ")
        });
        cuts.collect()
    }

    #[track_caller]
    fn check(happened: &str, want: &[&str]) {
        let want: BTreeSet<String> = want.iter().map(|&one| one.to_owned()).collect();
        assert_eq!(leaves(happened), want, "{happened}");
    }

    #[test]
    fn what_was_synced_is_there_and_of_the_rest_any_part() {
        check("CWSD", &["a=11"]);
        check("CWS", &["", "a=11"]);
        check("CWD", &["a=", "a=1", "a=01", "a=11"]);
        check("CWSDw", &["a=11", "a=21", "a=12", "a=22"]);
        check("CWSDwS", &["a=22"]);
        check("CWSDT", &["a=11", "a=1"]);
        check("CWSDTS", &["a=1"]);
        check("CWSDU", &["", "a=11"]);
        check("CWSDUD", &[""]);
    }

    #[test]
    fn a_rename_is_there_or_not() {
        check("CWSDR", &["a=11", "b=11"]);
        check("CWSDRD", &["b=11"]);
        check("CWSR", &["", "a=11", "b=11"]);
    }

    #[test]
    fn a_folder_that_is_missing_takes_its_files_with_it() {
        let mut disk = Disk::new("/d");
        for record in [
            Record::FolderMade { path: "/d/e" },
            Record::FileMade {
                inode: 1,
                path: "/d/e/a",
            },
            Record::FolderSynced { path: "/d/e" },
        ] {
            disk.take(&record).unwrap();
        }
        let mut random = Random::new(1);
        let cuts: BTreeSet<usize> = (0..100).map(|_| disk.cut(&mut random).len()).collect();
        assert_eq!(cuts, [1, 3].into(), "the folder with its file, or neither");
    }
}

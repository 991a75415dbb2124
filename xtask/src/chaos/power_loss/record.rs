//! What the recorder (tests/power_loss/recorder.c) wrote, read back. Clients add their notes to the same file.

use anyhow::{Context, Result, ensure};

/// One thing that happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    FileMade {
        inode: u64,
        path: &'a str,
    },
    FolderMade {
        path: &'a str,
    },
    Written {
        inode: u64,
        at: usize,
        data: &'a [u8],
    },
    Cut {
        inode: u64,
        length: usize,
    },
    FileSynced {
        inode: u64,
    },
    FolderSynced {
        path: &'a str,
    },
    Renamed {
        from: &'a str,
        to: &'a str,
    },
    Removed {
        path: &'a str,
    },
    /// A client has read the answer to the body of this number.
    Accepted {
        body: usize,
    },
}

/// All records. The last one may be torn where the process was killed.
pub(super) fn read(mut log: &[u8]) -> Result<Vec<Record<'_>>> {
    let mut all = vec![];
    while let Some((record, rest)) = first(log)? {
        all.push(record);
        log = rest;
    }
    Ok(all)
}

fn first(log: &[u8]) -> Result<Option<(Record<'_>, &[u8])>> {
    let Some(end) = log.iter().position(|byte| *byte == b'\n') else {
        return Ok(None);
    };
    let (head, rest) = log.split_at(end);
    let head = std::str::from_utf8(head)?;
    let words: Vec<&str> = head.split(' ').collect();
    let [op, inode, number, path, data] = words.as_slice() else {
        anyhow::bail!("no record of the recorder: {head:?}");
    };
    let (inode, number): (u64, usize) = (inode.parse()?, number.parse()?);
    let (path, data): (usize, usize) = (path.parse()?, data.parse()?);
    let rest = rest.get(1..).unwrap_or_default();
    if rest.len() < path + data + 1 {
        return Ok(None);
    }
    let (path, rest) = rest.split_at(path);
    let (data, rest) = rest.split_at(data);
    ensure!(
        rest.first() == Some(&b'\n'),
        "a record of another length: {head:?}"
    );
    let path = std::str::from_utf8(path)?;
    let record = match *op {
        "C" => Record::FileMade { inode, path },
        "M" => Record::FolderMade { path },
        "W" => Record::Written {
            inode,
            at: number,
            data,
        },
        "T" => Record::Cut {
            inode,
            length: number,
        },
        "S" => Record::FileSynced { inode },
        "D" => Record::FolderSynced { path },
        "R" => Record::Renamed {
            from: path,
            to: std::str::from_utf8(data).context("a path")?,
        },
        "U" => Record::Removed { path },
        "N" => Record::Accepted { body: number },
        _ => anyhow::bail!("an unknown record: {head:?}"),
    };
    Ok(Some((record, rest.get(1..).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::load::note;

    #[test]
    fn records_and_notes_are_read_back() {
        let log = format!(
            "C 7 0 4 0\n/d/a\nW 7 512 4 3\n/d/ax\ny\nR 0 0 4 4\n/d/a/d/b\n{}S 7 0 4 0\n/d",
            note(3)
        );
        let wanted = [
            Record::FileMade {
                inode: 7,
                path: "/d/a",
            },
            Record::Written {
                inode: 7,
                at: 512,
                data: b"x\ny",
            },
            Record::Renamed {
                from: "/d/a",
                to: "/d/b",
            },
            Record::Accepted { body: 3 },
        ];
        assert_eq!(read(log.as_bytes()).unwrap(), wanted, "the last one is torn");
        assert!(read(b"X 1 0 0 0\n\n").is_err());
        assert!(read(b"hello\n").is_err());
    }
}

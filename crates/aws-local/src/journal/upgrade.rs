//! A directory of the version that kept the events of custom event buses in memory: they are written to segments before the
//! snapshot that is of this version.

use std::path::Path;
use std::sync::Arc;

use crate::disk::{DataError, Disk};
use crate::segments::{self, Files, Lasts, NewRecord, Segments};
use crate::state::custom_bus::Kept;

/// Segments with these events alone. What an upgrade that was cut short has left is removed.
pub(super) fn segments(
    folder: &Path,
    disk: Arc<dyn Disk>,
    events: Vec<Kept>,
) -> Result<(Segments, Files), DataError> {
    let failed = |source| DataError::io(folder, source);
    let (mut segments, mut files) = segments::open(folder, disk, &Lasts::new())?;
    files.remove_files();
    for kept in events {
        let mut bytes = Vec::new();
        kept.encode_head(&mut bytes);
        let record = NewRecord {
            sequence: kept.event.number,
            time: kept.event.at,
            bytes: &bytes,
            text: Some(&kept.event.data),
        };
        let (write, _) = segments
            .append(kept.log, &[record])
            .map_err(|error| DataError::Damaged {
                path: folder.to_owned(),
                why: error.to_string(),
            })?;
        files.write(write).map_err(failed)?;
    }
    files.sync().map_err(failed)?;
    Ok((segments, files))
}

//! Files whose bytes are not what was written, or are not there.

use super::*;

/// Three records in one file, and where each ends.
fn three(dir: &TempDir) -> (Lasts, PathBuf, Vec<u8>, [usize; 3]) {
    let mut kept = Kept::new(dir);
    for number in 0..3 {
        assert!(kept.append(LOG, number, 1));
    }
    let path = folder(dir).join("segment-1.events");
    let bytes = fs::read(&path).unwrap();
    let ends = [66, 100, 134];
    assert_eq!(bytes.len(), ends[2]);
    (kept.lasts, path, bytes, ends)
}

#[test]
fn a_record_that_was_cut_anywhere_is_cut_off_or_if_it_was_accepted_damage() {
    let dir = TempDir::new().unwrap();
    let (accepted, path, bytes, ends) = three(&dir);
    let without = Lasts::from([(LOG, Some(1))]);
    for cut in ends[1]..=ends[2] {
        fs::write(&path, &bytes[..cut]).unwrap();
        let opened = open_with(&dir, Flaky::new(), &accepted);
        match opened {
            Ok(kept) => assert_eq!((kept.sequences(LOG).len(), cut), (3, ends[2])),
            Err(error) => {
                let said = error.to_string();
                assert!(
                    said.contains("it ends before event 2, which was accepted"),
                    "{said}"
                );
                assert_eq!(fs::read(&path).unwrap(), bytes[..cut], "damage is left as it is");
            }
        }
        let mut kept = open_with(&dir, Flaky::new(), &without).unwrap();
        assert_eq!(kept.sequences(LOG), [0, 1], "cut at {cut}");
        assert_eq!(fs::metadata(&path).unwrap().len(), ends[1] as u64);
        assert!(kept.append(LOG, 2, 1));
        assert_eq!(kept.opened_again(&dir).sequences(LOG), [0, 1, 2]);
    }
}

#[test]
fn bytes_after_the_last_record_are_cut_off_whatever_they_are() {
    let dir = TempDir::new().unwrap();
    let (lasts, path, bytes, _) = three(&dir);
    let record = &bytes[32..66];
    for tail in [&[0; 100][..], &[255; 30], record, b"x", &bytes] {
        fs::write(&path, [&bytes, tail].concat()).unwrap();
        let mut kept = open_with(&dir, Flaky::new(), &lasts).unwrap();
        assert_eq!(kept.sequences(LOG), [0, 1, 2]);
        assert!(kept.append(LOG, 3, 1));
        assert_eq!(kept.opened_again(&dir).sequences(LOG), [0, 1, 2, 3]);
    }
}

#[test]
fn any_changed_byte_of_a_full_file_or_the_last_one_is_found() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    for number in 0..12 {
        assert!(kept.append(LOG, number, 1));
    }
    let lasts = kept.lasts.clone();
    let expected = all(&kept.segments, LOG, Start::Sequence(0), 50).unwrap();
    let (mut refused, mut failed, mut same) = (0, 0, 0);
    for name in ["segment-1.events", "segment-2.events"] {
        let path = folder(&dir).join(name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            match open_with(&dir, Flaky::new(), &lasts) {
                Err(DataError::Damaged { path: named, .. }) => {
                    assert_eq!(named, path);
                    refused += 1;
                }
                Err(other) => panic!("{name} {at}: {other}"),
                Ok(kept) => match all(&kept.segments, LOG, Start::Sequence(0), 50) {
                    Ok(records) => {
                        assert_eq!(records, expected, "{name} {at}");
                        same += 1;
                    }
                    Err(ReadError::Failed(DataError::Damaged { path: named, .. })) => {
                        assert_eq!(named, path);
                        failed += 1;
                    }
                    Err(other) => panic!("{name} {at}: {other}"),
                },
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    // What an index has is read from the records instead; records of full files are looked at when they are read.
    assert!(
        refused > 100 && failed > 100 && same > 50,
        "{refused} {failed} {same}"
    );
}

/// What opening says after the folder was changed; in it are four full files and a last one.
fn opening_after(change: impl FnOnce(&Path)) -> String {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    for number in 0..30 {
        assert!(kept.append(LOG, number, 1));
    }
    assert_eq!(names(&folder(&dir)).len(), 5);
    change(&folder(&dir));
    match open_with(&dir, Flaky::new(), &kept.lasts) {
        Ok(kept) => format!("{} events", kept.sequences(LOG).len()),
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains("move the directory away"), "{said}");
            let folder = folder(&dir).display().to_string();
            said.replace(&folder, "F")
                .split_once(". Put")
                .map_or(said.clone(), |(first, _)| first.to_owned())
        }
    }
}

#[test]
fn what_is_missing_or_foreign_is_named() {
    let without = |name: &'static str| opening_after(|folder| fs::remove_file(folder.join(name)).unwrap());
    let with_bytes = |at: usize, bytes: &[u8]| {
        opening_after(|folder| {
            let path = folder.join("segment-2.events");
            let mut whole = fs::read(&path).unwrap();
            whole[at..at + bytes.len()].copy_from_slice(bytes);
            fs::write(path, whole).unwrap();
        })
    };
    let damaged = |file: &str, why: &str| format!("`F{file}` is damaged or from another version: {why}");
    assert_eq!(opening_after(|_| ()), "30 events");
    // As if it had expired.
    assert_eq!(without("segment-1.events"), "23 events");
    assert_eq!(
        without("segment-3.events"),
        damaged(
            "/segment-2.events",
            "events between 14 and 21 are missing in it or after it"
        )
    );
    assert_eq!(
        without("segment-5.events"),
        damaged(
            "/segment-4.events",
            "it ends before event 29, which was accepted, or what is in front of it is not what was written"
        )
    );
    assert_eq!(
        opening_after(|folder| fs::remove_dir_all(folder).unwrap()),
        damaged("", "the file with event 29 is missing")
    );
    assert_eq!(with_bytes(8, &[2]), damaged("/segment-2.events", "version 2"));
    assert_eq!(
        with_bytes(0, b"PK"),
        damaged("/segment-2.events", "it is no segment of retained events")
    );
    assert_eq!(
        with_bytes(12, &[9]),
        damaged("/segment-2.events", "its header is not what was written")
    );
    assert_eq!(
        opening_after(|folder| fs::write(folder.join("segment-3.events"), "").unwrap()),
        damaged("/segment-3.events", "it is no segment of retained events")
    );
    // Other files are left alone, and so is nothing of a file that was only begun.
    let others = opening_after(|folder| {
        fs::write(folder.join("notes"), "mine").unwrap();
        fs::write(folder.join("segment.tmp"), "half a head").unwrap();
    });
    assert_eq!(others, "30 events");
}

#[test]
fn a_full_file_without_its_index_is_read_record_by_record() {
    let expected = "30 events";
    for cut in [1, 40, 64, 88, 111] {
        let said = opening_after(|folder| {
            let path = folder.join("segment-2.events");
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        });
        assert_eq!(said, expected, "without {cut} bytes of the index");
    }
}

#[test]
fn a_journal_older_than_the_segments_is_damage_where_events_would_be_lost() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    for number in 10..40 {
        assert!(kept.append(LOG, number, 1));
    }
    let opened = open_with(&dir, Flaky::new(), &Lasts::from([(LOG, Some(3))]));
    let said = opened.err().unwrap().to_string();
    assert!(
        said.contains("the file with event 3, which is before its events, is missing"),
        "{said}"
    );
    assert_eq!(
        kept.opened_again(&dir).sequences(LOG).len(),
        30,
        "nothing was removed"
    );
}

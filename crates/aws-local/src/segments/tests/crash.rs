//! A disk that ends in the middle of a step, or is full.

use std::sync::atomic::Ordering;

use super::*;

/// Changes of two logs with everything that makes a new file or deletes one; ends where the disk does.
fn change(kept: &mut Kept) -> Option<()> {
    let done = |done: bool| done.then_some(());
    for number in 1..=9 {
        done(kept.append(LOG, number, 1))?;
        done(kept.append(LogId(8), number * 10, 1))?;
    }
    for number in 10..=18 {
        done(kept.append(LOG, number, 2))?;
    }
    done(kept.expire(LOG, 2))?;
    done(kept.append(LOG, 19, 3))?;
    done(kept.expire(LOG, 9))?;
    done(kept.remove(LogId(8)))?;
    done(kept.append(LOG, 20, 9))?;
    done(kept.append_bytes(LOG, 21, 9, &[b'y'; 400]))
}

#[test]
fn a_crash_at_any_step_keeps_all_that_was_accepted_and_nothing_else() {
    let mut steps = 0;
    loop {
        let dir = TempDir::new().unwrap();
        let disk = Flaky::dies_after(steps);
        let mut lasts = Lasts::new();
        if let Ok(mut kept) = open_with(&dir, disk.clone(), &lasts) {
            change(&mut kept);
            lasts = kept.lasts;
        }
        let mut kept =
            open_with(&dir, Flaky::new(), &lasts).unwrap_or_else(|error| panic!("{steps}: {error}"));
        let expected = lasts.get(&LOG).copied().flatten().unwrap_or(0);
        let there = kept.sequences(LOG);
        // What has expired may be there or not.
        let first = there.first().copied().unwrap_or(expected + 1);
        assert_eq!(
            there,
            (first..=expected).collect::<Vec<u64>>(),
            "after {steps} steps"
        );
        assert!(first == 1 || expected >= 18, "after {steps} steps");
        let others = lasts.get(&LogId(8)).copied().flatten().unwrap_or(0);
        let there = kept.sequences(LogId(8));
        assert_eq!(
            there,
            (1..=others / 10).map(|number| number * 10).collect::<Vec<u64>>(),
            "after {steps} steps"
        );
        assert!(kept.append(LOG, 50, 9), "it works after {steps} steps");
        let again = kept.opened_again(&dir);
        assert_eq!(again.sequences(LOG).last(), Some(&50));
        if disk.steps.load(Ordering::SeqCst) > 0 {
            break;
        }
        steps += 1;
    }
    assert!(steps > 60, "{steps} steps");
}

#[test]
fn a_full_disk_refuses_what_does_not_fit_and_takes_the_rest() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let mut kept = open_with(&dir, disk.clone(), &Lasts::new()).unwrap();
    assert!(kept.append(LOG, 1, 1));
    disk.room.store(100, Ordering::SeqCst);
    assert!(!kept.append_bytes(LOG, 2, 1, &[b'y'; 200]));
    // As after every refused write: from the disk again.
    let mut kept = kept.opened_again(&dir);
    assert_eq!(kept.sequences(LOG), [1]);
    assert!(kept.append(LOG, 2, 1));
    assert_eq!(kept.opened_again(&dir).sequences(LOG), [1, 2]);
}

#[test]
fn a_file_that_cannot_be_removed_is_removed_later_and_in_order() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    for number in 1..=20 {
        assert!(kept.append(LOG, number, 1));
    }
    // A folder in place of a file is what nobody can unlink as one.
    let first = folder(&dir).join("segment-1.events");
    let bytes = fs::read(&first).unwrap();
    fs::remove_file(&first).unwrap();
    fs::create_dir(&first).unwrap();
    assert!(kept.expire(LOG, 2));
    assert!(names(&folder(&dir)).len() > 3, "the later ones stay with it");
    fs::remove_dir(&first).unwrap();
    fs::write(&first, bytes).unwrap();
    assert!(kept.append(LOG, 21, 3));
    assert_eq!(names(&folder(&dir)).len(), 1);
    assert_eq!(kept.opened_again(&dir).sequences(LOG), [21]);
}

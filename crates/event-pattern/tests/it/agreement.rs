//! The engine's answers to the pairs of a seed are kept; ours must be the same.

use std::sync::LazyLock;

use crate::{answers, generate};

/// The answers to the pairs of a seed, and then a count for every twentieth of as many patterns of wildcards.
static THEIRS: LazyLock<Vec<String>> = LazyLock::new(|| answers::unpack(include_str!("expected/seed-1.txt")));

#[test]
fn answers_are_those_of_the_engine() {
    let theirs = &THEIRS[..THEIRS.len() / 21 * 20];
    assert!(theirs.len() >= 40_000, "{} answers", theirs.len());
    for ((pattern, event), theirs) in generate::pairs(1).zip(theirs) {
        if theirs != answers::UNSTEADY {
            let ours = answers::ours(&pattern, &event);
            assert!(
                ours == *theirs,
                "{ours}, the engine {theirs}\npattern {pattern}\n  event {event}"
            );
        }
    }
}

#[test]
fn wildcards_are_counted_as_the_engine_counts() {
    let theirs = &THEIRS[THEIRS.len() / 21 * 20..];
    assert!(theirs.len() >= 2_000, "{} counts", theirs.len());
    for (pattern, theirs) in generate::wildcards(1).zip(theirs) {
        let ours = answers::complexity(&pattern);
        assert!(ours == *theirs, "{ours}, the engine {theirs}\npattern {pattern}");
    }
}

//! The engine's answers to the pairs of a seed are kept; ours must be the same.

use crate::{answers, generate};

#[test]
fn answers_are_those_of_the_engine() {
    let theirs = answers::unpack(include_str!("expected/seed-1.txt"));
    assert!(theirs.len() >= 40_000, "{} answers", theirs.len());
    for ((pattern, event), theirs) in generate::pairs(1).zip(theirs) {
        if theirs != answers::UNSTEADY {
            let ours = answers::ours(&pattern, &event);
            assert!(
                ours == theirs,
                "{ours}, the engine {theirs}\npattern {pattern}\n  event {event}"
            );
        }
    }
}

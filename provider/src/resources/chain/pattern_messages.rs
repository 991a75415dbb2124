//! Why a pattern does not match, in words.

use super::event::{Match, Mismatch};

pub(super) fn mismatch(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::NoPattern => "it has no event pattern".to_owned(),
        Mismatch::Invalid(error) => format!("its pattern is not valid: {error}"),
        Mismatch::NothingToMatch => "its pattern has nothing to match".to_owned(),
        Mismatch::AcrossElements => {
            "its pattern matches only across different elements of one list".to_owned()
        }
        Mismatch::Unmatchable(error) => error.clone(),
        Mismatch::NoMetadata => "it tests METADATA, which an event of a partner does not have".to_owned(),
        Mismatch::Field {
            path,
            expected,
            found,
            nearest,
        } => match (found.as_slice(), nearest) {
            ([], Some(nearest)) => {
                format!("it asks for `{path}`, which the event does not have; the nearest is `{nearest}`")
            }
            ([], None) => format!("it asks for `{path}`, which the event does not have"),
            (found, _) => format!(
                "it asks for `{path}` in `{expected}`; the event has `{}`",
                found.join(", ")
            ),
        },
    }
}

/// What a pattern makes of the event, as a clause. `whose`: "its pattern", "its filters".
pub(super) fn judged(whose: &str, judged: &Match) -> String {
    let (matches, misses, tests) = if whose.ends_with('s') {
        ("match", "do not match", "test")
    } else {
        ("matches", "does not match", "tests")
    };
    match judged {
        Match::Yes => format!("{whose} {matches} the event"),
        Match::No(why) => format!("{whose} {misses} ({})", mismatch(why)),
        Match::Open(fields) => format!(
            "{whose} {tests} `{}`, whose value is not known here",
            fields.join("`, `")
        ),
    }
}

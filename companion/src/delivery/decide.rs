//! What AWS's answers mean for events and their connection. Pure: time and random numbers are arguments.
//!
//! AWS's codes are those of `PutPartnerEvents` and of its entries:
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPartnerEvents.html>.

use crate::partner::{AwsError, EntryError, SourceHealth, SourceState};
use crate::schedule::DELIVERY;
use crate::store::{Entry, Settlement};

/// What follows from a put and from the source's state after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// One an entry, in their order.
    pub(super) settlements: Vec<Settlement>,
    pub(super) connection: Next,
}

/// How a connection's delivery continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Continue,
    /// Nothing is sent before then.
    BackOff {
        until_ms: i64,
        why: String,
    },
    /// The source has no bus, so AWS dropped what it answered success for.
    Pending,
    Failed {
        why: String,
    },
}

/// What AWS answered about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    /// AWS took the call, and not this entry.
    NotTaken(EntryError),
    /// AWS refused a call with this entry alone.
    RefusedAlone(EntryError),
    /// No call that had it was answered, for this reason.
    Unanswered(String),
}

impl From<Result<(), EntryError>> for Answer {
    fn from(result: Result<(), EntryError>) -> Self {
        result.map_or_else(Self::NotTaken, |()| Self::Taken)
    }
}

/// When a decision is made, and how long AWS is asked again to take an event that it does not take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) ms: i64,
    /// At random, from 0 to 1.
    pub(super) random: f64,
    pub(super) retry_ms_max: i64,
}

/// Decides from AWS's answer to a batch and the source's state after that answer.
pub(super) fn after_put(
    entries: &[Entry],
    put: Result<Vec<Answer>, AwsError>,
    state: Result<SourceState, AwsError>,
    now: Now,
) -> Decision {
    let next = match put {
        Ok(answers) => match before_put(state, attempts(entries), now) {
            Next::Continue => match refused_all(entries, &answers, now) {
                Some(next) => next,
                None => return by_entry(entries, answers, now),
            },
            // Whether AWS's answer counts is not known, so it does not: a duplicate is allowed here, a loss is not.
            next => next,
        },
        Err(error) => back_off(attempts(entries), of_a_call(error), now),
    };
    retry_all(entries, now.ms, next)
}

/// Why a call failed, in a sentence.
pub(super) fn of_a_call(error: AwsError) -> String {
    match error {
        AwsError::Retryable(why) => why,
        AwsError::Refused { code, message } => format!(
            "AWS refuses the companion's own calls: {code}: {}. Its credentials, or what they permit, have to be corrected; the events \
             are held, and are tried again.",
            message.trim_end_matches('.')
        ),
    }
}

/// What follows where no entry is to blame: AWS refused several, each by itself, and took none.
fn refused_all(entries: &[Entry], answers: &[Answer], now: Now) -> Option<Next> {
    let mut refusals = answers.iter().filter_map(|answer| match answer {
        Answer::RefusedAlone(error) => Some(error),
        _ => None,
    });
    let is_judged = |answer: &Answer| matches!(answer, Answer::Taken | Answer::NotTaken(_));
    let (first, _) = (refusals.next()?, refusals.next()?);
    if answers.iter().any(is_judged) {
        return None;
    }
    let why = refused(&first.to_string());
    if answers
        .iter()
        .any(|answer| matches!(answer, Answer::Unanswered(_)))
    {
        return Some(back_off(attempts(entries), why, now));
    }
    Some(Next::Failed { why })
}

/// Decides from the source's state alone. `attempts` is how often the batch was sent before.
pub(super) fn before_put(state: Result<SourceState, AwsError>, attempts: u32, now: Now) -> Next {
    if let Err(error) = &state
        && error.is_of_the_caller()
    {
        return back_off(attempts, of_a_call(error.clone()), now);
    }
    match SourceHealth::from(state) {
        SourceHealth::Active => Next::Continue,
        SourceHealth::Pending => Next::Pending,
        SourceHealth::Failed(why) => Next::Failed { why },
        SourceHealth::Unknown(why) => back_off(attempts, why, now),
    }
}

/// How often the entry of a batch that was sent most often was sent before.
pub(super) fn attempts(entries: &[Entry]) -> u32 {
    let attempts = entries.iter().map(|entry| entry.attempts);
    attempts.max().unwrap_or_default()
}

/// Keeps every entry of a batch for a retry.
pub(super) fn retry_all(entries: &[Entry], now_ms: i64, connection: Next) -> Decision {
    let error = match &connection {
        Next::Continue | Next::Pending => None,
        Next::BackOff { why, .. } | Next::Failed { why } => Some(why.clone()),
    };
    let retry = Settlement::Retry {
        due_at_ms: now_ms,
        error,
    };
    Decision {
        settlements: vec![retry; entries.len()],
        connection,
    }
}

fn back_off(attempts: u32, why: String, now: Now) -> Next {
    let until_ms = now.ms + DELIVERY.wait_ms(attempts, now.random);
    Next::BackOff { until_ms, why }
}

fn refused(why: &str) -> String {
    let why = why.trim_end_matches('.');
    format!("AWS refuses the events: {why}. They are held. Correct that, then refresh the status.")
}

/// Decides entry by entry, for a batch that AWS answered while the source was ACTIVE.
fn by_entry(entries: &[Entry], answers: Vec<Answer>, now: Now) -> Decision {
    let mut connection = Next::Continue;
    let settlements = entries.iter().zip(answers).map(|(entry, answer)| match answer {
        Answer::Taken => Settlement::Delivered,
        Answer::Unanswered(why) => Settlement::Retry {
            due_at_ms: now.ms,
            error: Some(why),
        },
        Answer::NotTaken(error) => match error.code.as_str() {
            "MalformedDetail"
            | "InvalidArgument"
            | "RedactionFailure"
            | "NotAuthorizedForDetailTypeException" => never(&error),
            // About the connection, not the event: the event is held until an operator has corrected it.
            "AccessDeniedException" | "InvalidAccountIdException" | "NotAuthorizedForSourceException" => {
                let why = refused(&error.to_string());
                connection = Next::Failed { why };
                Settlement::Retry {
                    due_at_ms: now.ms,
                    error: Some(error.to_string()),
                }
            }
            _ => not_taken(entry, &error, now),
        },
        Answer::RefusedAlone(error) => match error.code.as_str() {
            "RequestEntityTooLargeException" | "SerializationException" | "ValidationException" => {
                never(&error)
            }
            _ => not_taken(entry, &error, now),
        },
    });
    Decision {
        settlements: settlements.collect(),
        connection,
    }
}

/// AWS will never take it.
fn never(error: &EntryError) -> Settlement {
    Settlement::Refused {
        error: error.to_string(),
    }
}

/// AWS is asked again until it has not taken the entry for too long.
fn not_taken(entry: &Entry, error: &EntryError, now: Now) -> Settlement {
    let since = entry.refused_since_ms.unwrap_or(now.ms);
    if now.ms.saturating_sub(since) < now.retry_ms_max {
        return Settlement::NotTaken {
            due_at_ms: now.ms + DELIVERY.wait_ms(entry.attempts, now.random),
            error: error.to_string(),
        };
    }
    let hours = now.retry_ms_max / 3_600_000;
    Settlement::Refused {
        error: format!("AWS has not taken it for {hours} hours; last error: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(n: usize) -> Vec<Entry> {
        let entry = Entry {
            seq: 1,
            event_id: "e".into(),
            detail_type: "T".into(),
            detail: "{}".into(),
            time_ms: 0,
            attempts: 1,
            refused_since_ms: None,
        };
        vec![entry; n]
    }

    fn error(code: &str) -> EntryError {
        EntryError {
            code: code.to_owned(),
            message: "m".to_owned(),
        }
    }

    fn not_taken(code: &str) -> Answer {
        Answer::NotTaken(error(code))
    }

    fn alone(code: &str) -> Answer {
        Answer::RefusedAlone(error(code))
    }

    /// A letter an entry: `d`elivered, `r`etry at once, `w`ait for a retry, `x` for failed; then the connection's.
    fn letters(decision: &Decision) -> String {
        let entries = decision.settlements.iter().map(|settlement| match settlement {
            Settlement::Delivered => 'd',
            Settlement::Retry { .. } => 'r',
            Settlement::NotTaken { .. } => 'w',
            Settlement::Refused { .. } => 'x',
        });
        let connection = match &decision.connection {
            Next::Continue => "continue",
            Next::BackOff { .. } => "back off",
            Next::Pending => "pending",
            Next::Failed { .. } => "failed",
        };
        format!("{} {connection}", entries.collect::<String>())
    }

    const NOW: Now = Now {
        ms: 1000,
        random: 0.5,
        retry_ms_max: 100,
    };

    #[track_caller]
    fn check(put: Result<Vec<Answer>, AwsError>, state: Result<SourceState, AwsError>, want: &str) {
        let n = put.as_ref().map_or(2, Vec::len);
        assert_eq!(letters(&after_put(&entries(n), put, state, NOW)), want);
    }

    fn retryable() -> AwsError {
        AwsError::Retryable("later".into())
    }

    fn refused(code: &str) -> AwsError {
        AwsError::Refused {
            code: code.into(),
            message: "m".into(),
        }
    }

    #[test]
    fn only_failed_entries_are_sent_again() {
        use Answer::Taken;
        for (answers, want) in [
            (
                vec![Taken, not_taken("ThrottlingException"), Taken],
                "dwd continue",
            ),
            (vec![Taken, not_taken("InternalFailure")], "dw continue"),
            (vec![Taken, not_taken("SomethingNew")], "dw continue"),
            (vec![not_taken("MalformedDetail"), Taken], "xd continue"),
            (
                vec![not_taken("NotAuthorizedForSourceException"), Taken],
                "rd failed",
            ),
            (vec![Taken, Answer::Unanswered("later".into())], "dr continue"),
            (vec![Taken, alone("ValidationException")], "dx continue"),
            (vec![alone("ValidationException")], "x continue"),
            (vec![alone("SomethingNew"), Taken], "wd continue"),
            (
                vec![alone("ValidationException"), alone("ValidationException")],
                "rr failed",
            ),
            (
                vec![
                    alone("ValidationException"),
                    Answer::Unanswered("later".into()),
                    alone("ValidationException"),
                ],
                "rrr back off",
            ),
        ] {
            check(Ok(answers), Ok(SourceState::Active), want);
        }
    }

    #[test]
    fn what_does_not_concern_the_event_keeps_all_of_them() {
        let active = || Ok(SourceState::Active);
        let taken = || Ok(vec![Answer::Taken, Answer::Taken]);
        check(Err(retryable()), active(), "rr back off");
        check(Err(refused("AccessDeniedException")), active(), "rr back off");
        check(taken(), active(), "dd continue");
        check(taken(), Ok(SourceState::Pending), "rr pending");
        check(taken(), Ok(SourceState::Deleted), "rr failed");
        check(taken(), Ok(SourceState::Missing), "rr failed");
        check(taken(), Err(retryable()), "rr back off");
        check(taken(), Err(refused("AccessDeniedException")), "rr back off");
        check(taken(), Err(refused("SomethingNew")), "rr failed");
    }

    #[test]
    fn asking_again_has_an_end() {
        for (since, want) in [(None, "w"), (Some(901), "w"), (Some(900), "x")] {
            let mut entries = entries(1);
            entries[0].refused_since_ms = since;
            for answer in [not_taken("SomethingNew"), alone("SomethingNew")] {
                let decision = after_put(&entries, Ok(vec![answer]), Ok(SourceState::Active), NOW);
                assert_eq!(letters(&decision), format!("{want} continue"), "{since:?}");
            }
        }
    }
}

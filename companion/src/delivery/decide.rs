//! What AWS's answers mean for events and their connection. Pure: time and random numbers are arguments.

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

/// Decides from AWS's answer to a batch and the source's state after that answer.
pub(super) fn after_put(
    entries: &[Entry],
    put: Result<Vec<Result<(), EntryError>>, AwsError>,
    state: Result<SourceState, AwsError>,
    now_ms: i64,
    random: f64,
) -> Decision {
    let next = match put {
        Ok(results) => match before_put(state, attempts(entries), now_ms, random) {
            Next::Continue => return by_entry(entries, &results, now_ms, random),
            // Whether AWS's answer counts is not known, so it does not: a duplicate is allowed here, a loss is not.
            next => next,
        },
        Err(AwsError::Retryable(why)) => back_off(attempts(entries), why, now_ms, random),
        Err(refusal @ AwsError::Refused { .. }) => Next::Failed {
            why: refused(&refusal.to_string()),
        },
    };
    retry_all(entries, now_ms, next)
}

/// Decides from the source's state alone. `attempts` is how often the batch was sent before.
pub(super) fn before_put(
    state: Result<SourceState, AwsError>,
    attempts: u32,
    now_ms: i64,
    random: f64,
) -> Next {
    match SourceHealth::from(state) {
        SourceHealth::Active => Next::Continue,
        SourceHealth::Pending => Next::Pending,
        SourceHealth::Failed(why) => Next::Failed { why },
        SourceHealth::Unknown(why) => back_off(attempts, why, now_ms, random),
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

fn back_off(attempts: u32, why: String, now_ms: i64, random: f64) -> Next {
    let until_ms = now_ms + DELIVERY.wait_ms(attempts, random);
    Next::BackOff { until_ms, why }
}

fn refused(why: &str) -> String {
    let why = why.trim_end_matches('.');
    format!("AWS refuses the events: {why}. They are held. Correct that, then refresh the status.")
}

/// Decides entry by entry, for a batch that AWS answered while the source was ACTIVE.
fn by_entry(entries: &[Entry], results: &[Result<(), EntryError>], now_ms: i64, random: f64) -> Decision {
    let mut connection = Next::Continue;
    let settlements = entries.iter().zip(results).map(|(entry, result)| {
        let Err(failed) = result else {
            return Settlement::Delivered;
        };
        let error = failed.to_string();
        let due_at_ms = match failed.code.as_str() {
            "MalformedDetail"
            | "InvalidArgument"
            | "RedactionFailure"
            | "NotAuthorizedForDetailTypeException" => return Settlement::Refused { error },
            // About the connection, not the event: the event is held until an operator has corrected it.
            "AccessDeniedException" | "InvalidAccountIdException" | "NotAuthorizedForSourceException" => {
                let why = refused(&error);
                connection = Next::Failed { why };
                now_ms
            }
            _ => now_ms + DELIVERY.wait_ms(entry.attempts, random),
        };
        let error = Some(error);
        Settlement::Retry { due_at_ms, error }
    });
    Decision {
        settlements: settlements.collect(),
        connection,
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
        };
        vec![entry; n]
    }

    fn failed(code: &str) -> Result<(), EntryError> {
        Err(EntryError {
            code: code.to_owned(),
            message: "m".to_owned(),
        })
    }

    /// A letter an entry: `d`elivered, `r`etry at once, `w`ait for a retry, `x` for refused; then the connection's.
    fn letters(decision: &Decision) -> String {
        let entries = decision.settlements.iter().map(|settlement| match settlement {
            Settlement::Delivered => 'd',
            Settlement::Retry { due_at_ms: 1000, .. } => 'r',
            Settlement::Retry { .. } => 'w',
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

    #[track_caller]
    fn check(
        put: Result<Vec<Result<(), EntryError>>, AwsError>,
        state: Result<SourceState, AwsError>,
        want: &str,
    ) {
        let n = put.as_ref().map_or(2, Vec::len);
        assert_eq!(letters(&after_put(&entries(n), put, state, 1000, 0.5)), want);
    }

    #[test]
    fn only_failed_entries_are_sent_again() {
        let active = || Ok(SourceState::Active);
        let taken = || Ok(vec![Ok(()), Ok(())]);
        let retryable = || AwsError::Retryable("later".into());
        let refused = || AwsError::Refused {
            code: "AccessDenied".into(),
            message: "m".into(),
        };
        check(taken(), active(), "dd continue");
        check(
            Ok(vec![Ok(()), failed("ThrottlingException"), Ok(())]),
            active(),
            "dwd continue",
        );
        check(
            Ok(vec![Ok(()), failed("InternalFailure")]),
            active(),
            "dw continue",
        );
        check(Ok(vec![Ok(()), failed("SomethingNew")]), active(), "dw continue");
        check(
            Ok(vec![failed("MalformedDetail"), Ok(())]),
            active(),
            "xd continue",
        );
        check(
            Ok(vec![failed("NotAuthorizedForSourceException"), Ok(())]),
            active(),
            "rd failed",
        );
        check(Err(retryable()), active(), "rr back off");
        check(Err(refused()), active(), "rr failed");
        check(taken(), Ok(SourceState::Pending), "rr pending");
        check(taken(), Ok(SourceState::Deleted), "rr failed");
        check(taken(), Ok(SourceState::Missing), "rr failed");
        check(taken(), Err(retryable()), "rr back off");
        check(taken(), Err(refused()), "rr failed");
    }
}

//! What AWS's answers mean for events and their connection. Pure: time and chance come in as arguments.

use crate::backoff::Backoff;
use crate::partner::{AwsError, SourceState, Verdict};
use crate::store::{Entry, Outcome};

/// How long delivery waits after failures.
pub(super) const BACKOFF: Backoff = Backoff {
    ms_min: 200,
    ms_max: 30_000,
};

/// What a put, and a look at the source after it, lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// One an entry, in their order.
    pub(super) outcomes: Vec<Outcome>,
    pub(super) connection: Then,
}

/// What becomes of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Goes,
    /// Nothing can be sent before then.
    Waits {
        until_ms: i64,
        why: String,
    },
    /// Its source has no bus: what was answered meanwhile does not count.
    Pending,
    Failed {
        why: String,
    },
}

/// Weighs AWS's answer to a batch, given the source's state after that answer.
pub(super) fn weigh(
    entries: &[Entry],
    put: Result<Vec<Verdict>, AwsError>,
    after: Result<SourceState, AwsError>,
    now_ms: i64,
    chance: f64,
) -> Decision {
    let tries = entries
        .iter()
        .map(|entry| entry.attempts)
        .max()
        .unwrap_or_default();
    let until_ms = now_ms + BACKOFF.wait_ms(tries, chance);
    match put {
        Err(AwsError::Later(why)) => all_again(entries, now_ms, Then::Waits { until_ms, why }),
        Err(refusal @ AwsError::No { .. }) => {
            let why = refused(&refusal.to_string());
            all_again(entries, now_ms, Then::Failed { why })
        }
        Ok(verdicts) => match after {
            Ok(SourceState::Active) => judged(entries, &verdicts, now_ms, chance),
            Ok(SourceState::Pending) => all_again(entries, now_ms, Then::Pending),
            Ok(SourceState::Deleted) => all_again(entries, now_ms, gone("was deleted at AWS")),
            Ok(SourceState::Missing) => all_again(entries, now_ms, gone("is not there at AWS")),
            // Whether the answer counts is not known, so it does not: sent twice is allowed here, lost is not.
            Err(AwsError::Later(why)) => all_again(entries, now_ms, Then::Waits { until_ms, why }),
            Err(refusal @ AwsError::No { .. }) => {
                let why = format!("AWS refuses to tell the event source's state: {refusal}");
                all_again(entries, now_ms, Then::Failed { why })
            }
        },
    }
}

/// What the source's state alone means, before anything is sent.
pub(super) fn before(state: Result<SourceState, AwsError>, failures: u32, now_ms: i64, chance: f64) -> Then {
    match state {
        Ok(SourceState::Active) => Then::Goes,
        Ok(SourceState::Pending) => Then::Pending,
        Ok(SourceState::Deleted) => gone("was deleted at AWS"),
        Ok(SourceState::Missing) => gone("is not there at AWS"),
        Err(AwsError::Later(why)) => Then::Waits {
            until_ms: now_ms + BACKOFF.wait_ms(failures, chance),
            why,
        },
        Err(refusal @ AwsError::No { .. }) => Then::Failed {
            why: format!("AWS refuses to tell the event source's state: {refusal}"),
        },
    }
}

fn refused(why: &str) -> String {
    let why = why.trim_end_matches('.');
    format!("AWS refuses the events: {why}. They are held. Put that right, then refresh the status.")
}

fn gone(how: &str) -> Then {
    Then::Failed {
        why: format!("The event source {how}. Refresh the status to have it made again."),
    }
}

pub(super) fn all_again(entries: &[Entry], now_ms: i64, connection: Then) -> Decision {
    let error = match &connection {
        Then::Goes | Then::Pending => None,
        Then::Waits { why, .. } | Then::Failed { why } => Some(why.clone()),
    };
    let again = Outcome::Again {
        due_at_ms: now_ms,
        error,
    };
    Decision {
        outcomes: vec![again; entries.len()],
        connection,
    }
}

fn judged(entries: &[Entry], verdicts: &[Verdict], now_ms: i64, chance: f64) -> Decision {
    let mut connection = Then::Goes;
    let outcomes = entries.iter().zip(verdicts).map(|(entry, verdict)| {
        let Some((code, message)) = verdict else {
            return Outcome::Delivered;
        };
        let error = format!("{code}: {message}");
        match code.as_str() {
            "MalformedDetail"
            | "InvalidArgument"
            | "RedactionFailure"
            | "NotAuthorizedForDetailTypeException" => Outcome::Refused { error },
            // These speak of the connection, not of the event: it is held until somebody has put that right.
            "AccessDeniedException" | "InvalidAccountIdException" | "NotAuthorizedForSourceException" => {
                connection = Then::Failed { why: refused(&error) };
                Outcome::Again {
                    due_at_ms: now_ms,
                    error: Some(error),
                }
            }
            _ => {
                let due_at_ms = now_ms + BACKOFF.wait_ms(entry.attempts, chance);
                Outcome::Again {
                    due_at_ms,
                    error: Some(error),
                }
            }
        }
    });
    Decision {
        outcomes: outcomes.collect(),
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

    fn slot(code: &str) -> (String, String) {
        (code.to_owned(), "m".to_owned())
    }

    /// A letter an entry: `d`elivered, `a`gain now, `w`ait, `r`efused; then the connection's.
    fn letters(decision: &Decision) -> String {
        let entries = decision.outcomes.iter().map(|outcome| match outcome {
            Outcome::Delivered => 'd',
            Outcome::Again { due_at_ms: 1000, .. } => 'a',
            Outcome::Again { .. } => 'w',
            Outcome::Refused { .. } => 'r',
        });
        let connection = match &decision.connection {
            Then::Goes => "goes",
            Then::Waits { .. } => "waits",
            Then::Pending => "pending",
            Then::Failed { .. } => "failed",
        };
        format!("{} {connection}", entries.collect::<String>())
    }

    #[track_caller]
    fn check(put: Result<Vec<Verdict>, AwsError>, after: Result<SourceState, AwsError>, want: &str) {
        let n = put.as_ref().map_or(2, Vec::len);
        assert_eq!(letters(&weigh(&entries(n), put, after, 1000, 0.5)), want);
    }

    #[test]
    fn only_what_failed_goes_again() {
        let active = || Ok(SourceState::Active);
        let late = || AwsError::Later("later".into());
        let no = || AwsError::No {
            code: "AccessDenied".into(),
            message: "m".into(),
        };
        check(Ok(vec![None, None]), active(), "dd goes");
        check(
            Ok(vec![None, Some(slot("ThrottlingException")), None]),
            active(),
            "dwd goes",
        );
        check(Ok(vec![None, Some(slot("InternalFailure"))]), active(), "dw goes");
        check(Ok(vec![None, Some(slot("SomethingNew"))]), active(), "dw goes");
        check(Ok(vec![Some(slot("MalformedDetail")), None]), active(), "rd goes");
        check(
            Ok(vec![Some(slot("NotAuthorizedForSourceException")), None]),
            active(),
            "ad failed",
        );
        check(Err(late()), active(), "aa waits");
        check(Err(no()), active(), "aa failed");
        check(Ok(vec![None, None]), Ok(SourceState::Pending), "aa pending");
        check(Ok(vec![None, None]), Ok(SourceState::Deleted), "aa failed");
        check(Ok(vec![None, None]), Ok(SourceState::Missing), "aa failed");
        check(Ok(vec![None, None]), Err(late()), "aa waits");
        check(Ok(vec![None, None]), Err(no()), "aa failed");
    }
}

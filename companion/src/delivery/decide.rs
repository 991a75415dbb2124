//! What AWS's answers mean for events and their connection. Pure: time and random numbers are arguments.
//!
//! AWS's codes are those of `PutPartnerEvents` and of its entries:
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPartnerEvents.html>.

use std::collections::BTreeMap;

use scalr_api::ConnectionId;

use crate::aws_error::{AwsError, EntryError, SourceHealth, SourceState};
use crate::schedule::DELIVERY;
use crate::store::{Entry, Settlement};

/// What follows from a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// One an entry, in their order.
    pub(super) settlements: Vec<Settlement>,
    /// The connections of the call that do not continue.
    pub(super) connections: BTreeMap<ConnectionId, Next>,
    /// Why the region backs off, where it does: no connection is to blame.
    pub(super) region: Option<String>,
}

/// Why a connection's delivery does not continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing is sent before then.
    BackOff {
        until_ms: i64,
        why: String,
    },
    /// The source has no bus, so AWS drops what it answers success for.
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
    /// No call that had it alone was made, for this reason.
    Unanswered(String),
    /// A call failed, this one or one before it, for which no event is to blame.
    Failed(String),
}

impl Answer {
    /// Why AWS did not take the event, where it did not.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Self::Taken => None,
            Self::NotTaken(error) | Self::RefusedAlone(error) => Some(error.to_string()),
            Self::Unanswered(why) | Self::Failed(why) => Some(why.clone()),
        }
    }
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

/// Decides from AWS's answer to a call.
pub(super) fn after_put(entries: &[Entry], put: Result<Vec<Answer>, AwsError>, now: Now) -> Decision {
    let answers = match put {
        Ok(answers) => answers,
        Err(error) => {
            let why = of_a_call(error);
            return Decision {
                settlements: vec![retry(now.ms, &why); entries.len()],
                connections: BTreeMap::new(),
                region: Some(why),
            };
        }
    };
    let mut connections = of_connections(entries, &answers, now);
    let mut region = None;
    let decided = entries.iter().zip(answers).map(|(entry, answer)| {
        if let Answer::NotTaken(error) = &answer
            && error.is_throttled()
        {
            region = Some(error.to_string());
        }
        if let Answer::Failed(why) = &answer {
            region = Some(why.clone());
        }
        if let Some(Next::Failed { why } | Next::BackOff { why, .. }) = connections.get(&entry.connection_id)
            && matches!(
                answer,
                Answer::RefusedAlone(_) | Answer::Unanswered(_) | Answer::Failed(_)
            )
        {
            return (entry, retry(now.ms, why), None);
        }
        let (settlement, next) = of_entry(entry, answer, now);
        (entry, settlement, next)
    });
    let decided: Vec<_> = decided.collect();
    let mut settlements = Vec::with_capacity(decided.len());
    for (entry, settlement, next) in decided {
        settlements.push(settlement);
        if let Some(next) = next {
            connections.insert(entry.connection_id.clone(), next);
        }
    }
    Decision {
        settlements,
        connections,
        region,
    }
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

/// What AWS answered about the entries of one connection.
#[derive(Default)]
struct Tally<'a> {
    /// AWS took, or took the call and not it.
    judged: usize,
    refused: Vec<&'a EntryError>,
    unanswered: usize,
    attempts: u32,
}

/// The connections where no entry is to blame: AWS refused several, each by itself, and took none. Where that holds of the call and not
/// of a connection, each of its connections is tried by itself before an event of it counts as failed.
fn of_connections(entries: &[Entry], answers: &[Answer], now: Now) -> BTreeMap<ConnectionId, Next> {
    let mut tallies = BTreeMap::<&ConnectionId, Tally<'_>>::new();
    for (entry, answer) in entries.iter().zip(answers) {
        let tally = tallies.entry(&entry.connection_id).or_default();
        tally.attempts = tally.attempts.max(entry.attempts);
        match answer {
            Answer::Taken | Answer::NotTaken(_) => tally.judged += 1,
            Answer::RefusedAlone(error) => tally.refused.push(error),
            Answer::Unanswered(_) | Answer::Failed(_) => tally.unanswered += 1,
        }
    }
    let refused: usize = tallies.values().map(|tally| tally.refused.len()).sum();
    let is_call_refused = refused > 1 && tallies.values().all(|tally| tally.judged == 0);
    let blameless = |(id, tally): (&ConnectionId, &Tally<'_>)| {
        let first = tally.refused.first().filter(|_| tally.judged == 0)?;
        let is_several = tally.refused.len() > 1;
        if !is_several && !is_call_refused {
            return None;
        }
        let why = refuses(&first.to_string());
        let next = if is_several && tally.unanswered == 0 {
            Next::Failed { why }
        } else {
            back_off(tally.attempts, why, now)
        };
        Some((id.clone(), next))
    };
    tallies
        .iter()
        .filter_map(|(id, tally)| blameless((id, tally)))
        .collect()
}

/// Decides from the source's state; `None` where it is ACTIVE. `failures` is how often the connection has failed in a row.
pub(super) fn after_look(state: Result<SourceState, AwsError>, failures: u32, now: Now) -> Option<Next> {
    if let Err(error) = &state
        && error.is_of_the_caller()
    {
        return Some(back_off(failures, of_a_call(error.clone()), now));
    }
    match SourceHealth::from(state) {
        SourceHealth::Active => None,
        SourceHealth::Pending => Some(Next::Pending),
        SourceHealth::Failed(why) => Some(Next::Failed { why }),
        SourceHealth::Unknown(why) => Some(back_off(failures, why, now)),
    }
}

fn retry(due_at_ms: i64, why: &str) -> Settlement {
    Settlement::Retry {
        due_at_ms,
        error: Some(why.to_owned()),
    }
}

fn back_off(attempts: u32, why: String, now: Now) -> Next {
    let until_ms = now.ms + DELIVERY.wait_ms(attempts, now.random);
    Next::BackOff { until_ms, why }
}

fn refuses(why: &str) -> String {
    let why = why.trim_end_matches('.');
    format!("AWS refuses the events: {why}. They are held. Correct that, then refresh the status.")
}

/// Decides on one entry, and on its connection where that does not continue.
fn of_entry(entry: &Entry, answer: Answer, now: Now) -> (Settlement, Option<Next>) {
    let settlement = match answer {
        Answer::Taken => Settlement::Delivered,
        Answer::Unanswered(why) | Answer::Failed(why) => retry(now.ms, &why),
        Answer::NotTaken(error) => match error.code.as_str() {
            "MalformedDetail"
            | "InvalidArgument"
            | "RedactionFailure"
            | "NotAuthorizedForDetailTypeException" => never(&error),
            // About the connection, not the event: the event is held until an operator has corrected it.
            "AccessDeniedException" | "InvalidAccountIdException" | "NotAuthorizedForSourceException" => {
                let why = refuses(&error.to_string());
                return (retry(now.ms, &error.to_string()), Some(Next::Failed { why }));
            }
            _ => not_taken(entry, &error, now),
        },
        Answer::RefusedAlone(error) => match error.code.as_str() {
            "RequestEntityTooLargeException" | "SerializationException" | "ValidationException" => {
                never(&error)
            }
            _ => not_taken(entry, &error, now),
        },
    };
    (settlement, None)
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
    use crate::testing::entry;

    /// Entries of these connections.
    fn entries(of: &[&str]) -> Vec<Entry> {
        let entry = |name: &&str| Entry {
            attempts: 1,
            ..entry(name)
        };
        of.iter().map(entry).collect()
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

    /// A letter an entry: `d`elivered, `r`etry at once, `w`ait for a retry, `x` for failed; then the connections that do not continue, and
    /// the region where it backs off.
    fn letters(decision: &Decision) -> String {
        let entries = decision.settlements.iter().map(|settlement| match settlement {
            Settlement::Delivered => 'd',
            Settlement::Retry { .. } => 'r',
            Settlement::NotTaken { .. } => 'w',
            Settlement::Refused { .. } => 'x',
        });
        let mut letters = entries.collect::<String>();
        for (id, next) in &decision.connections {
            let id = id.as_str().trim_start_matches("in-");
            let next = match next {
                Next::BackOff { .. } => "back off",
                Next::Pending => "pending",
                Next::Failed { .. } => "failed",
            };
            letters = format!("{letters} {id} {next}");
        }
        if decision.region.is_some() {
            letters.push_str(" region");
        }
        letters
    }

    const NOW: Now = Now {
        ms: 1000,
        random: 0.5,
        retry_ms_max: 100,
    };

    #[track_caller]
    fn check(of: &[&str], put: Result<Vec<Answer>, AwsError>, want: &str) {
        assert_eq!(letters(&after_put(&entries(of), put, NOW)), want);
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

    fn unanswered() -> Answer {
        Answer::Unanswered("later".into())
    }

    #[test]
    fn only_failed_entries_are_sent_again() {
        use Answer::Taken;
        let invalid = || alone("ValidationException");
        for (answers, want) in [
            (vec![Taken, not_taken("InternalFailure")], "dw"),
            (vec![Taken, not_taken("SomethingNew")], "dw"),
            (vec![not_taken("MalformedDetail"), Taken], "xd"),
            (
                vec![not_taken("NotAuthorizedForSourceException"), Taken],
                "rd a failed",
            ),
            (vec![Taken, unanswered()], "dr"),
            (vec![Taken, invalid()], "dx"),
            (vec![invalid()], "x"),
            (vec![alone("SomethingNew"), Taken], "wd"),
            (vec![invalid(), invalid()], "rr a failed"),
            (vec![invalid(), unanswered(), invalid()], "rrr a back off"),
        ] {
            check(&vec!["a"; answers.len()], Ok(answers), want);
        }
    }

    #[test]
    fn an_entrys_failure_touches_its_own_connection_alone() {
        use Answer::Taken;
        let invalid = || alone("ValidationException");
        for (of, answers, want) in [
            (
                &["a", "b", "b"][..],
                vec![Taken, not_taken("NotAuthorizedForSourceException"), Taken],
                "drd b failed",
            ),
            // Several of one connection, and of none other.
            (
                &["a", "b", "b"],
                vec![Taken, invalid(), invalid()],
                "drr b failed",
            ),
            (
                &["a", "b", "b", "b"],
                vec![Taken, invalid(), invalid(), unanswered()],
                "drrr b back off",
            ),
            (&["a", "b", "c"], vec![Taken, invalid(), Taken], "dxd"),
            // Nothing says whose fault it is: each is tried by itself.
            (
                &["a", "b"],
                vec![invalid(), invalid()],
                "rr a back off b back off",
            ),
            (
                &["a", "b", "b", "c"],
                vec![invalid(), invalid(), invalid(), unanswered()],
                "rrrr a back off b failed",
            ),
        ] {
            check(of, Ok(answers), want);
        }
    }

    #[test]
    fn throttling_backs_off_the_region_and_no_connection() {
        let throttled = not_taken("ThrottlingException");
        check(
            &["a", "b", "b"],
            Ok(vec![Answer::Taken, throttled, Answer::Taken]),
            "dwd region",
        );
        // A half of a refused call.
        let failed = || Answer::Failed("later".into());
        check(
            &["a", "b", "b", "b"],
            Ok(vec![
                Answer::Taken,
                alone("ValidationException"),
                failed(),
                failed(),
            ]),
            "dxrr region",
        );
        check(&["a", "b"], Err(retryable()), "rr region");
        check(&["a", "b"], Err(refused("AccessDeniedException")), "rr region");
    }

    #[test]
    fn a_look_says_how_a_connection_continues() {
        let check = |state: Result<SourceState, AwsError>, want: &str| {
            let next = match after_look(state, 3, NOW) {
                None => "continue",
                Some(Next::BackOff { until_ms, .. }) => {
                    assert_eq!(until_ms, NOW.ms + 1200);
                    "back off"
                }
                Some(Next::Pending) => "pending",
                Some(Next::Failed { .. }) => "failed",
            };
            assert_eq!(next, want);
        };
        check(Ok(SourceState::Active), "continue");
        check(Ok(SourceState::Pending), "pending");
        check(Ok(SourceState::Deleted), "failed");
        check(Ok(SourceState::Missing), "failed");
        check(Err(retryable()), "back off");
        check(Err(refused("AccessDeniedException")), "back off");
        check(Err(refused("SomethingNew")), "failed");
    }

    #[test]
    fn asking_again_has_an_end() {
        for (since, want) in [(None, "w"), (Some(901), "w"), (Some(900), "x")] {
            let mut entries = entries(&["a"]);
            entries[0].refused_since_ms = since;
            for answer in [not_taken("SomethingNew"), alone("SomethingNew")] {
                let decision = after_put(&entries, Ok(vec![answer]), NOW);
                assert_eq!(letters(&decision), want, "{since:?}");
            }
        }
    }
}

//! One call: events of any connections of a region, sent until AWS has answered about each.

use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use super::decide::{self, Answer};
use crate::aws_error::{AwsError, EntryResults};
use crate::partner::Partner;
use crate::store::{Entry, Leased};
use crate::traces::{self, Attempt};

/// No further halves of a refused call are sent after this time: its lease must not run out.
const HALVING_MAX: Duration = Duration::from_secs(20);

/// A call, and what AWS answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) region: String,
    pub(super) leased: Leased,
    pub(super) put: Result<Vec<Answer>, AwsError>,
}

/// Makes a call.
pub(super) async fn make(partner: Partner, region: String, leased: Leased) -> Answered {
    let began = traces::attempt_begins();
    let put = put(&partner, &region, &leased.entries).await;
    if let Some(began) = began {
        trace(&region, &leased.entries, &put, began);
    }
    Answered { region, leased, put }
}

/// Notes what AWS has answered about each event of a call.
fn trace(region: &str, entries: &[Entry], put: &Result<Vec<Answer>, AwsError>, began: SystemTime) {
    let failed = put.as_ref().err().map(ToString::to_string);
    let answers = put.as_deref().unwrap_or_default();
    for (at, entry) in entries.iter().enumerate() {
        let error = failed.clone().or_else(|| answers.get(at).and_then(Answer::error));
        let attempt = Attempt {
            event_id: &entry.event_id,
            kind: &entry.detail_type,
            connection: entry.connection_id.as_str(),
            region,
            number: entry.attempts.saturating_add(1),
            of: entries.len(),
            error: error.as_deref(),
        };
        traces::attempted(&attempt, began);
    }
}

/// Sends a batch, in parts where AWS refuses it.
async fn put(partner: &Partner, region: &str, entries: &[Entry]) -> Result<Vec<Answer>, AwsError> {
    let begun = Instant::now();
    let mut halving = Halving::new(entries.len());
    while let Some(part) = halving.next() {
        let sent = entries.get(part.clone()).unwrap_or_default();
        halving.answered(part, partner.put(region, sent).await)?;
        if begun.elapsed() > HALVING_MAX {
            break;
        }
    }
    Ok(halving.answers)
}

/// A call that AWS refuses for what is in it is sent again in halves, until the guilty entry stands alone.
struct Halving {
    answers: Vec<Answer>,
    /// Parts that are to be sent, the last one first.
    parts: Vec<Range<usize>>,
}

impl Halving {
    fn new(entries: usize) -> Self {
        Self {
            answers: vec![Answer::Unanswered("AWS refuses other events of its call".to_owned()); entries],
            parts: std::iter::once(0..entries).collect(),
        }
    }

    /// The part that is to be sent now.
    fn next(&mut self) -> Option<Range<usize>> {
        self.parts.pop()
    }

    /// Takes AWS's answer about a part; the error of a call that failed before AWS answered about any event.
    fn answered(&mut self, part: Range<usize>, put: Result<EntryResults, AwsError>) -> Result<(), AwsError> {
        let is_whole = part.len() == self.answers.len();
        let answers = self.answers.get_mut(part.clone()).unwrap_or_default();
        match put.map_err(AwsError::of_the_call) {
            Ok(results) => {
                for (answer, result) in answers.iter_mut().zip(results) {
                    *answer = result.into();
                }
            }
            Err(Ok(refusal)) => {
                if let [answer] = answers {
                    *answer = Answer::RefusedAlone(refusal);
                } else {
                    let middle = part.start + part.len() / 2;
                    self.parts.extend([middle..part.end, part.start..middle]);
                }
            }
            Err(Err(error)) if is_whole => return Err(error),
            // Of a half, after others were answered: their answers count, and no further one is sent.
            Err(Err(error)) => {
                let failed = Answer::Failed(decide::of_a_call(error));
                for part in std::iter::once(part).chain(self.parts.drain(..)) {
                    self.answers
                        .get_mut(part)
                        .unwrap_or_default()
                        .fill(failed.clone());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers a letter a call about that many entries: `.` takes all, `x` refuses the call, `!` fails it. Returns the parts that were
    /// sent, and a letter an entry: `t`aken, refused `a`lone, `u`nanswered, `f`ailed; or `error`.
    #[track_caller]
    fn check(entries: usize, calls: &str, parts: &str, want: &str) {
        let (mut halving, mut sent) = (Halving::new(entries), vec![]);
        let mut ended = Ok(());
        for call in calls.chars() {
            let part = halving.next().unwrap();
            let put = match call {
                '.' => Ok(vec![Ok(()); part.len()]),
                'x' => Err(AwsError::Refused {
                    code: "ValidationException".into(),
                    message: "m".into(),
                }),
                _ => Err(AwsError::Retryable("later".into())),
            };
            sent.push(format!("{part:?}"));
            ended = halving.answered(part, put);
        }
        let letters = halving.answers.iter().map(|answer| match answer {
            Answer::Taken => 't',
            Answer::NotTaken(_) => 'n',
            Answer::RefusedAlone(_) => 'a',
            Answer::Unanswered(_) => 'u',
            Answer::Failed(_) => 'f',
        });
        let letters: String = letters.collect();
        let have = ended.map_or_else(|_| "error".to_owned(), |()| letters);
        assert_eq!((sent.join(" ").as_str(), have.as_str()), (parts, want), "{calls}");
        assert!(have.contains('u') || halving.next().is_none(), "{calls}");
    }

    #[test]
    fn a_refused_call_is_sent_in_halves_until_a_call_fails() {
        check(3, ".", "0..3", "ttt");
        check(1, "x", "0..1", "a");
        check(3, "xx.", "0..3 0..1 1..3", "att");
        check(4, "xx", "0..4 0..2", "uuuu");
        // One that fails ends it for the parts that are left, too: AWS does not refuse them.
        check(4, "x!", "0..4 0..2", "ffff");
        check(4, "xx.!", "0..4 0..2 0..1 1..2", "tfff");
        check(4, "x.!", "0..4 0..2 2..4", "ttff");
    }
}

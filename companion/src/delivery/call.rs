//! One call: events of any connections of a region, sent until AWS has answered about each.

use std::time::{Duration, Instant};

use super::decide::{self, Answer};
use crate::partner::{AwsError, Partner};
use crate::store::{Entry, Leased};

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
    let put = put(&partner, &region, &leased.entries).await;
    Answered { region, leased, put }
}

/// Sends a batch. A call that AWS refuses for what is in it is sent again in halves, until the guilty entry stands alone.
async fn put(partner: &Partner, region: &str, entries: &[Entry]) -> Result<Vec<Answer>, AwsError> {
    let begun = Instant::now();
    let unanswered = Answer::Unanswered("AWS refuses other events of its call".to_owned());
    let mut answers = vec![unanswered; entries.len()];
    let mut parts = vec![(0, entries.len())];
    while let Some((from, to)) = parts.pop() {
        let (Some(sent), Some(answers)) = (entries.get(from..to), answers.get_mut(from..to)) else {
            continue;
        };
        match partner.put(region, sent).await.map_err(AwsError::of_the_call) {
            Ok(results) => {
                for (answer, result) in answers.iter_mut().zip(results) {
                    *answer = result.into();
                }
            }
            Err(Ok(refusal)) => {
                if let [answer] = answers {
                    *answer = Answer::RefusedAlone(refusal);
                } else {
                    let middle = from + sent.len() / 2;
                    parts.extend([(middle, to), (from, middle)]);
                }
            }
            Err(Err(error)) if sent.len() == entries.len() => return Err(error),
            // Of a half, after others were answered: their answers count.
            Err(Err(error)) => {
                answers.fill(Answer::Unanswered(decide::of_a_call(error)));
                break;
            }
        }
        if begun.elapsed() > HALVING_MAX {
            break;
        }
    }
    Ok(answers)
}

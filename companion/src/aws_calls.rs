//! How calls to AWS end: the last ones of each region, from which the companion knows its own faults, and all of them as figures.
//!
//! Whoever calls AWS as the partner notes it here. What AWS says of a connection or of an event is no fault of the companion, and
//! counts as an answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// After this time without a call, a region that did not answer counts as one that is not called: every retry comes earlier.
const REGION_FORGOTTEN_AFTER: Duration = Duration::from_mins(10);
/// The same of a refusal of the caller: the longest wait between two tries is an hour.
const REFUSAL_FORGOTTEN_AFTER: Duration = Duration::from_mins(65);

/// A call that the partner makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    CreatePartnerEventSource,
    DeletePartnerEventSource,
    ListPartnerEventSourceAccounts,
    PutPartnerEvents,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Done,
    /// AWS refused what was in the call.
    Refused,
    /// AWS refused whoever called: the credentials, or what they permit.
    CallerRefused,
    /// There were no credentials to call with.
    NoCredentials,
    Throttled,
    /// AWS, or what is in front of it, failed.
    Failed,
    /// No answer came.
    Unanswered,
}

/// How a call ended, with AWS's code where it named one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) code: Option<String>,
}

/// A fault of the companion's own that the last calls show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallFault {
    pub(crate) region: String,
    pub(crate) operation: Operation,
    pub(crate) ended: Ended,
}

/// The calls of a process. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    last: Arc<Mutex<Last>>,
    ended: Family<Labels, Counter>,
    seconds: Family<OfOperation, Histogram>,
    entries: Histogram,
}

/// The last calls.
#[derive(Debug, Default)]
struct Last {
    of: BTreeMap<(String, Operation), (Instant, Ended)>,
    credentials: Credentials,
}

/// Whether there are credentials to call with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Not looked for yet.
    #[default]
    Unknown,
    Found,
    /// Nothing has any.
    Missing,
    /// What has them does not give them.
    Unusable,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    region: String,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    operation: &'static str,
}

impl Operation {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CreatePartnerEventSource => "CreatePartnerEventSource",
            Self::DeletePartnerEventSource => "DeletePartnerEventSource",
            Self::ListPartnerEventSourceAccounts => "ListPartnerEventSourceAccounts",
            Self::PutPartnerEvents => "PutPartnerEvents",
        }
    }

    /// All that there are: what a policy of the partner has to permit.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [
        Self::CreatePartnerEventSource,
        Self::DeletePartnerEventSource,
        Self::ListPartnerEventSourceAccounts,
        Self::PutPartnerEvents,
    ];
}

impl Outcome {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::CallerRefused => "caller-refused",
            Self::NoCredentials => "no-credentials",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
            Self::Unanswered => "unanswered",
        }
    }

    /// Whether it tells that the companion reaches AWS with credentials that AWS takes.
    const fn is_answer(self) -> bool {
        matches!(self, Self::Done | Self::Refused)
    }
}

impl Ended {
    /// Of a call that succeeded.
    pub(crate) const DONE: Self = Self {
        outcome: Outcome::Done,
        code: None,
    };

    /// Of a call that ended with this error.
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        if let SdkError::ServiceError(service) = error {
            return Self::answered(service.raw().status().as_u16(), service.err().code());
        }
        let causes = std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| {
            error.source()
        });
        let lacks_credentials = causes
            .into_iter()
            .any(<dyn std::error::Error>::is::<CredentialsError>);
        Self {
            outcome: if lacks_credentials {
                Outcome::NoCredentials
            } else {
                Outcome::Unanswered
            },
            code: None,
        }
    }

    /// Of a call that AWS answered with an error.
    fn answered(status: u16, code: Option<&str>) -> Self {
        let outcome = match code {
            _ if status == 429 => Outcome::Throttled,
            Some(code) if THROTTLED.contains(&code) => Outcome::Throttled,
            Some(code) if OF_THE_CALLER.contains(&code) || EXPIRED.contains(&code) => Outcome::CallerRefused,
            Some("InternalException" | "InternalFailure") | None => Outcome::Failed,
            _ if status >= 500 => Outcome::Failed,
            Some(_) => Outcome::Refused,
        };
        let code = code.map(|code| {
            code.chars()
                .filter(char::is_ascii_alphanumeric)
                .take(64)
                .collect()
        });
        Self { outcome, code }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            last: Arc::default(),
            ended: Family::default(),
            // From 5 ms to beyond the timeout of a call.
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.005, 2.0, 12))),
            entries: Histogram::new([1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0, 100.0]),
        }
    }
}

impl Calls {
    fn last(&self) -> MutexGuard<'_, Last> {
        // A map is never half changed, so a poisoned lock is safe to use.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call that has just ended, and how long it took.
    pub(crate) fn note(&self, region: &str, operation: Operation, ended: Ended, took: Duration) {
        let labels = Labels {
            region: region.to_owned(),
            operation: operation.as_str(),
            outcome: ended.outcome.as_str(),
        };
        self.ended.get_or_create(&labels).inc();
        let of = OfOperation {
            operation: operation.as_str(),
        };
        self.seconds.get_or_create(&of).observe(took.as_secs_f64());
        self.last().note(region, operation, ended, Instant::now());
    }

    /// Notes how many events one call had.
    #[expect(clippy::cast_precision_loss, reason = "some hundred at most")]
    pub(crate) fn note_entries(&self, entries: usize) {
        self.entries.observe(entries as f64);
    }

    /// Notes whether there are credentials; returns what was known of that before.
    pub(crate) fn note_credentials(&self, now: Credentials) -> Credentials {
        std::mem::replace(&mut self.last().credentials, now)
    }

    /// The faults of the companion's own that the last calls show, and whether there are credentials.
    pub(crate) fn standing(&self) -> (Credentials, Vec<CallFault>) {
        let last = self.last();
        (last.credentials, last.faults(Instant::now()))
    }

    /// Adds the figures.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "aws_calls",
            "Calls to AWS that have ended, by how: `done`, `refused` (what was in the call), `caller-refused` (the credentials, or what they permit), `no-credentials`, `throttled`, `failed` (AWS's side), `unanswered`",
            self.ended.clone(),
        );
        registry.register(
            "aws_call_duration_seconds",
            "How long a call to AWS took, to the end of its answer",
            self.seconds.clone(),
        );
        registry.register(
            "aws_call_entries",
            "How many events a call of PutPartnerEvents had",
            self.entries.clone(),
        );
    }
}

impl Last {
    fn note(&mut self, region: &str, operation: Operation, ended: Ended, now: Instant) {
        if ended.outcome != Outcome::NoCredentials && ended.outcome != Outcome::Unanswered {
            // It was signed.
            self.credentials = Credentials::Found;
        }
        self.of.insert((region.to_owned(), operation), (now, ended));
    }

    /// What the last calls show of the companion's own faults: of each region the newest call that reached nothing useful, unless a
    /// call succeeded after it; and each operation that AWS does not permit.
    fn faults(&self, now: Instant) -> Vec<CallFault> {
        let mut newest = BTreeMap::<&str, Instant>::new();
        for ((region, _), (at, _)) in &self.of {
            let newest = newest.entry(region).or_insert(*at);
            *newest = (*newest).max(*at);
        }
        let stands = |((region, _), (at, ended)): &(&(String, Operation), &(Instant, Ended))| {
            let age = now.saturating_duration_since(*at);
            match ended.outcome {
                outcome if outcome.is_answer() => false,
                Outcome::CallerRefused => age < REFUSAL_FORGOTTEN_AFTER,
                _ => age < REGION_FORGOTTEN_AFTER && newest.get(region.as_str()) == Some(at),
            }
        };
        let found = self.of.iter().filter(stands);
        found
            .map(|((region, operation), (_, ended))| CallFault {
                region: region.clone(),
                operation: *operation,
                ended: ended.clone(),
            })
            .collect()
    }
}

/// Codes of credentials that have expired, or of a clock that is wrong.
const EXPIRED: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "RequestExpired"];

/// Codes of an AWS that is busy.
const THROTTLED: [&str; 3] = ["Throttling", "ThrottlingException", "TooManyRequestsException"];

/// Codes about whoever calls: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html>, and those of older
/// protocols.
pub(crate) const OF_THE_CALLER: [&str; 13] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_classed_by_its_code_and_status() {
        for (status, code, want) in [
            (400, Some("ValidationException"), Outcome::Refused),
            (404, Some("ResourceNotFoundException"), Outcome::Refused),
            (403, Some("AccessDeniedException"), Outcome::CallerRefused),
            (403, Some("ExpiredTokenException"), Outcome::CallerRefused),
            (403, Some("RequestExpired"), Outcome::CallerRefused),
            (400, Some("UnrecognizedClientException"), Outcome::CallerRefused),
            (400, Some("ThrottlingException"), Outcome::Throttled),
            (429, Some("Odd"), Outcome::Throttled),
            (429, None, Outcome::Throttled),
            (400, Some("InternalFailure"), Outcome::Failed),
            (503, Some("Odd"), Outcome::Failed),
            (407, None, Outcome::Failed),
        ] {
            assert_eq!(Ended::answered(status, code).outcome, want, "{status} {code:?}");
        }
        let code = Ended::answered(400, Some("a b\n<c>")).code;
        assert_eq!(code.as_deref(), Some("abc"), "what is shown is a word");
    }

    /// The policy that a partner's credentials are given permits the calls that are made, and nothing else; the guide shows it.
    #[test]
    fn the_policy_of_the_partner_permits_what_is_called() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let policy = std::fs::read_to_string(format!("{root}/packaging/partner-policy.json")).unwrap();
        let guide = std::fs::read_to_string(format!("{root}/docs/guides/permissions.md")).unwrap();
        let shown = format!("<!-- policy: programs/partner -->\n```json\n{policy}```\n");
        assert!(
            guide.contains(&shown),
            "the guide of permissions has another policy"
        );
        let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        let mut actions: Vec<String> = statements
            .flat_map(|one| match &one["Action"] {
                serde_json::Value::Array(all) => all.clone(),
                one => vec![one.clone()],
            })
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        actions.sort_unstable();
        let called = Operation::ALL.map(|operation| format!("events:{}", operation.as_str()));
        assert_eq!(actions, called);
    }

    /// The faults after these calls, each a number of minutes after the first, seen so many minutes after it.
    #[track_caller]
    fn check(calls: &[(u64, &str, Operation, Outcome)], seen_after: u64, want: &[(&str, Outcome)]) {
        let begin = Instant::now();
        let after = |minutes| begin + Duration::from_mins(minutes);
        let mut last = Last::default();
        for (minutes, region, operation, outcome) in calls {
            let ended = Ended {
                outcome: *outcome,
                code: None,
            };
            last.note(region, *operation, ended, after(*minutes));
        }
        let faults = last.faults(after(seen_after));
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.region.as_str(), fault.ended.outcome))
            .collect();
        assert_eq!(found, want, "{calls:?}");
    }

    #[test]
    fn the_last_calls_of_a_region_tell_its_faults() {
        use Operation::{ListPartnerEventSourceAccounts as List, PutPartnerEvents as Put};
        use Outcome::{CallerRefused, Done, Refused, Throttled, Unanswered};
        check(&[], 0, &[]);
        check(&[(0, "a", Put, Unanswered)], 0, &[("a", Unanswered)]);
        check(&[(0, "a", Put, Refused), (0, "b", Put, Done)], 0, &[]);
        // A later call of the region that succeeds tells that it answers again.
        check(&[(0, "a", Put, Throttled), (1, "a", List, Done)], 1, &[]);
        check(
            &[(0, "a", List, Done), (1, "a", Put, Throttled)],
            1,
            &[("a", Throttled)],
        );
        // What is not permitted stays so, whatever else is.
        check(
            &[(0, "a", Put, CallerRefused), (1, "a", List, Done)],
            1,
            &[("a", CallerRefused)],
        );
        check(&[(0, "a", Put, CallerRefused), (1, "a", Put, Done)], 1, &[]);
        // Nothing calls it any more.
        check(&[(0, "a", Put, Unanswered)], 10, &[]);
        check(&[(0, "a", Put, CallerRefused)], 64, &[("a", CallerRefused)]);
        check(&[(0, "a", Put, CallerRefused)], 65, &[]);
    }
}

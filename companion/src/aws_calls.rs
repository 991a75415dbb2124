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

/// After this time without a call, an operation that was not answered counts as one that is not called: every retry comes earlier.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);
/// The same of a refusal of the caller: the longest wait between two tries is an hour.
const REFUSAL_FORGOTTEN_AFTER: Duration = Duration::from_mins(65);

/// A call that the partner makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    CreatePartnerEventSource,
    DeletePartnerEventSource,
    ListPartnerEventSourceAccounts,
    PutPartnerEvents,
    /// Of a Classic event bus of one's own.
    DescribeEventBus,
    PutEvents,
    /// Of a custom event bus.
    DescribeCustomEventBus,
    PutCustomEvents,
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
            Self::DescribeEventBus => "DescribeEventBus",
            Self::PutEvents => "PutEvents",
            Self::DescribeCustomEventBus => "eventsv2 DescribeEventBus",
            Self::PutCustomEvents => "eventsv2 PutEvents",
        }
    }

    /// Those of the partner: what its policy has to permit.
    #[cfg(test)]
    pub(crate) const OF_THE_PARTNER: [Self; 4] = [
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

    /// Of a call that AWS answered with success, and without what is to be in the answer.
    pub(crate) const INCOMPLETE: Self = Self {
        outcome: Outcome::Failed,
        code: None,
    };

    /// The same of a call with so many entries, for which AWS has to answer about each.
    pub(crate) fn of_answered<'a>(
        sent: usize,
        codes: impl ExactSizeIterator<Item = Option<&'a str>>,
    ) -> Self {
        if codes.len() == sent {
            Self::of_entries(codes)
        } else {
            Self::INCOMPLETE
        }
    }

    /// Of a call whose entries were answered one by one, with these codes, or none where one was taken. Where AWS took none and is to
    /// blame for each, the call came to nothing.
    pub(crate) fn of_entries<'a>(codes: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut whole = Self::DONE;
        for code in codes {
            match code.map(|code| (code, Meaning::of_code(code))) {
                Some((code, Some(Meaning::Busy))) => whole = Self::answered(400, Some(code)),
                Some((code, Some(Meaning::Failing))) if whole.outcome != Outcome::Throttled => {
                    whole = Self::answered(400, Some(code));
                }
                Some((_, Some(Meaning::Failing))) => {}
                _ => return Self::DONE,
            }
        }
        whole
    }

    /// Of a call that AWS answered with an error.
    fn answered(status: u16, code: Option<&str>) -> Self {
        let outcome = Meaning::of(status, code).map_or(Outcome::Refused, Meaning::outcome);
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
            "How many events a call that puts events had",
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

    /// What the last calls show of the companion's own faults: each operation in each region whose last call reached nothing useful.
    /// That another operation is answered says nothing of it.
    fn faults(&self, now: Instant) -> Vec<CallFault> {
        let stands = |(_, (at, ended)): &(&(String, Operation), &(Instant, Ended))| {
            let age = now.saturating_duration_since(*at);
            match ended.outcome {
                outcome if outcome.is_answer() => false,
                Outcome::CallerRefused => age < REFUSAL_FORGOTTEN_AFTER,
                _ => age < FORGOTTEN_AFTER,
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

/// What an error of AWS's means where it is not about what is in the call. Whether a call is made again, what is counted and what
/// `/readyz` says all come from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// AWS is busy.
    Busy,
    /// AWS, or what is in front of it, failed.
    Failing,
    /// AWS does not take the credentials, or what they permit.
    OfTheCaller,
    /// The same, where it may pass by itself: expired credentials, a wrong clock, an account that is not (yet) a partner's.
    OfTheCallerForNow,
}

impl Meaning {
    /// Of an answer, or of one entry of it; none where what is in the call was refused.
    pub(crate) fn of(status: u16, code: Option<&str>) -> Option<Self> {
        let of_code = code.and_then(|code| CODES.iter().find(|(_, codes)| codes.contains(&code)));
        match (status, of_code) {
            (429, _) => Some(Self::Busy),
            (_, Some((meaning, _))) => Some(*meaning),
            (500.., _) => Some(Self::Failing),
            // A proxy in front of AWS answered.
            _ if code.is_none() => Some(Self::Failing),
            _ => None,
        }
    }

    /// Of a code alone.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        Self::of(400, Some(code))
    }

    const fn outcome(self) -> Outcome {
        match self {
            Self::Busy => Outcome::Throttled,
            Self::Failing => Outcome::Failed,
            Self::OfTheCaller | Self::OfTheCallerForNow => Outcome::CallerRefused,
        }
    }
}

/// Codes that are not about what is in the call: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html>, those
/// of EventBridge's operations, and those of older protocols.
const CODES: [(Meaning, &[&str]); 4] = [
    (
        Meaning::Busy,
        &["Throttling", "ThrottlingException", "TooManyRequestsException"],
    ),
    (
        Meaning::Failing,
        &[
            "ConcurrentModificationException",
            "InternalException",
            "InternalFailure",
            "RequestTimeout",
            "RequestTimeoutException",
        ],
    ),
    (
        Meaning::OfTheCallerForNow,
        &[
            "ExpiredToken",
            "ExpiredTokenException",
            "OperationDisabledException",
            "RequestExpired",
        ],
    ),
    (
        Meaning::OfTheCaller,
        &[
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
        ],
    ),
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
            (400, Some("OperationDisabledException"), Outcome::CallerRefused),
            (400, Some("ConcurrentModificationException"), Outcome::Failed),
            (400, Some("RequestTimeout"), Outcome::Failed),
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
        let called = Operation::OF_THE_PARTNER.map(|operation| format!("events:{}", operation.as_str()));
        assert_eq!(actions, called);
    }

    #[test]
    fn entries_of_which_aws_took_none_are_a_call_that_failed() {
        for (codes, want) in [
            (&[][..], Outcome::Done),
            (&[None, None], Outcome::Done),
            (&[None, Some("InternalFailure")], Outcome::Done),
            (
                &[Some("InvalidArgument"), Some("ThrottlingException")],
                Outcome::Done,
            ),
            (
                &[Some("InternalFailure"), Some("InternalException")],
                Outcome::Failed,
            ),
            (
                &[Some("ThrottlingException"), Some("InternalFailure")],
                Outcome::Throttled,
            ),
            (
                &[Some("InternalFailure"), Some("ThrottlingException")],
                Outcome::Throttled,
            ),
        ] {
            let ended = Ended::of_entries(codes.iter().copied());
            assert_eq!(ended.outcome, want, "{codes:?}");
        }
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
        // Only an answer to the operation itself tells that it is answered again.
        check(
            &[(0, "a", Put, Throttled), (1, "a", List, Done)],
            1,
            &[("a", Throttled)],
        );
        check(&[(0, "a", Put, Throttled), (1, "a", Put, Refused)], 1, &[]);
        check(&[(0, "a", Put, Throttled), (1, "a", List, Done)], 10, &[]);
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

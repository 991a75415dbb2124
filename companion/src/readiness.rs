//! Whether the companion can do its work, and what keeps it from that: its credentials, AWS, its disk, its clock, a stop.
//!
//! Only its own faults are here. What is wrong with a connection is in that connection's status, and changes nothing here; none of
//! these changes a connection's status.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::aws_calls::{CallFault, Credentials, Outcome};
use crate::clock::{Clock, Trust};
use crate::error_chain;
use crate::partner::Partner;
use crate::store::{Store, WriteFault};

/// How long after the last write it is tried whether the store takes writes; also the wait between two looks.
const ROUND: Duration = Duration::from_secs(10);

/// What is seen of the companion's own parts.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) is_stopping: bool,
    pub(crate) is_readable: bool,
    pub(crate) write_fault: Option<WriteFault>,
    pub(crate) credentials: Credentials,
    pub(crate) calls: Vec<CallFault>,
    pub(crate) trust: Trust,
}

/// A fault of the companion's own. It repeats nothing that AWS said: whoever reads it has shown no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What it is called, for programs.
    pub(crate) name: &'static str,
    pub(crate) region: Option<String>,
    pub(crate) what: String,
    pub(crate) next: String,
}

/// What to do where there are no credentials.
pub(crate) const SET_CREDENTIALS: &str = "Give it those of the partner's AWS account, or with `--put-events-to` of one that may put events there, as AWS's own tools are given them: `AWS_ACCESS_KEY_ID` and \
     `AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, or a role of the machine or container. Under systemd, variables are in \
     `/etc/scalr-eventbridge.env` (mode 0600); restart it after that. With a local AWS in place of AWS itself, give `--aws-endpoint URL`.";

/// What is seen now.
pub(crate) async fn look(store: &Store, partner: &Partner, clock: &Clock, stop: &CancellationToken) -> Seen {
    let read = store.next_step_ms().await;
    if let Err(error) = &read {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the database cannot be read"
        );
    }
    let (credentials, calls) = partner.calls().standing();
    Seen {
        is_stopping: stop.is_cancelled(),
        is_readable: read.is_ok(),
        write_fault: store.commits().fault(),
        credentials,
        calls,
        trust: clock.trust(),
    }
}

/// The companion's own faults: what keeps it from more comes first.
pub(crate) fn faults(seen: &Seen) -> Vec<Fault> {
    let fault = |name, what: &str, next: &str| Fault {
        name,
        region: None,
        what: what.to_owned(),
        next: next.to_owned(),
    };
    let mut found = Vec::new();
    if seen.is_stopping {
        found.push(fault(
            "stopping",
            "The companion is being stopped.",
            "It ends once requests and deliveries under way are finished; start it again.",
        ));
    }
    if !seen.is_readable {
        found.push(fault(
            "store-unreadable",
            "The database cannot be read, so every call is refused.",
            "The companion's log says why.",
        ));
    }
    found.extend(seen.write_fault.map(of_a_write));
    found.extend(of_credentials(seen.credentials));
    let is_told = !matches!(seen.credentials, Credentials::Unknown | Credentials::Found);
    found.extend(
        seen.calls
            .iter()
            // Where there are no credentials, that is the same in each region.
            .filter(|call| !(is_told && call.ended.outcome == Outcome::NoCredentials))
            .filter_map(of_a_call),
    );
    if let Trust::Moved { by_ms } = seen.trust {
        found.push(fault(
            "clock-moved",
            &format!(
                "The machine's clock has moved by {} seconds while the companion ran, so no event is dropped for its age.",
                by_ms / 1000
            ),
            "Set the clock right. Where it is right now, say so with an operator's token: POST /_companion/clock/confirm.",
        ));
    }
    found
}

fn of_a_write(fault: WriteFault) -> Fault {
    let (name, why, next) = match fault {
        WriteFault::Full => (
            "store-full",
            "the disk has no room",
            "Make room on the disk of the data directory; then it is written again.",
        ),
        WriteFault::Locked => (
            "store-locked",
            "another process has it open and keeps it locked",
            "End what has `companion.sqlite` open, such as a copy or a shell of sqlite3; then it is written again.",
        ),
        WriteFault::Unreachable => (
            "store-unreachable",
            "the server of its database does not answer",
            "It is tried again by itself. Where it lasts, see whether PostgreSQL runs, and the network in between.",
        ),
        WriteFault::ServerFull => (
            "store-server-full",
            "the disk of its server has no room",
            "Make room on the disk of PostgreSQL; then it is written again.",
        ),
        WriteFault::ReadOnly => (
            "store-read-only",
            "its server takes no writes: it may have become a standby",
            "Make the primary answer at the address of `--database-url`; then it is written again.",
        ),
        WriteFault::Refused => (
            "store-refused",
            "its server refuses the service's login: its password may have been changed",
            "Restart the service with the new password (`PGPASSWORD`, or the file of `PGPASSFILE`), which is read at the start.",
        ),
        WriteFault::Taken => (
            "store-taken",
            "another process has taken it",
            "Stop this process. The companion's log names the other one.",
        ),
        WriteFault::Other => (
            "store-not-written",
            "the last write failed",
            "The companion's log says why.",
        ),
    };
    Fault {
        name,
        region: None,
        what: format!(
            "The database cannot be written: {why}. No event is accepted, and none is lost: a call that was not stored was refused."
        ),
        next: next.to_owned(),
    }
}

fn of_credentials(credentials: Credentials) -> Option<Fault> {
    const HELD: &str = "Events are accepted and held; none is sent.";
    let (name, what) = match credentials {
        Credentials::Unknown | Credentials::Found => return None,
        Credentials::Missing => ("no-aws-credentials", "There are no AWS credentials."),
        Credentials::Unusable => (
            "aws-credentials-unusable",
            "The source of the AWS credentials fails; the companion's log says why.",
        ),
    };
    Some(Fault {
        name,
        region: None,
        what: format!("{what} {HELD}"),
        next: SET_CREDENTIALS.to_owned(),
    })
}

fn of_a_call(call: &CallFault) -> Option<Fault> {
    let (operation, region) = (call.operation.as_str(), &call.region);
    let code = call.ended.code.as_deref().unwrap_or("no code");
    let (name, what, next) = match call.ended.outcome {
        Outcome::Done | Outcome::Refused => return None,
        Outcome::NoCredentials => (
            "no-aws-credentials",
            "there were no AWS credentials to call with".to_owned(),
            SET_CREDENTIALS,
        ),
        Outcome::CallerRefused => (
            "aws-refuses-the-companion",
            format!("AWS refuses the companion's own credentials, or what they permit ({code})"),
            "See whether they have expired, and whether their policy permits the call: `scalr-eventbridge doctor --data-dir DIR` tries it. \
             The guide of `serve` has the policy.",
        ),
        Outcome::Throttled => (
            "aws-throttles",
            format!("AWS throttles the companion ({code})"),
            "It is tried again by itself. Where it lasts, ask AWS for a higher quota.",
        ),
        Outcome::Failed => (
            "aws-fails",
            format!("AWS, or a proxy in front of it, fails ({code})"),
            "It is tried again by itself. Where it lasts, see the state of AWS in the region, and a proxy that is set.",
        ),
        Outcome::Unanswered => (
            "aws-unreachable",
            "AWS did not answer".to_owned(),
            "It is tried again by itself. Where it lasts, see the network, names (DNS), and `HTTPS_PROXY` or `--aws-endpoint` where one is set.",
        ),
    };
    Some(Fault {
        name,
        region: Some(region.clone()),
        what: format!("In {region}, {what}: the last call of {operation} failed. Events are held there."),
        next: next.to_owned(),
    })
}

/// Notices what no request and no delivery would: credentials that are missing, and a store that takes no writes. Until stopped.
pub(crate) async fn watch(store: Store, partner: Partner, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = round(&store, &partner) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

async fn round(store: &Store, partner: &Partner) {
    if partner.calls().standing().0 != Credentials::Found {
        look_for_credentials(partner).await;
    }
    let last = store.commits().last_at();
    if last.is_none_or(|at| at.elapsed() >= ROUND)
        && let Err(error) = store.try_write().await
    {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the database cannot be written; it is tried again"
        );
    }
}

/// Looks whether there are credentials, and logs that there are none, or that there are some again.
async fn look_for_credentials(partner: &Partner) {
    let (before, found) = partner.look_for_credentials().await;
    let now = partner.calls().standing().0;
    match found {
        Err(error) if before != now => {
            let why = error_chain::with_causes(&error);
            let why = why.lines().next().unwrap_or_default();
            tracing::warn!(
                why,
                "no AWS credentials, so no event can be sent; events are accepted and held. {SET_CREDENTIALS}"
            );
        }
        Ok(()) if before != Credentials::Unknown => tracing::info!("there are AWS credentials now"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::aws_calls::{Ended, Operation};

    fn well() -> Seen {
        Seen {
            is_stopping: false,
            is_readable: true,
            write_fault: None,
            credentials: Credentials::Found,
            calls: Vec::new(),
            trust: Trust::Confirmed,
        }
    }

    fn call(region: &str, outcome: Outcome, code: Option<&str>) -> CallFault {
        CallFault {
            region: region.to_owned(),
            operation: Operation::PutPartnerEvents,
            ended: Ended {
                outcome,
                code: code.map(str::to_owned),
            },
        }
    }

    /// The names of the faults with their regions.
    #[track_caller]
    fn check(seen: &Seen, want: &[(&str, Option<&str>)]) {
        let found = faults(seen);
        let names: Vec<_> = found
            .iter()
            .map(|fault| (fault.name, fault.region.as_deref()))
            .collect();
        assert_eq!(names, want, "{seen:?}");
        for fault in found {
            assert!(
                fault.what.ends_with('.') && fault.next.ends_with('.'),
                "{fault:?}"
            );
        }
    }

    #[test]
    fn each_fault_of_the_companion_is_named() {
        check(&well(), &[]);
        let started = Trust::Started { left_ms: 1 };
        check(
            &Seen {
                trust: started,
                credentials: Credentials::Unknown,
                ..well()
            },
            &[],
        );
        let all = Seen {
            is_stopping: true,
            is_readable: false,
            write_fault: Some(WriteFault::Full),
            trust: Trust::Moved { by_ms: 90_000 },
            ..well()
        };
        let names = ["stopping", "store-unreadable", "store-full", "clock-moved"];
        check(&all, &names.map(|name| (name, None)));
        for (fault, name) in [
            (WriteFault::Locked, "store-locked"),
            (WriteFault::Unreachable, "store-unreachable"),
            (WriteFault::ServerFull, "store-server-full"),
            (WriteFault::ReadOnly, "store-read-only"),
            (WriteFault::Refused, "store-refused"),
            (WriteFault::Taken, "store-taken"),
            (WriteFault::Other, "store-not-written"),
        ] {
            let write_fault = Some(fault);
            check(
                &Seen {
                    write_fault,
                    ..well()
                },
                &[(name, None)],
            );
        }
    }

    #[test]
    fn missing_credentials_are_named_once_and_faults_of_regions_in_each() {
        let calls = vec![
            call("eu-west-1", Outcome::NoCredentials, None),
            call("us-east-1", Outcome::NoCredentials, None),
        ];
        let credentials = Credentials::Missing;
        check(
            &Seen {
                credentials,
                calls: calls.clone(),
                ..well()
            },
            &[("no-aws-credentials", None)],
        );
        let credentials = Credentials::Unusable;
        check(
            &Seen {
                credentials,
                calls,
                ..well()
            },
            &[("aws-credentials-unusable", None)],
        );
        let calls = [
            ("a", Outcome::CallerRefused, "aws-refuses-the-companion"),
            ("b", Outcome::Throttled, "aws-throttles"),
            ("c", Outcome::Failed, "aws-fails"),
            ("d", Outcome::Unanswered, "aws-unreachable"),
            ("e", Outcome::NoCredentials, "no-aws-credentials"),
        ];
        let seen = Seen {
            calls: calls
                .map(|(region, outcome, _)| call(region, outcome, None))
                .to_vec(),
            ..well()
        };
        check(&seen, &calls.map(|(region, _, name)| (name, Some(region))));
        let expired = call("a", Outcome::CallerRefused, Some("ExpiredTokenException"));
        let what = &faults(&Seen {
            calls: vec![expired],
            ..well()
        })[0]
            .what;
        assert_eq!(
            what,
            "In a, AWS refuses the companion's own credentials, or what they permit (ExpiredTokenException): the last call of \
             PutPartnerEvents failed. Events are held there."
        );
    }

    /// A row for each fault, with the words that an operator reads.
    fn table() -> String {
        let mut found = faults(&Seen {
            is_stopping: true,
            is_readable: false,
            trust: Trust::Moved { by_ms: 90_000 },
            calls: [
                Outcome::CallerRefused,
                Outcome::Throttled,
                Outcome::Failed,
                Outcome::Unanswered,
            ]
            .map(|outcome| call("us-east-1", outcome, Some("CODE")))
            .to_vec(),
            ..well()
        });
        for write_fault in [
            WriteFault::Full,
            WriteFault::Locked,
            WriteFault::Unreachable,
            WriteFault::ServerFull,
            WriteFault::ReadOnly,
            WriteFault::Refused,
            WriteFault::Taken,
            WriteFault::Other,
        ] {
            found.push(of_a_write(write_fault));
        }
        found.extend(
            [Credentials::Missing, Credentials::Unusable]
                .into_iter()
                .filter_map(of_credentials),
        );
        let mut table = "| fault | what | next |\n|---|---|---|\n".to_owned();
        for fault in found {
            writeln!(table, "| `{}` | {} | {} |", fault.name, fault.what, fault.next).unwrap();
        }
        table
    }

    #[test]
    fn the_guide_has_the_table_of_faults() {
        crate::testing::table_in_guide("operations.md", "<!-- faults of the companion -->", &table());
    }
}

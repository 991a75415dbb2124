//! The next step after a failure, where its kind tells one.

use std::{fmt, io};

use scalr_api::{ClientError, Refusal};

use super::exit::Failure;
use super::out;
use crate::aws_error::AwsError;
use crate::{error_chain, secrets};

/// Prints a failure, and what to do about it.
pub(super) fn complain(error: &anyhow::Error) {
    out::complain(&secrets::redact(&format!("error: {}", words(error))));
    if let Some(step) = next_step(error) {
        out::hint(&secrets::redact(&step.to_string()));
    }
}

/// A failure in words, with its causes: once each, where an error repeats its cause.
pub(super) fn words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let part = cause.to_string();
        if !text.contains(&part) {
            let separator = if text.is_empty() { "" } else { ": " };
            text.extend([separator, &part]);
        }
        // It names its innermost cause itself.
        if cause.is::<ClientError>() {
            break;
        }
    }
    text
}

/// What to do.
pub(super) struct Step {
    pub(super) text: String,
    /// Whether `doctor` may tell more.
    asks_doctor: bool,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.asks_doctor {
            let separator = if self.text.ends_with('?') { "" } else { ";" };
            write!(f, "{separator} `scalr-eventbridge doctor` checks the settings")?;
        }
        Ok(())
    }
}

impl Step {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            asks_doctor: false,
        }
    }

    fn of_settings(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            asks_doctor: true,
        }
    }
}

/// What to do about a failure.
pub(super) fn next_step(error: &anyhow::Error) -> Option<Step> {
    if let Some(Failure::WithNext { next, .. } | Failure::FoundWrong { next, .. }) = error.downcast_ref() {
        return Some(Step::new(next.as_str()));
    }
    if let Some(error) = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<ClientError>())
    {
        return scalr(error);
    }
    if let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<AwsError>()) {
        return aws(error);
    }
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::AddrInUse)
        .then(|| {
            Step::new(
                "another program listens there: end it, or give another port; port 0 takes any free one",
            )
        })
}

fn scalr(error: &ClientError) -> Option<Step> {
    if let ClientError::NotSent { host, source, .. } = error {
        return Some(not_sent(host, &error_chain::with_causes(source)));
    }
    let text = match error {
        ClientError::Refused(refusal) => match refusal.status {
            401 => "the token is not this host's, or has expired: set `SCALR_TOKEN`; for a companion it is the one that `dev` printed"
                .to_owned(),
            403 | 409 if is_from_a_companion(refusal) => return None,
            403 => "the token's user may not do this: grant the permission in Scalr, or use another token".to_owned(),
            429 => "wait a minute, then try again".to_owned(),
            // Scalr's API always says what is wrong.
            400..=499 if refusal.errors.is_empty() => not_the_api(&refusal.host),
            404 => "it is gone, or the token may not see it: `scalr-eventbridge connections list` and `runs list` show what there is"
                .to_owned(),
            409 | 422 => "change what the answer names, then try again; `scalr-eventbridge status` shows what there is".to_owned(),
            _ if error.may_be_done() => MAY_BE_DONE.to_owned(),
            500..=599 => "try again in a minute: the fault is on the server's side".to_owned(),
            _ => return None,
        },
        ClientError::NotTheApi { host, .. } => not_the_api(host),
        error if error.may_be_done() => MAY_BE_DONE.to_owned(),
        _ => return None,
    };
    Some(Step::new(text))
}

/// Whether a refusal is a companion's, which says what to do: Scalr has no such codes.
fn is_from_a_companion(refusal: &Refusal) -> bool {
    let codes = refusal.errors.iter().filter_map(|error| error.code.as_deref());
    codes
        .into_iter()
        .any(|code| matches!(code, "forbidden" | "no-simulated-runs"))
}

/// After a call that changes something, and has no answer that says whether it did.
const MAY_BE_DONE: &str =
    "whether it was done is not known: look with `scalr-eventbridge status` before you try again";

fn not_the_api(host: &str) -> String {
    format!(
        "is `{host}` Scalr (`SCALR_HOSTNAME`), and neither the local AWS nor a proxy that answers in its place?"
    )
}

/// Where no connection was made, for this reason.
fn not_sent(host: &str, why: &str) -> Step {
    if let Some(name) = host.strip_prefix("https://").filter(|_| is_no_tls(why)) {
        return Step::new(format!(
            "what answers at `{name}` speaks no TLS: if it is a companion, set `SCALR_HOSTNAME=http://{name}`, as `scalr-eventbridge dev` \
             prints it"
        ));
    }
    if why.contains("ertificate") {
        return Step::new(format!(
            "is `{host}` the right address (`SCALR_HOSTNAME`)? If so, have its certificate trusted: set `AWS_CA_BUNDLE` to the file of its \
             authority (`dev --tls` prints it)"
        ));
    }
    Step::of_settings(format!(
        "is `{host}` the right address (`SCALR_HOSTNAME`), and does it run? `scalr-eventbridge dev` starts a companion"
    ))
}

/// Whether what came in place of TLS's first message was something else.
fn is_no_tls(why: &str) -> bool {
    why.contains("InvalidContentType")
}

fn aws(error: &AwsError) -> Option<Step> {
    match error {
        AwsError::Refused { message, .. } if message.contains(NO_REGION) => Some(Step::of_settings(
            "is the region's name right (`AWS_REGION`, `--region`)?",
        )),
        AwsError::Refused { code, .. } => refused(code).map(Step::new),
        AwsError::Retryable(why) => {
            let no_name = why.contains("dns error") || why.contains("failed to lookup");
            let no_server = why.contains("tcp connect error") || why.contains("onnection refused");
            if no_name {
                Some(Step::of_settings(
                    "is the region's name right (`AWS_REGION`, `--region`), and is the network there?",
                ))
            } else if is_no_tls(why) {
                Some(Step::new(
                    "what answers there speaks no TLS: write the address of a local AWS with `http://` (`AWS_ENDPOINT_URL`, `--aws-endpoint`)",
                ))
            } else if why.contains("without an error code") {
                Some(Step::of_settings(
                    "is it AWS's address (`AWS_ENDPOINT_URL`, `--aws-endpoint`), and not Scalr's?",
                ))
            } else if no_server {
                Some(Step::of_settings(
                    "is the address right (`AWS_ENDPOINT_URL`, `--aws-endpoint`), and does it run?",
                ))
            } else {
                None
            }
        }
    }
}

/// What AWS says of a signature for a region that it does not have.
const NO_REGION: &str = "should be scoped to a valid region";

fn refused(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDeniedException" | "AccessDenied" => {
            "the credentials lack a permission: `scalr-eventbridge doctor` lists those that can be tried"
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "AuthFailure" => {
            "AWS does not know these credentials there: is the region enabled in the account, and are the keys current?"
        }
        "ExpiredToken" | "ExpiredTokenException" => "sign in again, such as with `aws sso login`",
        "SignatureDoesNotMatch" => {
            "is `AWS_SECRET_ACCESS_KEY` right, and the clock (`scalr-eventbridge doctor`)?"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_tls_is_proposed_with_its_scheme() {
        for (host, why, part) in [
            (
                "https://127.0.0.1:1",
                "received corrupt message of type InvalidContentType",
                "SCALR_HOSTNAME=http://127.0.0.1:1`",
            ),
            ("http://127.0.0.1:1", "InvalidContentType", "the right address"),
            (
                "https://acme.scalr.io",
                "invalid peer certificate: UnknownIssuer",
                "AWS_CA_BUNDLE",
            ),
            ("https://acme.scalr.io", "Connection refused", "does it run?"),
        ] {
            let step = not_sent(host, why).to_string();
            assert!(step.contains(part), "{host}: {step}");
        }
    }

    #[test]
    fn a_port_that_is_taken_has_a_next_step() {
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        let step = next_step(&anyhow::Error::from(taken).context("cannot listen")).unwrap();
        assert!(step.to_string().contains("port 0 takes any free one"), "{step}");
        let other = io::Error::from(io::ErrorKind::NotFound);
        assert!(next_step(&other.into()).is_none());
    }

    #[test]
    fn a_cause_is_named_once() {
        let error = anyhow::anyhow!("refused")
            .context("no server: refused")
            .context("reading");
        assert_eq!(words(&error), "reading: no server: refused");
    }

    #[test]
    fn failures_have_a_next_step() {
        let refused = |code: &str| AwsError::Refused {
            code: code.to_owned(),
            message: "no".to_owned(),
        };
        let retryable = |why: &str| AwsError::Retryable(why.to_owned());
        for (error, part) in [
            (refused("AccessDeniedException"), Some("doctor")),
            (refused("ExpiredTokenException"), Some("aws sso login")),
            (refused("ResourceNotFoundException"), None),
            (
                AwsError::Refused {
                    code: "SignatureDoesNotMatch".to_owned(),
                    message: "Credential should be scoped to a valid region, not 'mars'.".to_owned(),
                },
                Some("AWS_REGION"),
            ),
            (retryable("The call failed: dns error: x"), Some("AWS_REGION")),
            (
                retryable("The call failed: tcp connect error"),
                Some("AWS_ENDPOINT_URL"),
            ),
            (
                retryable("x: received corrupt message of type InvalidContentType"),
                Some("with `http://`"),
            ),
            (
                retryable("AWS answers 401 without an error code"),
                Some("and not Scalr's"),
            ),
            (retryable("AWS answers 503"), None),
        ] {
            let shown = error.to_string();
            let step = next_step(&anyhow::Error::new(error).context("reading")).map(|step| step.to_string());
            match (&step, part) {
                (Some(step), Some(part)) => assert!(step.contains(part), "{shown}: {step}"),
                (step, part) => assert_eq!(step.is_some(), part.is_some(), "{shown}"),
            }
        }
    }
}

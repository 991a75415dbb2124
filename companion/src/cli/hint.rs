//! The next step after a failure, where its kind tells one.

use scalr_api::ClientError;

use crate::partner::AwsError;

/// What to do about a failure.
pub(super) fn next_step(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<ClientError>())
    {
        return scalr(error);
    }
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<AwsError>())
        .and_then(aws)
}

fn scalr(error: &ClientError) -> Option<String> {
    Some(match error {
        ClientError::Refused(refusal) => match refusal.status {
            401 => "the token is not this host's, or has expired: set `SCALR_TOKEN`; for a companion it is the one that `dev` printed"
                .to_owned(),
            403 => "the token's user may not do this: grant the permission in Scalr, or use another token".to_owned(),
            429 => "wait a minute, then try again".to_owned(),
            _ => return None,
        },
        ClientError::NotSent { host, .. } => format!(
            "is `{host}` the right address (`SCALR_HOSTNAME`), and does it run? `scalr-eventbridge dev` starts a companion; \
             `scalr-eventbridge doctor` checks the settings"
        ),
        ClientError::NotTheApi { host, .. } => {
            format!("is `{host}` Scalr (`SCALR_HOSTNAME`), with no proxy that answers in its place?")
        }
        error if error.may_be_done() => {
            "whether it was done is not known: look with `scalr-eventbridge status` before you try again".to_owned()
        }
        _ => return None,
    })
}

fn aws(error: &AwsError) -> Option<String> {
    match error {
        AwsError::Refused { code, .. } => refused(code),
        AwsError::Retryable(why) => {
            let no_name = why.contains("dns error") || why.contains("failed to lookup");
            let no_server = why.contains("tcp connect error") || why.contains("onnection refused");
            if no_name {
                Some(
                    "is the region's name right (`AWS_REGION`, `--region`), and is the network there?"
                        .to_owned(),
                )
            } else if no_server {
                Some(
                    "is the address right (`AWS_ENDPOINT_URL`, `--aws-endpoint`), and does it run? `scalr-eventbridge doctor` \
                     checks the settings"
                        .to_owned(),
                )
            } else {
                None
            }
        }
    }
}

fn refused(code: &str) -> Option<String> {
    let step = match code {
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
    };
    Some(step.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (retryable("The call failed: dns error: x"), Some("AWS_REGION")),
            (
                retryable("The call failed: tcp connect error"),
                Some("AWS_ENDPOINT_URL"),
            ),
            (retryable("AWS answers 503"), None),
        ] {
            let shown = error.to_string();
            let step = next_step(&anyhow::Error::new(error).context("reading"));
            match (&step, part) {
                (Some(step), Some(part)) => assert!(step.contains(part), "{shown}: {step}"),
                (step, part) => assert_eq!(step.is_some(), part.is_some(), "{shown}"),
            }
        }
    }
}

//! A call of Scalr's API that failed.

use std::fmt::{self, Display};

use scalr_api::{ClientError, ErrorObject, Refusal};
use tfplugin::{Diagnostic, Diagnostics, Path};

use crate::failure::{self, Cause, Effect, Standing};
use crate::trust;

/// JSON pointers into a request's body, and the attribute behind each.
pub type Attributes = &'static [(&'static str, fn() -> Path)];

/// A call that failed. As text it is what happened, without a full stop.
#[derive(Debug)]
pub struct Error {
    source: ClientError,
    token_origin: String,
    attributes: Attributes,
}

impl Error {
    /// From what the client returns.
    pub fn new(source: ClientError, token_origin: &str) -> Self {
        Self {
            source,
            token_origin: token_origin.to_owned(),
            attributes: &[],
        }
    }

    /// Which attribute is behind which JSON pointer of the request's body.
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = attributes;
        self
    }

    /// The attribute that one of the server's errors is about.
    fn attribute(&self, error: &ErrorObject) -> Option<Path> {
        let pointer = error.pointer()?;
        self.attributes
            .iter()
            .find(|(known, _)| covers(known, pointer))
            .map(|(_, attribute)| attribute())
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl Cause for Error {
    const CALLED: &'static str = "Scalr";

    fn what(&self, doing: &str) -> String {
        match &self.source {
            ClientError::Refused(refusal) if refusal.status == 401 => {
                "Scalr does not accept the token".to_owned()
            }
            ClientError::Refused(refusal) if refusal.status < 500 && !refusal.errors.is_empty() => {
                format!("Scalr refused to {doing}")
            }
            _ => format!("Cannot {doing}"),
        }
    }

    fn effect(&self) -> Effect {
        if self.source.may_be_done() {
            Effect::Unknown
        } else {
            Effect::Refused
        }
    }

    fn next(&self) -> Option<String> {
        next(&self.source, &self.token_origin)
    }

    /// One diagnostic for each attribute that the server blames, or one for the whole.
    fn during_with(&self, doing: impl Display, standing: &Standing) -> Diagnostics {
        let blamed = self.source.refusal().map_or(&[][..], |refusal| &refusal.errors);
        let attributes: Vec<_> = blamed
            .iter()
            .filter_map(|error| Some((self.attribute(error)?, error)))
            .collect();
        if attributes.is_empty() {
            return failure::diagnostic(self, doing, standing).into();
        }
        let what = self.what(&doing.to_string());
        let on_attribute = |(attribute, error): (Path, &ErrorObject)| {
            Diagnostic::error(&what)
                .quoting(error.message().unwrap_or("Scalr gave no reason."))
                .standing(standing.after(Effect::Refused))
                .at(attribute)
        };
        attributes.into_iter().map(on_attribute).collect()
    }
}

/// What to do next.
fn next(error: &ClientError, token_origin: &str) -> Option<String> {
    Some(match error {
        ClientError::Refused(refusal) => return after_refusal(refusal, token_origin),
        ClientError::Unsure(last) => return next(last, token_origin),
        ClientError::NotSent { host, .. } if trust::is_distrust(&error.to_string()) => format!(
            "The certificate of `{host}` is not one that this machine trusts. {}",
            trust::HINT
        ),
        ClientError::NotSent { host, .. } | ClientError::NoAnswer { host, .. }
            if error.to_string().contains("InvalidContentType") =>
        {
            let plain = host.replacen("https://", "http://", 1);
            format!("What answers there speaks no TLS. Does it speak plain HTTP? Then write `{plain}` (`hostname`, `SCALR_HOSTNAME`).")
        }
        ClientError::NotSent { host, .. } | ClientError::NoAnswer { host, .. } => {
            format!("Is `{host}` the right host (`hostname`, `SCALR_HOSTNAME`), and is it reachable from here?")
        }
        ClientError::NotTheApi { host, .. } | ClientError::Incomplete { host, .. } => {
            format!("Is `{host}` really Scalr (`hostname`, `SCALR_HOSTNAME`), with no proxy that answers in its place?")
        }
        ClientError::Tls(_) => {
            "Are root certificates installed on this machine? `SSL_CERT_FILE` or `AWS_CA_BUNDLE` may name a file that holds them."
                .to_owned()
        }
        _ => return None,
    })
}

fn after_refusal(refusal: &Refusal, token_origin: &str) -> Option<String> {
    let host = &refusal.host;
    Some(match refusal.status {
        401 => format!(
            "The token came from {token_origin}. Is it one for `{host}`, whole, and neither expired nor revoked? A new one \
             is made in Scalr under the user's or the service account's access tokens."
        ),
        403 => format!(
            "The token, which came from {token_origin}, belongs to someone who may not do this in Scalr."
        ),
        429 => match refusal.retry_after {
            Some(wait) => format!(
                "Scalr asks for a pause of {} s. Apply again after that.",
                wait.as_secs()
            ),
            None => {
                "Scalr still limits the rate of calls, after retries with growing delays. Apply again later."
                    .to_owned()
            }
        },
        400..500 if refusal.errors.is_empty() => format!(
            "The answer is not in the form of Scalr's API. Is `{host}` the right host (`hostname`, `SCALR_HOSTNAME`)?"
        ),
        500.. => "The fault is on Scalr's side. Apply again later.".to_owned(),
        _ => return None,
    })
}

/// Whether a pointer is the known one, or into it.
fn covers(known: &str, pointer: &str) -> bool {
    pointer
        .strip_prefix(known)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfplugin::Attrs;

    use crate::failure::UNCHANGED;
    use crate::tests::snapshot;

    /// What the tests' errors are about.
    #[derive(Attrs)]
    struct Thing {
        /// Its name.
        #[tf(required)]
        name: String,
        /// Its connection.
        #[tf(required)]
        connection_id: String,
    }

    const ATTRIBUTES: Attributes = &[
        ("/data/attributes/name", || Thing::name().into()),
        ("/data/relationships/integration", || {
            Thing::connection_id().into()
        }),
    ];

    fn refused(status: u16, errors: Vec<ErrorObject>) -> Error {
        let (request, host) = ("POST /things".to_owned(), "https://acme.scalr.io".to_owned());
        let refusal = Refusal {
            request,
            host,
            status,
            errors,
            retry_after: None,
        };
        Error::new(refusal.into(), "`SCALR_TOKEN`").attributes(ATTRIBUTES)
    }

    /// Which attributes are blamed.
    #[track_caller]
    fn check(pointers: &[&str], blamed: &[&str]) {
        let error = |pointer: &&str| ErrorObject::new(422, "Invalid", "No").at(*pointer);
        let diagnostics = refused(422, pointers.iter().map(error).collect()).during("create the thing");
        let found: Vec<_> = diagnostics.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(found, blamed, "{pointers:?}");
    }

    #[test]
    fn a_pointer_becomes_an_attribute() {
        check(
            &["/data/attributes/name", "/data/relationships/integration/data/id"],
            &["name", "connection_id"],
        );
        check(&["/data/attributes/names"], &[""]);
        check(&[], &[""]);
    }

    #[test]
    fn every_failure_has_its_message() {
        let not_the_api = || ClientError::NotTheApi {
            request: "GET /things".to_owned(),
            host: "https://acme.scalr.io".to_owned(),
            reason: "HTML".to_owned(),
        };
        let incomplete = || ClientError::Incomplete {
            request: "PATCH /things".to_owned(),
            host: "https://acme.scalr.io".to_owned(),
            reason: "missing field `data`".to_owned(),
        };
        let throttled = |wait| {
            let mut error = refused(429, vec![ErrorObject::new(429, "Too many", "")]);
            if let ClientError::Refused(refusal) = &mut error.source {
                refusal.retry_after = wait;
            }
            error
        };
        let failed = |source| Error::new(source, "`SCALR_TOKEN`");
        let stopped = || ClientError::Stopped {
            request: "GET /things".to_owned(),
        };
        let standing = Standing::of::<Error>();
        let errors = [
            (
                refused(401, vec![ErrorObject::new(401, "Unauthorized", "")]),
                &standing,
            ),
            (
                refused(403, vec![ErrorObject::new(403, "Forbidden", "")]),
                &standing,
            ),
            (refused(404, Vec::new()), &standing),
            (
                refused(
                    422,
                    vec![ErrorObject::new(422, "Invalid", "").at("/data/attributes/name")],
                ),
                &standing,
            ),
            (throttled(None), &standing),
            (throttled(Some(std::time::Duration::from_secs(7))), &standing),
            (refused(502, Vec::new()), &standing),
            (
                refused(502, Vec::new()),
                &Standing::new(UNCHANGED, "It may be there."),
            ),
            (refused(502, Vec::new()), &Standing::same("It is there.")),
            (failed(not_the_api()), &standing),
            (failed(ClientError::Unsure(Box::new(not_the_api()))), &standing),
            (failed(incomplete()), &standing),
            (failed(stopped()), &standing),
        ];
        let texts: Vec<_> = errors
            .iter()
            .map(|(error, standing)| error.during_with("create the thing", standing))
            .collect();
        snapshot::check("scalr_errors.txt", texts.iter().flatten().map(snapshot::rendered));
    }
}

//! What went wrong at Scalr's API, told to the user: what failed, on which attribute, how things stand, what to do.

use scalr_api::{ClientError, ErrorObject, Refusal};
use tfplugin::{Diagnostic, Diagnostics};

const NOTHING: &str = "The call changed nothing.";

/// A call that failed, and what it was for.
#[derive(Debug)]
pub struct ScalrError {
    doing: String,
    source: ClientError,
    token_origin: String,
    attributes: &'static [(&'static str, &'static str)],
    standing: Option<String>,
    if_done: &'static str,
}

impl ScalrError {
    /// A failure while `doing`, as in "create the connection `prod`".
    pub fn new(doing: impl Into<String>, source: ClientError, token_origin: &str) -> Self {
        let (doing, token_origin) = (doing.into(), token_origin.to_owned());
        Self {
            doing,
            source,
            token_origin,
            attributes: &[],
            standing: None,
            if_done: "Whether Scalr carried the call out is not known; the next plan shows it.",
        }
    }

    /// Which attribute stands behind which JSON pointer of the request's body.
    pub fn attributes(mut self, attributes: &'static [(&'static str, &'static str)]) -> Self {
        self.attributes = attributes;
        self
    }

    /// What state things are in, where "nothing was changed" would not be true or not be all.
    pub fn standing(mut self, text: impl Into<String>) -> Self {
        self.standing = Some(text.into());
        self
    }

    /// What state things are in where Scalr may have carried the call out, and the next plan would not show it.
    pub fn if_done(mut self, text: &'static str) -> Self {
        self.if_done = text;
        self
    }

    fn summary(&self) -> String {
        let doing = &self.doing;
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

    fn detail(&self) -> String {
        let mut paragraphs = vec![sentence(&self.source.to_string())];
        let standing = self.standing.as_deref();
        let unknown = if self.source.may_be_done() {
            self.if_done
        } else {
            NOTHING
        };
        paragraphs.push(standing.unwrap_or(unknown).to_owned());
        paragraphs.extend(next(&self.source, &self.token_origin));
        paragraphs.join("\n\n")
    }

    /// The attribute that one of the server's errors is about.
    fn attribute(&self, error: &ErrorObject) -> Option<&'static str> {
        let pointer = error.pointer()?;
        self.attributes
            .iter()
            .find(|(known, _)| covers(known, pointer))
            .map(|(_, attribute)| *attribute)
    }

    /// One diagnostic for each attribute that the server blames, or one for the whole.
    fn diagnostics(&self) -> Diagnostics {
        let blamed = self.source.refusal().map_or(&[][..], |refusal| &refusal.errors);
        let attributes: Vec<_> = blamed
            .iter()
            .filter_map(|error| Some((self.attribute(error)?, error)))
            .collect();
        if attributes.is_empty() {
            return Diagnostic::error(self.summary()).detail(self.detail()).into();
        }
        let on_attribute = |(attribute, error): (&'static str, &ErrorObject)| {
            let said = sentence(error.message().unwrap_or("Scalr gave no reason."));
            let rest = self.standing.as_deref().unwrap_or(NOTHING);
            Diagnostic::error(self.summary())
                .detail(format!("{said}\n\n{rest}"))
                .at(attribute)
        };
        attributes.into_iter().map(on_attribute).collect()
    }
}

impl From<ScalrError> for Diagnostics {
    fn from(error: ScalrError) -> Self {
        error.diagnostics()
    }
}

/// What to do next.
fn next(error: &ClientError, token_origin: &str) -> Option<String> {
    Some(match error {
        ClientError::Refused(refusal) => return after_refusal(refusal, token_origin),
        ClientError::Unsure(last) => return next(last, token_origin),
        ClientError::NotSent { host, .. } if error.to_string().contains("certificate") => format!(
            "The certificate of `{host}` is not one that this machine trusts. If an authority of your own signed it, \
             `SSL_CERT_FILE` may name a file that holds that authority's certificate."
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
        ClientError::NotTheApi { host, .. } => {
            format!("Is `{host}` really Scalr (`hostname`, `SCALR_HOSTNAME`), with no proxy that answers in its place?")
        }
        ClientError::Tls(_) => {
            "Are root certificates installed on this machine? `SSL_CERT_FILE` may name a file that holds them.".to_owned()
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
        403 => format!("The token, which came from {token_origin}, belongs to someone who may not do this in Scalr."),
        429 => match refusal.retry_after {
            Some(wait) => format!("Scalr asks to be left alone for {} s. Apply again after that.", wait.as_secs()),
            None => "Scalr takes no more calls at present, though they were made slower and slower. Apply again later.".to_owned(),
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

/// The text as a sentence: messages from outside end with a full stop or don't.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTRIBUTES: &[(&str, &str)] = &[
        ("/data/attributes/name", "name"),
        ("/data/relationships/integration", "connection_id"),
    ];

    fn refused(status: u16, errors: Vec<ErrorObject>) -> ScalrError {
        let (request, host) = ("POST /things".to_owned(), "https://acme.scalr.io".to_owned());
        let refusal = Refusal {
            request,
            host,
            status,
            errors,
            retry_after: None,
        };
        ScalrError::new("create the thing", refusal.into(), "`SCALR_TOKEN`").attributes(ATTRIBUTES)
    }

    #[track_caller]
    fn check(error: ScalrError, expected: &[&str]) {
        let found: Vec<_> = Diagnostics::from(error).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_pointer_becomes_an_attribute() {
        let errors = vec![
            ErrorObject::new(422, "Invalid", "Name is taken").at("/data/attributes/name"),
            ErrorObject::new(422, "Invalid", "No such connection.")
                .at("/data/relationships/integration/data/id"),
        ];
        check(
            refused(422, errors),
            &[
                "error: Scalr refused to create the thing (at name): Name is taken.\n\nThe call changed nothing.",
                "error: Scalr refused to create the thing (at connection_id): No such connection.\n\nThe call changed nothing.",
            ],
        );
    }

    #[test]
    fn an_unknown_pointer_leaves_the_whole_message() {
        let errors = vec![ErrorObject::new(422, "Invalid", "Bad.").at("/data/attributes/names")];
        check(
            refused(422, errors),
            &[
                "error: Scalr refused to create the thing: POST /things: https://acme.scalr.io answered 422: Bad.\n\n\
               The call changed nothing.",
            ],
        );
    }

    #[test]
    fn a_refused_token_names_where_it_came_from() {
        check(
            refused(401, vec![ErrorObject::new(401, "Unauthorized", "")]),
            &[
                "error: Scalr does not accept the token: POST /things: https://acme.scalr.io answered 401: Unauthorized.\n\n\
               The call changed nothing.\n\nThe token came from `SCALR_TOKEN`. Is it one for `https://acme.scalr.io`, \
               whole, and neither expired nor revoked? A new one is made in Scalr under the user's or the service \
               account's access tokens.",
            ],
        );
    }

    #[test]
    fn an_answer_that_may_have_been_carried_out_says_so() {
        check(
            refused(502, Vec::new()),
            &[
                "error: Cannot create the thing: POST /things: https://acme.scalr.io answered 502.\n\nWhether Scalr carried \
               the call out is not known; the next plan shows it.\n\nThe fault is on Scalr's side. Apply again later.",
            ],
        );
    }

    #[test]
    fn every_failure_is_told_as_committed() {
        let not_the_api = || ClientError::NotTheApi {
            request: "GET /things".to_owned(),
            host: "https://acme.scalr.io".to_owned(),
            reason: "HTML".to_owned(),
        };
        let throttled = |wait| {
            let mut error = refused(429, vec![ErrorObject::new(429, "Too many", "")]);
            if let ClientError::Refused(refusal) = &mut error.source {
                refusal.retry_after = wait;
            }
            error
        };
        let failed = |source| ScalrError::new("create the thing", source, "`SCALR_TOKEN`");
        let stopped = || ClientError::Stopped {
            request: "GET /things".to_owned(),
        };
        let errors = [
            refused(401, vec![ErrorObject::new(401, "Unauthorized", "")]),
            refused(403, vec![ErrorObject::new(403, "Forbidden", "")]),
            refused(404, Vec::new()),
            refused(
                422,
                vec![ErrorObject::new(422, "Invalid", "").at("/data/attributes/name")],
            ),
            throttled(None),
            throttled(Some(std::time::Duration::from_secs(7))),
            refused(502, Vec::new()),
            refused(502, Vec::new()).if_done("It may be there."),
            refused(502, Vec::new()).standing("It is there."),
            failed(not_the_api()),
            failed(ClientError::Unsure(Box::new(not_the_api()))),
            failed(stopped()),
        ];
        let texts: Vec<_> = errors.into_iter().map(Diagnostics::from).collect();
        crate::tests::snapshot::check(
            "scalr_errors.txt",
            texts.iter().flatten().map(crate::tests::snapshot::rendered),
        );
    }
}

//! Which authorities' certificates are trusted beside the system's: those that `AWS_CA_BUNDLE` names, by both sides' clients.
//! `SSL_CERT_FILE` and `SSL_CERT_DIR`, which replace the system's, are read by the TLS library itself.

use std::path::Path;

use scalr_api::ExtraRoots;
use scalr_api::credentials::Environment;
use tfplugin::{Diagnostic, Result};

use crate::variables;

/// What to do about a certificate that is not trusted.
pub const HINT: &str = "If an authority of your own signed it, such as that of a proxy which inspects TLS, `AWS_CA_BUNDLE` or \
                        `SSL_CERT_FILE` may name a file (PEM) that holds that authority's certificate.";

/// The certificates that `AWS_CA_BUNDLE` names.
pub fn extra_roots(environment: &Environment<'_>) -> Result<Option<ExtraRoots>> {
    let Some(path) = environment
        .variables
        .get(variables::AWS_CA_BUNDLE)
        .filter(|path| !path.is_empty())
    else {
        return Ok(None);
    };
    let unusable = |why: String| {
        Diagnostic::error("The certificates that `AWS_CA_BUNDLE` names cannot be used")
            .because(format!("the file `{path}` {why}"))
            .standing("Nothing was changed.")
            .next(
                "Set the variable to a file of certificates (PEM), or unset it. The system's certificates, or those that \
                 `SSL_CERT_FILE` names, are trusted in either case.",
            )
    };
    let pem = (environment.read)(Path::new(path)).map_err(|e| unusable(format!("cannot be read: {e}")))?;
    match ExtraRoots::from_pem(pem) {
        Ok(roots) => Ok(Some(roots)),
        Err(e) => Err(unusable(e.to_string()).into()),
    }
}

/// Whether a failure is that a certificate is not trusted.
pub fn is_distrust(failure: &str) -> bool {
    failure.contains("certificate")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::tests::snapshot;
    use crate::tests::tls::Server;

    /// What comes of `AWS_CA_BUNDLE`, with one file there is.
    fn roots_of(path: &str, text: &str) -> Result<Option<ExtraRoots>> {
        let variables = BTreeMap::from([("AWS_CA_BUNDLE".to_owned(), path.to_owned())]);
        let read = |asked: &Path| {
            let found = (asked == Path::new("/x/ca.pem")).then(|| text.to_owned());
            found.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
        };
        extra_roots(&Environment {
            variables: &variables,
            read: &read,
        })
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_refused_by_name() {
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let refused = [
            roots_of("/x/missing.pem", ""),
            roots_of("/x/ca.pem", "no PEM"),
            roots_of("/x/ca.pem", no_certificate),
        ];
        let texts = refused.iter().map(|refused| {
            let refused = refused.as_ref().expect_err("no certificates");
            refused.iter().map(snapshot::rendered).collect::<String>()
        });
        snapshot::check("trust.txt", texts);
        assert!(roots_of("", "").unwrap().is_none());
    }

    #[tokio::test]
    async fn scalr_is_trusted_by_a_certificate_of_the_bundle() {
        let server = Server::start().await;
        for (trusted, failure) in [(false, "certificate"), (true, "400")] {
            let roots = roots_of("/x/ca.pem", &server.authority).unwrap();
            let token = scalr_api::Token::new("s3cret").unwrap();
            let settings = scalr_api::Settings {
                extra_roots: roots.filter(|_| trusted),
                retry: scalr_api::Retry {
                    delay_ms_first: 0,
                    ..scalr_api::Retry::default()
                },
                ..scalr_api::Settings::new(server.url().parse().unwrap(), token, "test")
            };
            let refused = scalr_api::Client::new(settings)
                .connections(None)
                .await
                .unwrap_err();
            assert!(refused.to_string().contains(failure), "{refused}");
        }
    }
}

//! What answers at an address that is set as AWS's. It is asked once and first: AWS's SDK says the same at length, and for each region.

use std::io;
use std::time::Duration;

use scalr_api::{DISCOVERY_KEY, DISCOVERY_PATH};
use serde_json::Value;

use super::exit::Failure;
use super::remote;

/// How long an answer may take. What takes longer is left to AWS's SDK, which waits longer and tries again.
const WITHIN: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What answers at an address.
enum Answering {
    /// Nothing, for this reason.
    Nothing(String),
    /// Scalr's API.
    Scalr,
    /// What may be AWS.
    Other,
}

/// Fails where nothing answers, or Scalr does.
pub(super) async fn as_aws(url: &str) -> anyhow::Result<()> {
    match at(url).await? {
        Answering::Nothing(why) => Err(nothing(url, &why)),
        Answering::Scalr => Err(scalr(url)),
        Answering::Other => Ok(()),
    }
}

/// Fails where Scalr answers.
pub(super) async fn not_scalr(url: &str) -> anyhow::Result<()> {
    match at(url).await? {
        Answering::Scalr => Err(scalr(url)),
        Answering::Nothing(_) | Answering::Other => Ok(()),
    }
}

/// That nothing answers, and what to do.
pub(super) fn nothing(url: &str, why: &str) -> anyhow::Error {
    Failure::WithNext {
        what: format!("nothing answers at `{url}` (`AWS_ENDPOINT_URL` or `--aws-endpoint`): {why}"),
        next: "`scalr-eventbridge dev` starts a local AWS and prints its address: set `AWS_ENDPOINT_URL` to that. For AWS itself, unset it"
            .to_owned(),
    }
    .into()
}

fn scalr(url: &str) -> anyhow::Error {
    Failure::setting(format!(
        "AWS's address `{url}` (`AWS_ENDPOINT_URL` or `--aws-endpoint`) is that of Scalr's API: set it as `scalr-eventbridge dev` prints \
         `AWS_ENDPOINT_URL`; for AWS itself, unset it"
    ))
}

/// Asks for what tells Terraform where Scalr's API is. It takes no token, and AWS has no such thing.
async fn at(url: &str) -> anyhow::Result<Answering> {
    let mut http = reqwest::Client::builder()
        .timeout(WITHIN)
        // As AWS's SDK, which takes none either.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    if let Some(roots) = remote::own_extra_roots()? {
        http = http.tls_certs_merge(reqwest::Certificate::from_pem_bundle(roots.pem().as_bytes())?);
    }
    let discovery = reqwest::Url::parse(url)?.join(DISCOVERY_PATH)?;
    let mut answer = match http.build()?.get(discovery).send().await {
        Ok(answer) => answer,
        Err(error) => return Ok(without_answer(&error).map_or(Answering::Other, Answering::Nothing)),
    };
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Ok(Answering::Other);
        }
        body.extend_from_slice(&chunk);
    }
    let read: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(if read.get(DISCOVERY_KEY).is_some() {
        Answering::Scalr
    } else {
        Answering::Other
    })
}

/// Why no connection was made, where that says that nothing is there: not where something is, and does not answer as it should.
pub(super) fn without_answer(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> =
        Some(error).filter(|error| error.is_connect()).map(|e| e as _);
    while let Some(error) = cause {
        if error.to_string().starts_with("dns error") {
            return Some("its name is not known".to_owned());
        }
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(
            kind,
            Some(
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::TimedOut
            )
        ) {
            return Some(error.to_string());
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;

    use super::*;

    async fn serve(app: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    #[tokio::test]
    async fn nothing_and_scalr_are_told_from_what_may_be_aws() {
        let discovery = format!(r#"{{"{DISCOVERY_KEY}": "/api/iacp/v3/"}}"#);
        let long = "x".repeat(ANSWER_BYTES_MAX + 1);
        let of = |body: String| Router::new().route(DISCOVERY_PATH, get(|| async move { body }));
        for (url, want) in [
            (serve(of(discovery)).await, Some("is that of Scalr's API")),
            (serve(of("{}".to_owned())).await, None),
            (serve(of(long)).await, None),
            (serve(Router::new()).await, None),
            (
                "http://127.0.0.1:1".to_owned(),
                Some("nothing answers at `http://127.0.0.1:1`"),
            ),
            ("http://nowhere.invalid".to_owned(), Some("its name is not known")),
        ] {
            let refused = as_aws(&url).await.err().map(|error| error.to_string());
            match (&refused, want) {
                (None, None) => {}
                (Some(said), Some(part)) => assert!(said.contains(part), "{url}: {said}"),
                _ => panic!("{url}: {refused:?}, not {want:?}"),
            }
        }
    }
}

//! One HTTP call: sent, answered, retried.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::error::{ClientError, Refusal};
use super::pace::{Answered, Paced};
use super::retry::{Failure, retry_after};
use super::settings::Settings;
use super::token::Token;
use crate::bounded::cut;
use crate::{BASE_PATH, ErrorDocument, ErrorObject, MEDIA_TYPE};

/// The largest answer that is read.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Errors of one refusal that are kept.
const ERRORS_MAX: usize = 20;
/// Longest reason that is given why an answer cannot be used: it may repeat the answer.
const REASON_CHARS_MAX: usize = 300;
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Calls at a time: with a high parallelism all would come at once.
const CALLS_AT_A_TIME: usize = 20;

/// Sends calls.
#[derive(Debug)]
pub(super) struct Exchange {
    settings: Settings,
    http: OnceLock<reqwest::Client>,
    pace: Paced,
    calls: Semaphore,
}

/// A call.
#[derive(Debug)]
pub(super) struct Request {
    method: Method,
    /// What the path is under.
    base: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    is_retried: bool,
}

/// The body of a successful answer.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Vec<u8>,
    host: String,
    /// What no error may repeat.
    token: Token,
}

impl Request {
    pub(super) fn get(path: String, query: Vec<(&'static str, String)>) -> Self {
        Self {
            method: Method::GET,
            base: BASE_PATH,
            path,
            query,
            body: None,
            is_retried: true,
        }
    }

    pub(super) fn delete(path: String) -> Self {
        Self {
            method: Method::DELETE,
            base: BASE_PATH,
            path,
            query: Vec::new(),
            body: None,
            is_retried: true,
        }
    }

    pub(super) fn post(path: String, body: &impl Serialize) -> Result<Self, ClientError> {
        Self::with_body(Method::POST, path, body)
    }

    pub(super) fn patch(path: String, body: &impl Serialize) -> Result<Self, ClientError> {
        Self::with_body(Method::PATCH, path, body)
    }

    fn with_body(method: Method, path: String, body: &impl Serialize) -> Result<Self, ClientError> {
        let body = serde_json::to_vec(body).map_err(ClientError::Unwritable)?;
        Ok(Self {
            method,
            base: BASE_PATH,
            path,
            query: Vec::new(),
            body: Some(body),
            is_retried: true,
        })
    }

    /// The same call, its path under the host's root.
    pub(super) fn at_the_root(self) -> Self {
        Self { base: "/", ..self }
    }

    /// The same call, never retried.
    pub(super) fn without_retry(self) -> Self {
        Self {
            is_retried: false,
            ..self
        }
    }

    /// Whether it is idempotent: our PATCHes set values and add nothing.
    fn is_idempotent(&self) -> bool {
        self.method != Method::POST
    }

    fn describe(&self) -> String {
        format!("{} /{}", self.method, self.path)
    }
}

impl Body {
    /// The body as JSON. One that lacks what it must have leaves unknown what became of the call; one that is anything
    /// else is another server's.
    pub(super) fn read<T: DeserializeOwned>(self, request: &Request) -> Result<T, ClientError> {
        let error = match serde_json::from_slice(&self.bytes) {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        let (request, host) = (request.describe(), self.host);
        let reason = cut(self.token.redact(&error.to_string()), REASON_CHARS_MAX);
        if error.is_eof() || lacks_data(&self.bytes) || reason.starts_with("missing field") {
            Err(ClientError::Incomplete {
                request,
                host,
                reason,
            })
        } else {
            Err(ClientError::NotTheApi {
                request,
                host,
                reason,
            })
        }
    }
}

/// Whether this is JSON without the data that every answer of the API has.
fn lacks_data(bytes: &[u8]) -> bool {
    let value = serde_json::from_slice::<Value>(bytes);
    value.is_ok_and(|value| value.get("data").is_none_or(Value::is_null))
}

impl Exchange {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            http: OnceLock::new(),
            pace: Paced::default(),
            calls: Semaphore::new(CALLS_AT_A_TIME),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a call, with retries where they are safe, until an answer is final. `read` makes of its body what it has to
    /// be: one that lacks what it must have counts as an answer that never came.
    pub(super) async fn send<T>(
        &self,
        request: &Request,
        stop: &CancellationToken,
        read: impl Fn(Body) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let http = self.http()?;
        if request.method != Method::GET {
            self.settings.written.store(true, Ordering::SeqCst);
        }
        // An earlier attempt may have been carried out, so that no later failure means that nothing changed.
        let mut unsure = false;
        let mut turn = tokio::select! {
            biased;
            turn = self.turn() => turn,
            () = stop.cancelled() => return Err(ClientError::Stopped { request: request.describe() }),
        };
        for calls in 1.. {
            let answer = if request.is_idempotent() {
                tokio::select! {
                    answer = self.attempt(http, request) => answer,
                    () = stop.cancelled() => Err(ClientError::Stopped { request: request.describe() }),
                }
            } else {
                self.attempt(http, request).await
            };
            drop(turn);
            let answer = answer.and_then(&read);
            self.pace.heard(self.heard(&answer));
            let error = match answer {
                Ok(read) => return Ok(read),
                Err(error) => error,
            };
            let retry = &self.settings.retry;
            let why = failure(&error).filter(|_| request.is_retried);
            let delay = why.and_then(|why| retry.delay(why, request.is_idempotent(), calls, random()));
            let Some(delay) = delay else {
                return Err(after(unsure, error));
            };
            debug!(delay_ms = delay.as_millis(), calls, "{error}; retrying");
            unsure |= error.may_be_done();
            let next = async {
                tokio::time::sleep(delay).await;
                self.turn().await
            };
            turn = tokio::select! {
                next = next => next,
                () = stop.cancelled() => return Err(after(unsure, error)),
            };
        }
        Err(ClientError::Stopped {
            request: request.describe(),
        })
    }

    /// Waits until a call may leave.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.calls.acquire().await.ok();
        self.pace.leave().await;
        permit
    }

    /// What an answer says of the calls to come. A wait that is not obeyed holds nothing up.
    fn heard<T>(&self, answer: &Result<T, ClientError>) -> Answered {
        let wait_max = Duration::from_millis(self.settings.retry.retry_after_ms_max.into());
        match answer {
            Err(ClientError::Refused(refusal)) if refusal.status == 429 => {
                Answered::Throttled(refusal.retry_after.filter(|wait| *wait <= wait_max))
            }
            _ => Answered::Other,
        }
    }

    async fn attempt(&self, http: &reqwest::Client, request: &Request) -> Result<Body, ClientError> {
        let mut url = self
            .settings
            .host
            .url(&format!("{}{}", request.base, request.path));
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = http
            .request(request.method.clone(), url)
            .header(AUTHORIZATION, self.settings.token.header())
            .header(ACCEPT, MEDIA_TYPE);
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, MEDIA_TYPE).body(body.clone());
        }
        let response = builder
            .send()
            .await
            .map_err(|source| self.transport(request, source))?;
        debug!(status = response.status().as_u16(), "{}", request.describe());
        self.answer(request, response).await
    }

    async fn answer(&self, request: &Request, mut response: Response) -> Result<Body, ClientError> {
        let status = response.status();
        let host = self.settings.host.to_string();
        if status.is_redirection() {
            let target = response
                .headers()
                .get(LOCATION)
                .and_then(|to| to.to_str().ok())
                .unwrap_or("nowhere");
            let target = cut(self.settings.token.redact(target), REASON_CHARS_MAX);
            let reason = format!("a redirect ({}) to `{}`", status.as_u16(), target.escape_debug());
            return Err(ClientError::NotTheApi {
                request: request.describe(),
                host,
                reason,
            });
        }
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry_after = wait.and_then(|text| retry_after(text, SystemTime::now()));
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|source| self.transport(request, source))?
        {
            if bytes.len() + chunk.len() > BODY_BYTES_MAX {
                let reason = format!("a body of more than {BODY_BYTES_MAX} bytes");
                return Err(ClientError::NotTheApi {
                    request: request.describe(),
                    host,
                    reason,
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            let token = self.settings.token.clone();
            return Ok(Body { bytes, host, token });
        }
        let mut refusal = refusal(request, host, status, &bytes, retry_after);
        for text in refusal.errors.iter_mut().flat_map(ErrorObject::texts) {
            *text = self.settings.token.redact(text);
        }
        Err(refusal.into())
    }

    fn transport(&self, request: &Request, source: reqwest::Error) -> ClientError {
        let (request, host, source) = (
            request.describe(),
            self.settings.host.to_string(),
            source.without_url(),
        );
        if source.is_connect() {
            ClientError::NotSent {
                request,
                host,
                source,
            }
        } else {
            ClientError::NoAnswer {
                request,
                host,
                source,
            }
        }
    }

    /// The HTTP client, built on the first call: that reads the system's root certificates.
    fn http(&self) -> Result<&reqwest::Client, ClientError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let host = &self.settings.host;
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.settings.user_agent)
            .timeout(self.settings.timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect would turn a PATCH into a GET, or send the token to another host.
            .redirect(reqwest::redirect::Policy::none());
        if host.is_loopback() {
            builder = builder.no_proxy();
        }
        if !host.is_https() {
            // No certificate is checked, so a machine without root certificates must not fail here.
            builder = builder.tls_certs_only([]);
        } else if let Some(roots) = &self.settings.extra_roots {
            builder = builder.tls_certs_merge(roots.certificates());
        }
        let made = builder.build().map_err(ClientError::Tls)?;
        Ok(self.http.get_or_init(|| made))
    }
}

fn refusal(
    request: &Request,
    host: String,
    status: StatusCode,
    bytes: &[u8],
    retry_after: Option<Duration>,
) -> Refusal {
    let mut errors = serde_json::from_slice(bytes)
        .map(|document: ErrorDocument| document.errors)
        .unwrap_or_default();
    errors.truncate(ERRORS_MAX);
    Refusal {
        request: request.describe(),
        host,
        status: status.as_u16(),
        errors,
        retry_after,
    }
}

/// The last error; unsure where an earlier attempt was not answered, unless the last answer is final.
fn after(unsure: bool, error: ClientError) -> ClientError {
    let passing = failure(&error).is_some_and(|why| !matches!(why, Failure::Status(400..=428, _)));
    if unsure && passing && !error.may_be_done() {
        ClientError::Unsure(Box::new(error))
    } else {
        error
    }
}

fn failure(error: &ClientError) -> Option<Failure> {
    match error {
        ClientError::Refused(refusal) => Some(Failure::Status(refusal.status, refusal.retry_after)),
        ClientError::NotSent { .. } => Some(Failure::NotSent),
        ClientError::NoAnswer { .. } | ClientError::Incomplete { .. } => Some(Failure::NoAnswer),
        _ => None,
    }
}

/// A random number in 0..1; the hasher's randomness is enough for jitter.
fn random() -> f64 {
    use std::hash::BuildHasher;
    let bits = std::collections::hash_map::RandomState::new().hash_one(SystemTime::now());
    let top = u32::try_from(bits >> 32).unwrap_or_default();
    f64::from(top) / f64::from(u32::MAX)
}

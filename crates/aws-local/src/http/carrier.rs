//! Does what the core asks for: sends requests over HTTP, to loopback and to the hosts that the operator named and to no others, and
//! evaluates expressions.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use tokio::sync::{Semaphore, oneshot};

use crate::delivery::http::{HttpResult, Job, OAuth, encode};
use crate::delivery::job::Evaluation;
use crate::delivery::recipe::Recipe;
use crate::engine::{Engine, Jobs, Queue};
use crate::jsonata;
use crate::secret::Secret;
use crate::state::custom_bus::Rendered;

/// How long an API destination has to answer, as with AWS.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const AT_ONCE_MAX: usize = 64;
/// An evaluation may hold 128 MiB.
const EVALUATIONS_AT_ONCE_MAX: usize = 4;
/// The time after a thread could not be started.
const THREAD_RETRY: Duration = Duration::from_millis(100);
const TOKEN_BYTES_MAX: usize = 64 * 1024;
/// The lifetime of a token without `expires_in`.
const TOKEN_LASTS: Duration = Duration::from_mins(1);
/// The longest that a token is cached.
const TOKEN_LASTS_MAX: Duration = Duration::from_hours(24);

/// The HTTP client of deliveries, and its cache of tokens.
#[derive(Debug)]
pub(crate) struct Carrier {
    client: OnceLock<Client>,
    allowed: Vec<String>,
    /// The URLs that the operator gave for targets.
    named: Vec<String>,
    tokens: Mutex<HashMap<OAuth, (Secret<String>, Instant)>>,
}

impl Carrier {
    pub(crate) fn new(allowed: Vec<String>, named: Vec<String>) -> Self {
        Self {
            client: OnceLock::new(),
            allowed,
            named,
            tokens: Mutex::default(),
        }
    }

    /// Created at the first request: loading the machine's root certificates takes longer than the rest of the start.
    fn client(&self) -> Result<&Client, HttpResult> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(ANSWER_WITHIN)
            .no_proxy()
            .build();
        let client = client.map_err(|error| refused(&format!("no HTTP client can be made: {error}")))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Does what is asked for until its task is aborted: it keeps the engine, so the queues do not end by themselves.
    pub(crate) async fn run(self, engine: Arc<Engine>, jobs: Jobs) {
        tokio::join!(
            self.send_all(Arc::clone(&engine), jobs.requests),
            evaluate_all(engine, jobs.evaluations)
        );
    }

    async fn send_all(self, engine: Arc<Engine>, mut requests: Queue<Job>) {
        let (carrier, slots) = (Arc::new(self), Arc::new(Semaphore::new(AT_ONCE_MAX)));
        while let Some(job) = requests.next().await {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                return;
            };
            let (carrier, engine) = (Arc::clone(&carrier), Arc::clone(&engine));
            tokio::spawn(async move {
                let result = carrier.send(&job).await;
                engine.record_result(job.id, result).await;
                drop(slot);
            });
        }
    }

    async fn send(&self, job: &Job) -> HttpResult {
        match self.try_send(job).await {
            Ok(result) | Err(result) => result,
        }
    }

    async fn try_send(&self, job: &Job) -> Result<HttpResult, HttpResult> {
        let (url, client) = (self.allow(&job.url)?, self.client()?);
        let token = match &job.oauth {
            Some(oauth) => Some(self.token(oauth).await?),
            None => None,
        };
        let method = job
            .method
            .parse::<Method>()
            .map_err(|_| refused("the method is not one of HTTP"))?;
        let mut request = client.request(method.clone(), url);
        let is_replaced = |name: &str| token.is_some() && name.eq_ignore_ascii_case(AUTHORIZATION.as_str());
        for (name, value) in job.headers.iter().filter(|(name, _)| !is_replaced(name)) {
            request = request.header(name, header_value(value)?);
        }
        if let Some(token) = token {
            request = request.bearer_auth(&*token);
        }
        if method != Method::GET && method != Method::HEAD {
            request = request.body(job.body.to_string());
        }
        let response = request.send().await.map_err(|e| unreached(&e))?;
        let status = response.status().as_u16();
        if let (401 | 407, Some(oauth)) = (status, &job.oauth) {
            self.tokens
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(oauth);
        }
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(HttpResult::Status {
            status,
            retry_after_seconds: retry_after,
        })
    }

    /// A token of the client-credentials grant, cached for its lifetime.
    async fn token(&self, oauth: &OAuth) -> Result<Secret<String>, HttpResult> {
        let known = self
            .tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(oauth)
            .cloned();
        if let Some((token, until)) = known
            && until > Instant::now()
        {
            return Ok(token);
        }
        let method = oauth
            .method
            .parse::<Method>()
            .map_err(|_| refused("the method is not one of HTTP"))?;
        let form: Vec<String> = oauth
            .form
            .iter()
            .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
            .collect();
        let form = form.join("&");
        let (mut url, client) = (self.allow(&oauth.url)?, self.client()?);
        let mut request = if method == Method::GET {
            let query = url
                .query()
                .map_or_else(|| form.clone(), |query| format!("{query}&{form}"));
            url.set_query(Some(&query));
            client.request(method.clone(), url)
        } else {
            client.request(method.clone(), url).body(form)
        };
        // A GET has its form in the query, and no body to name the type of.
        let is_of_body = |name: &str| method == Method::GET && name == CONTENT_TYPE.as_str();
        for (name, value) in oauth.headers.iter().filter(|(name, _)| !is_of_body(name)) {
            request = request.header(name, header_value(value)?);
        }
        let response = request.send().await.map_err(|e| unreached(&e))?;
        let status = response.status().as_u16();
        if !response.status().is_success() {
            return Err(HttpResult::NoToken { status });
        }
        let (token, lasts) = read_token(response).await?;
        let until = Instant::now() + lasts.min(TOKEN_LASTS_MAX);
        self.tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(oauth.clone(), (token.clone(), until));
        Ok(token)
    }

    /// The URL, if its host is one that may be called.
    fn allow(&self, text: &str) -> Result<Url, HttpResult> {
        let url = Url::parse(text).map_err(|_| refused("the endpoint is not a URL"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let ok = host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            || self.named.iter().any(|named| named == text)
            || self
                .allowed
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(host));
        if !ok {
            return Err(refused(&format!(
                "the host {host} is not loopback and was not allowed"
            )));
        }
        Ok(url)
    }
}

/// Evaluates expressions, each job on a thread of its own and so many at a time: none of it holds up requests.
async fn evaluate_all(engine: Arc<Engine>, mut evaluations: Queue<Evaluation>) {
    let slots = Arc::new(Semaphore::new(EVALUATIONS_AT_ONCE_MAX));
    while let Some(Evaluation { id, recipe }) = evaluations.next().await {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            let rendered = evaluate(Arc::new(recipe)).await;
            engine.record_evaluation(id, rendered).await;
            drop(slot);
        });
    }
}

/// What a recipe comes to. That no thread can be started says nothing of the expressions: it is tried until one can.
async fn evaluate(recipe: Arc<Recipe>) -> Rendered {
    loop {
        let (tell, told) = oneshot::channel();
        let own = Arc::clone(&recipe);
        let make = move || {
            // Nobody waits for it any more where the server has ended.
            let _ = tell.send(own.make());
        };
        match jsonata::start(make) {
            Ok(()) => return told.await.unwrap_or_else(|_| recipe.broken()),
            Err(error) => {
                tracing::warn!(%error, "no thread can be started to evaluate an expression");
                tokio::time::sleep(THREAD_RETRY).await;
            }
        }
    }
}

async fn read_token(mut response: reqwest::Response) -> Result<(Secret<String>, Duration), HttpResult> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreached(&e))? {
        body.extend_from_slice(&chunk);
        if body.len() > TOKEN_BYTES_MAX {
            return Err(refused("the authorization endpoint's answer is too long"));
        }
    }
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = answer.get("access_token").and_then(serde_json::Value::as_str);
    let token = token.ok_or_else(|| refused("the authorization endpoint gave no access_token"))?;
    let lasts = answer
        .get("expires_in")
        .and_then(serde_json::Value::as_u64)
        .map_or(TOKEN_LASTS, Duration::from_secs);
    Ok((token.to_owned().into(), lasts))
}

/// A header's value: UTF-8, without control characters.
fn header_value(text: &str) -> Result<HeaderValue, HttpResult> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| refused("a header's value has control characters"))
}

fn refused(why: &str) -> HttpResult {
    HttpResult::Refused { why: why.to_owned() }
}

fn unreached(error: &reqwest::Error) -> HttpResult {
    let why = if error.is_timeout() {
        "no answer in time"
    } else {
        "the endpoint could not be reached"
    };
    HttpResult::Unreached {
        timed_out: error.is_timeout(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_what_was_named_is_called() {
        let carrier = Carrier::new(
            vec!["api.example".to_owned()],
            vec!["http://hook.example/x".to_owned()],
        );
        for (url, allowed) in [
            ("http://127.0.0.1:9/x", true),
            ("http://[::1]:9/x", true),
            ("https://LOCALHOST/x", true),
            ("https://api.example/any", true),
            ("https://API.example:8443/", true),
            ("http://hook.example/x", true),
            ("http://hook.example/y", false),
            ("http://localhost.evil.example/", false),
            ("http://127.0.0.1@evil.example/", false),
            ("http://192.168.0.1/", false),
            ("not a url", false),
        ] {
            assert_eq!(carrier.allow(url).is_ok(), allowed, "{url}");
        }
    }
}

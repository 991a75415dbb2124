//! What the local AWS answers beyond AWS's own calls: what it knows of each event, with the rules that it was matched against and its
//! deliveries (`/_local/events`), and its clock (`/_local/clock`).

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answering;
use super::aws::Endpoint;
use super::exit::Failure;
use super::show::Look;

/// How long to wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What the resource of the ARN of a custom event bus begins with.
const CUSTOM_BUS: &str = "event-busv2/";
/// Pages that are read of one event, and of the list, at most.
const PAGES_MAX: usize = 100;

/// The local AWS.
pub(super) struct LocalAws {
    http: reqwest::Client,
    endpoint: String,
    power: Power,
}

/// What is asked of the local AWS, and how to do without.
#[derive(Clone, Copy)]
pub(super) struct Power {
    /// What AWS itself lacks.
    pub(super) lacks: &'static str,
    /// The commands that work there.
    pub(super) instead: &'static str,
}

/// The list of events.
pub(super) const EVENTS: Power = Power {
    lacks: "AWS keeps no list of events; the local AWS of `scalr-eventbridge dev` does",
    instead: "`tail LOG_GROUP`, `status`, `run --log-group NAME`",
};

/// What the clock of the local AWS shows.
#[derive(Serialize, Deserialize)]
pub(super) struct Now {
    pub(super) now: String,
    epoch_ms: i64,
}

/// One event.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) id: String,
    /// When the local AWS accepted it.
    pub(super) accepted: String,
    /// Why it was dropped, if it was.
    pub(super) reason: Option<String>,
    pub(super) event: Value,
    pub(super) buses: Vec<Bus>,
}

/// The event on one bus.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub(super) struct Bus {
    pub(super) account: String,
    pub(super) region: String,
    #[serde(rename = "bus")]
    pub(super) name: String,
    pub(super) rules: Vec<Rule>,
    pub(super) deliveries: Vec<Delivery>,
}

impl Bus {
    /// Whether it is a custom event bus: what the local AWS lists as its rules are subscribers.
    pub(super) fn is_custom(&self) -> bool {
        self.name.starts_with(CUSTOM_BUS)
    }

    /// What takes its events.
    pub(super) fn taker(&self) -> &'static str {
        if self.is_custom() { "subscriber" } else { "rule" }
    }
}

/// The event and one rule, or one subscriber.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub(super) struct Rule {
    #[serde(rename = "rule")]
    pub(super) name: String,
    pub(super) matched: bool,
    /// The leaves of the pattern that did not match.
    #[serde(default)]
    pub(super) missed: Vec<Leaf>,
    pub(super) reason: Option<String>,
}

/// A leaf of a pattern that did not match.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub(super) struct Leaf {
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) found: Vec<String>,
    pub(super) nearest: Option<String>,
}

/// The event and one target.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub(super) struct Delivery {
    pub(super) rule: String,
    pub(super) target_id: String,
    pub(super) target_arn: String,
    pub(super) outcome: String,
    pub(super) attempts: Vec<Attempt>,
    pub(super) dead_letter: Option<String>,
}

impl Delivery {
    /// Whether it leads to a custom event bus, whose subscribers come next.
    fn is_onward(&self) -> bool {
        self.target_arn
            .splitn(6, ':')
            .nth(5)
            .is_some_and(|resource| resource.starts_with(CUSTOM_BUS))
    }
}

/// One attempt of a delivery.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub(super) struct Attempt {
    pub(super) at: String,
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// Every target of every rule that matched has it.
    Delivered,
    /// A delivery will be tried again.
    Waiting,
    /// A target does not get it.
    Failed,
    /// A rule matched, and has no target.
    NoTarget,
    /// No rule matched.
    NoRule,
    /// It is on a custom event bus, where no subscriber matched.
    NoSubscriber,
    /// No bus got it.
    Dropped,
}

impl Outcome {
    /// In words.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Waiting => "waiting for a retry",
            Self::Failed => "a delivery failed",
            Self::NoTarget => "the rule has no target",
            Self::NoRule => "no rule matched",
            Self::NoSubscriber => "no subscriber matched",
            Self::Dropped => "dropped",
        }
    }

    pub(super) const fn look(self) -> Look {
        match self {
            Self::Delivered => Look::Good,
            Self::Waiting => Look::Doubtful,
            _ => Look::Bad,
        }
    }
}

impl Story {
    /// What became of the event.
    pub(super) fn outcome(&self) -> Outcome {
        if self.reason.is_some() {
            return Outcome::Dropped;
        }
        let rules = self.buses.iter().flat_map(|bus| &bus.rules);
        let matched = rules.filter(|rule| rule.matched).count();
        let deliveries = || self.buses.iter().flat_map(|bus| &bus.deliveries);
        let any = |outcome: &str| deliveries().any(|delivery| delivery.outcome == outcome);
        if any("failed") {
            Outcome::Failed
        } else if any("waiting") {
            Outcome::Waiting
        } else if deliveries().any(|delivery| !delivery.is_onward()) {
            Outcome::Delivered
        } else if self.buses.iter().any(Bus::is_custom) {
            Outcome::NoSubscriber
        } else if deliveries().next().is_some() {
            Outcome::Delivered
        } else if matched > 0 {
            Outcome::NoTarget
        } else {
            Outcome::NoRule
        }
    }

    /// Whether it was sent to a region, or is on a bus there.
    pub(super) fn is_in(&self, region: &str) -> bool {
        self.text("/region") == region || self.buses.iter().any(|bus| bus.region == region)
    }

    /// A text at this place of the event.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.event
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Scalr's own id of the event: the run's, or the audited request's.
    pub(super) fn subject(&self) -> &str {
        let run = self.text("/detail/event/run-id");
        if run.is_empty() {
            self.text("/detail/request/id")
        } else {
            run
        }
    }
}

/// A page of the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Listed>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

/// A page of a story.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoryPage {
    #[serde(flatten)]
    story: Story,
    next_token: Option<String>,
}

impl LocalAws {
    /// The local AWS at the address that is set; a failure where it is AWS itself.
    pub(super) async fn at(endpoint: &Endpoint, power: Power) -> anyhow::Result<Self> {
        match endpoint.url()? {
            Some(url) if endpoint.is_local() => {
                answering::as_aws(&url).await?;
                Ok(Self {
                    // A proxy could not reach this machine's loopback.
                    http: reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?,
                    endpoint: url,
                    power,
                })
            }
            url => {
                let host = url.map_or_else(|| "AWS itself".to_owned(), |url| format!("`{url}`"));
                Err(power.missing(host))
            }
        }
    }

    /// The ids of the latest events, newest first.
    pub(super) async fn latest(&self, limit: usize) -> anyhow::Result<Vec<String>> {
        let mut ids = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let page: Page = self
                .events(None, token.as_deref())
                .await?
                .ok_or_else(|| self.lacks())?;
            ids.extend(page.events.into_iter().map(|listed| listed.id));
            token = page.next_token;
            if token.is_none() || ids.len() >= limit {
                break;
            }
        }
        ids.truncate(limit);
        Ok(ids)
    }

    /// One event; `None` where it is not known.
    pub(super) async fn story(&self, id: &str) -> anyhow::Result<Option<Story>> {
        let Some(first) = self.events::<StoryPage>(Some(id), None).await? else {
            return Ok(None);
        };
        let (mut story, mut token) = (first.story, first.next_token);
        for _ in 0..PAGES_MAX {
            let Some(next) = token else { break };
            let Some(page) = self.events::<StoryPage>(Some(id), Some(&next)).await? else {
                break;
            };
            for (bus, more) in story.buses.iter_mut().zip(page.story.buses) {
                bus.rules.extend(more.rules);
                bus.deliveries.extend(more.deliveries);
            }
            token = page.next_token;
        }
        Ok(Some(story))
    }

    /// What its clock shows.
    pub(super) async fn now(&self) -> anyhow::Result<Now> {
        let now = self.answer(self.http.get(self.clock())).await?;
        now.ok_or_else(|| self.lacks())
    }

    /// Moves its clock forward; what it shows then.
    pub(super) async fn advance(&self, by: Duration) -> anyhow::Result<Now> {
        let body = serde_json::json!({ "advance_seconds": by.as_secs() }).to_string();
        let moved = self.answer(self.http.post(self.clock()).body(body)).await;
        let moved = moved.map_err(|error| {
            if may_be_done(&error) {
                unknown(error)
            } else {
                error
            }
        })?;
        moved.ok_or_else(|| self.lacks())
    }

    fn clock(&self) -> String {
        format!("{}/_local/clock", self.endpoint)
    }

    fn lacks(&self) -> anyhow::Error {
        self.power.missing(format!("`{}`", self.endpoint))
    }

    async fn events<T: DeserializeOwned>(
        &self,
        id: Option<&str>,
        token: Option<&str>,
    ) -> anyhow::Result<Option<T>> {
        let mut url = reqwest::Url::parse(&format!("{}/_local/events", self.endpoint))?;
        if let (Some(id), Ok(mut path)) = (id, url.path_segments_mut()) {
            path.push(id);
        }
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("nextToken", token);
        }
        self.answer(self.http.get(url)).await
    }

    /// An answer; `None` where there is no such thing.
    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> anyhow::Result<Option<T>> {
        let answer = request.send().await;
        let mut answer = answer.map_err(|error| self.without_answer(error))?;
        let status = answer.status();
        if status.as_u16() == 404 {
            return Ok(None);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.without_answer(error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                bail!(
                    "`{}` answered with more than {ANSWER_BYTES_MAX} bytes",
                    self.endpoint
                );
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success()
            && let Ok(Refusal { message }) = serde_json::from_slice(&body)
        {
            bail!("`{}` refuses that: {message}", self.endpoint);
        }
        if !status.is_success() {
            return Err(self.lacks());
        }
        let read = serde_json::from_slice(&body);
        read.with_context(|| format!("`{}` did not answer as the local AWS does", self.endpoint))
            .map(Some)
    }

    /// Why a request has no answer.
    fn without_answer(&self, error: reqwest::Error) -> anyhow::Error {
        if let Some(why) = answering::without_answer(&error) {
            return answering::nothing(&self.endpoint, &why);
        }
        let what = format!("`{}` gave no answer", self.endpoint);
        anyhow::Error::new(error.without_url()).context(what)
    }
}

/// Whether the request may have arrived, and has no answer.
fn may_be_done(error: &anyhow::Error) -> bool {
    let cause = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<reqwest::Error>());
    cause.is_some_and(|cause| !cause.is_connect() && !cause.is_builder())
}

/// A move of the clock of which only the request is known.
fn unknown(error: anyhow::Error) -> anyhow::Error {
    error.context(Failure::WithNext {
        what: "it is not known whether the clock was moved".to_owned(),
        next: "`scalr-eventbridge clock show` prints its time: look before you move it again".to_owned(),
    })
}

impl Power {
    fn missing(self, host: String) -> anyhow::Error {
        Failure::Unsupported {
            host,
            what: self.lacks,
            instead: self.instead,
        }
        .into()
    }
}

/// Why a request was refused.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::super::hint;
    use super::*;

    fn story(dropped: bool, matched: &[bool], deliveries: &[&str]) -> Story {
        let rules = matched.iter().map(|matched| Rule {
            matched: *matched,
            ..Rule::default()
        });
        let deliveries = deliveries.iter().map(|outcome| Delivery {
            outcome: (*outcome).to_owned(),
            ..Delivery::default()
        });
        Story {
            reason: dropped.then(String::new),
            buses: vec![Bus {
                rules: rules.collect(),
                deliveries: deliveries.collect(),
                ..Bus::default()
            }],
            ..Story::default()
        }
    }

    /// What is said of `advance` at this address.
    async fn said(endpoint: String) -> String {
        let local = LocalAws {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            endpoint,
            power: EVENTS,
        };
        let error = local.advance(Duration::from_secs(1)).await.err().unwrap();
        let next = hint::next_step(&error).map(|step| step.to_string());
        format!("{} -> {}", hint::words(&error), next.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_move_without_an_answer_may_have_been_done() {
        let text = said("http://127.0.0.1:1".to_owned()).await;
        assert!(
            text.starts_with("nothing answers at `http://127.0.0.1:1`"),
            "{text}"
        );
        assert!(text.contains("refused"), "the cause: {text}");
        assert!(!text.contains("not known"), "{text}");

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (text, ()) = tokio::join!(said(endpoint), async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
        });
        assert!(
            text.starts_with("it is not known whether the clock was moved: "),
            "{text}"
        );
        assert!(text.contains("gave no answer: "), "the cause: {text}");
        assert!(text.contains("-> `scalr-eventbridge clock show`"), "{text}");
    }

    #[test]
    fn what_nobody_takes_from_a_custom_event_bus_is_not_delivered() {
        const CUSTOM: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/platform/0a1b";
        const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/event-busv2/g";
        let bus = |name: &str, arns: &[&str]| Bus {
            name: name.to_owned(),
            rules: vec![Rule::default()],
            deliveries: arns
                .iter()
                .map(|arn| Delivery {
                    outcome: "delivered".to_owned(),
                    target_arn: (*arn).to_owned(),
                    ..Delivery::default()
                })
                .collect(),
            ..Bus::default()
        };
        for (buses, want) in [
            (vec![bus("event-busv2/platform/0a1b", &[])], Outcome::NoSubscriber),
            (
                vec![bus("b", &[CUSTOM]), bus("event-busv2/platform/0a1b", &[])],
                Outcome::NoSubscriber,
            ),
            (
                vec![bus("b", &[CUSTOM]), bus("event-busv2/platform/0a1b", &[GROUP])],
                Outcome::Delivered,
            ),
            (
                vec![bus("b", &[CUSTOM, GROUP]), bus("event-busv2/platform/0a1b", &[])],
                Outcome::Delivered,
            ),
            (vec![bus("b", &[CUSTOM])], Outcome::Delivered),
            (vec![bus("b", &[])], Outcome::NoRule),
        ] {
            let story = Story {
                buses,
                ..Story::default()
            };
            assert_eq!(story.outcome(), want, "{story:?}");
        }
    }

    #[test]
    fn the_worst_delivery_is_the_outcome() {
        for (story, want) in [
            (story(true, &[], &[]), Outcome::Dropped),
            (story(false, &[false], &[]), Outcome::NoRule),
            (story(false, &[], &[]), Outcome::NoRule),
            (story(false, &[true, false], &[]), Outcome::NoTarget),
            (story(false, &[true], &["delivered"]), Outcome::Delivered),
            (story(false, &[true], &["delivered", "waiting"]), Outcome::Waiting),
            (story(false, &[true], &["waiting", "failed"]), Outcome::Failed),
        ] {
            assert_eq!(story.outcome(), want, "{story:?}");
        }
    }
}

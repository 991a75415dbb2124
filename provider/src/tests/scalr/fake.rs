//! A Scalr on loopback: connections, the audit-log setting, one account.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const CONNECTIONS: &str = "integrations/aws-event-bridge";

/// What goes wrong with calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::tests) enum Trouble {
    /// A POST is carried out, and its answer lost.
    LosesAnswers,
    /// A PATCH is answered, and has no effect.
    IgnoresChanges,
    /// Requests are read, and none is answered.
    IsSilent,
}

/// What the fake holds, and how it behaves.
pub(in crate::tests) struct Server {
    pub(in crate::tests) connections: Vec<Json>,
    /// GETs of a connection until its event source has a name.
    pub(in crate::tests) asks_until_named: u32,
    /// Refreshes until `refreshed` holds; `pending` before.
    pub(in crate::tests) refreshes_until: u32,
    /// What a refresh finds.
    pub(in crate::tests) refreshed: &'static str,
    /// Id and name of the workspaces.
    pub(in crate::tests) workspaces: Vec<(String, String)>,
    /// Id and name of the environments.
    pub(in crate::tests) environments: Vec<(String, String)>,
    /// The connection that the audit-log setting selects.
    pub(in crate::tests) audit_logs_to: Option<String>,
    /// Whether there is such a setting at all.
    pub(in crate::tests) has_audit_logs: bool,
    /// Whether a connection names which account it belongs to.
    pub(in crate::tests) names_account: bool,
    /// Answers to the next refreshes, in place of what they would do; the console pauses the connection meanwhile where
    /// the second is true.
    pub(in crate::tests) refused: Vec<(u16, bool)>,
    /// How many answers still show the former status after a call that changes it.
    pub(in crate::tests) lag: u32,
    /// The status that shows after those.
    lagging: Option<String>,
    /// How it treats calls.
    pub(in crate::tests) trouble: Option<Trouble>,
    /// Calls that are refused, each for good: how they begin, and what is answered.
    pub(in crate::tests) refuses: Vec<(&'static str, u16, Json)>,
    /// Where an answer is still waited for.
    unanswered: Vec<TcpStream>,
    /// Whether it refuses lists of connections.
    pub(in crate::tests) refuses_lists: bool,
    /// How far the run is that is asked about.
    pub(in crate::tests) run_status: &'static str,
    /// What is told of the delivery of `in-1`; without it there is no such path, as in Scalr itself.
    pub(in crate::tests) delivery: Option<Json>,
    /// Answers to the next calls about the deliveries of `in-1`; without one there is no such path.
    pub(in crate::tests) deliveries: VecDeque<(u16, Json)>,
    /// The queries and bodies of those calls.
    pub(in crate::tests) asked_of_deliveries: Vec<String>,
    /// Answers to the next calls about access tokens; without one there is no such path.
    pub(in crate::tests) tokens: VecDeque<(u16, Json)>,
    /// The bodies of those calls.
    pub(in crate::tests) asked_of_tokens: Vec<Json>,
    /// Method and path of each call.
    pub(in crate::tests) calls: Vec<String>,
    called: watch::Sender<()>,
}

pub(in crate::tests) struct Fake {
    held: Arc<Mutex<Server>>,
    address: SocketAddr,
}

impl Fake {
    pub(in crate::tests) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let held = Arc::new(Mutex::new(Server {
            connections: Vec::new(),
            asks_until_named: 0,
            refreshes_until: 0,
            refreshed: "active",
            workspaces: vec![("ws-1".to_owned(), "network".to_owned())],
            environments: vec![("env-1".to_owned(), "production".to_owned())],
            audit_logs_to: None,
            has_audit_logs: true,
            names_account: true,
            refused: Vec::new(),
            lag: 0,
            lagging: None,
            trouble: None,
            refuses: Vec::new(),
            unanswered: Vec::new(),
            refuses_lists: false,
            run_status: "planned_and_finished",
            delivery: None,
            deliveries: VecDeque::new(),
            asked_of_deliveries: Vec::new(),
            tokens: VecDeque::new(),
            asked_of_tokens: Vec::new(),
            calls: Vec::new(),
            called: watch::Sender::new(()),
        }));
        let served = Arc::clone(&held);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &served).await;
            }
        });
        Self { held, address }
    }

    pub(in crate::tests) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(in crate::tests) fn state(&self) -> MutexGuard<'_, Server> {
        self.held.lock().unwrap()
    }

    /// Sets the status of the first connection, as a person does in the console.
    pub(in crate::tests) fn set_status(&self, status: &str) {
        self.state().connections[0]["attributes"]["status"] = json!(status);
    }

    pub(in crate::tests) fn status(&self) -> Json {
        self.state().connections[0]["attributes"]["status"].clone()
    }

    /// Waits until there were so many calls of this method.
    pub(in crate::tests) async fn until(&self, method: &str, count: usize) {
        let mut called = self.state().called.subscribe();
        while self.count(method) < count {
            called.changed().await.unwrap();
        }
    }

    /// How many calls of this method there were.
    pub(in crate::tests) fn count(&self, method: &str) -> usize {
        self.state()
            .calls
            .iter()
            .filter(|call| call.starts_with(method))
            .count()
    }
}

async fn serve(mut stream: TcpStream, server: &Mutex<Server>) {
    let Some((line, body)) = request(&mut stream).await else {
        return;
    };
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    // What is not in the API's path is not Scalr's.
    let target = target.strip_prefix("/api/iacp/v3/").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (answer, lost) = {
        let mut server = server.lock().unwrap();
        server.calls.push(format!("{method} {path}"));
        if path.starts_with("/_companion/connections/in-1/deliveries") {
            let asked = if body.is_null() {
                query.to_owned()
            } else {
                body.to_string()
            };
            server.asked_of_deliveries.push(asked);
        }
        server.called.send_replace(());
        if server.trouble == Some(Trouble::IsSilent) {
            server.unanswered.push(stream);
            return;
        }
        (
            match server.listed(method, path) {
                Some(all) => server.list(&all, query),
                None => server.answer(method, path, &body),
            },
            method == "POST" && server.trouble == Some(Trouble::LosesAnswers),
        )
    };
    if lost {
        return;
    }
    let (status, body) = answer;
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .unwrap();
}

async fn request(stream: &mut TcpStream) -> Option<(String, Json)> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            let line = head.lines().next()?.to_owned();
            return Some((line, serde_json::from_str(body).unwrap_or_default()));
        }
    }
}

pub(in crate::tests) fn error(status: u16, detail: &str) -> (u16, Json) {
    (
        status,
        json!({ "errors": [{ "status": status.to_string(), "title": "Refused", "detail": detail }] }),
    )
}

fn object(kind: &str, (id, name): &(String, String)) -> Json {
    json!({ "type": kind, "id": id, "attributes": { "name": name } })
}

/// The object of the path's id.
fn named(kind: &str, path: &str, all: &[(String, String)]) -> (u16, Json) {
    let id = path.rsplit('/').next().unwrap_or_default();
    match all.iter().find(|(known, _)| known == id) {
        Some(one) => (200, json!({ "data": object(kind, one) })),
        None => error(404, "There is nothing here."),
    }
}

impl Server {
    fn answer(&mut self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let data = &body["data"];
        let call = format!("{method} {path}");
        if let Some((_, status, errors)) = self.refuses.iter().find(|(begin, ..)| call.starts_with(begin)) {
            return (*status, errors.clone());
        }
        if path == CONNECTIONS {
            return self.create(data);
        }
        if let Some(id) = path.strip_prefix(CONNECTIONS) {
            return self.one(method, &id[1..], data);
        }
        match (method, path) {
            ("GET", "/_companion/connections/in-1/delivery") => {
                let figures = self.delivery.clone();
                figures.map_or((404, Json::Null), |figures| (200, figures))
            }
            (_, path) if path.starts_with("/_companion/connections/in-1/deliveries") => {
                self.deliveries.pop_front().unwrap_or((404, Json::Null))
            }
            (_, path) if path.starts_with("access-tokens") => {
                if !body.is_null() {
                    self.asked_of_tokens.push(body.clone());
                }
                self.tokens.pop_front().unwrap_or((404, Json::Null))
            }
            (_, "accounts/acc-1/audit-log-setting") if self.has_audit_logs => self.audit_logs(method, data),
            ("POST", "runs") | ("GET", "runs/run-1") => {
                let status = if method == "POST" {
                    "pending"
                } else {
                    self.run_status
                };
                (
                    200,
                    json!({ "data": { "type": "runs", "id": "run-1", "attributes": { "status": status, "source": "api" } } }),
                )
            }
            ("GET", path) if path.starts_with("workspaces/") => named("workspaces", path, &self.workspaces),
            ("GET", path) if path.starts_with("environments/") => {
                named("environments", path, &self.environments)
            }
            ("GET", "accounts/acc-1") => (
                200,
                json!({ "data": { "type": "accounts", "id": "acc-1", "attributes": { "name": "acme" } } }),
            ),
            _ => error(404, "There is nothing here."),
        }
    }

    fn refuses_any(&self, path: &str) -> bool {
        let call = format!("GET {path}");
        self.refuses.iter().any(|(begin, ..)| call.starts_with(begin))
    }

    /// The objects of a list.
    fn listed(&self, method: &str, path: &str) -> Option<Vec<Json>> {
        if method != "GET" || self.refuses_any(path) {
            return None;
        }
        match path {
            CONNECTIONS => Some(self.connections.clone()),
            "workspaces" => Some(self.workspaces.iter().map(|one| object(path, one)).collect()),
            "environments" => Some(self.environments.iter().map(|one| object(path, one)).collect()),
            _ => None,
        }
    }

    /// A page of a hundred.
    fn list(&self, all: &[Json], query: &str) -> (u16, Json) {
        const PAGE: usize = 100;
        if self.refuses_lists {
            return error(403, "You may not list.");
        }
        let number = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("page%5Bnumber%5D="));
        let number = number.and_then(|number| number.parse().ok()).unwrap_or(1_usize);
        let pages = all.chunks(PAGE);
        let pagination =
            json!({ "next-page": (number < pages.len()).then(|| number + 1), "total-pages": pages.len() });
        let data = all.chunks(PAGE).nth(number - 1).unwrap_or_default();
        (200, json!({ "data": data, "meta": { "pagination": pagination } }))
    }

    fn create(&mut self, data: &Json) -> (u16, Json) {
        let mut attributes = data["attributes"].clone();
        let place = |it: &Json| (it["aws-account-id"].clone(), it["region"].clone());
        if self
            .connections
            .iter()
            .any(|other| place(&other["attributes"]) == place(&attributes))
        {
            return error(
                422,
                "The combination of AWS account ID and region must be unique.",
            );
        }
        attributes["status"] = json!("pending");
        attributes["err-message"] = Json::Null;
        attributes["event-source"] = Json::Null;
        let account = self
            .names_account
            .then(|| json!({ "type": "accounts", "id": "acc-1" }));
        let id = format!("in-{}", self.connections.len() + 1);
        let made = json!({
            "type": "aws-event-bridge-integrations", "id": id, "attributes": attributes,
            "relationships": { "account": { "data": account } },
        });
        self.connections.push(made);
        self.name_sources();
        (201, json!({ "data": self.connections.last() }))
    }

    fn name_sources(&mut self) {
        if self.asks_until_named > 0 {
            self.asks_until_named -= 1;
            return;
        }
        for one in &mut self.connections {
            let name = format!(
                "aws.partner/scalr.com/acme/{}",
                one["attributes"]["name"].as_str().unwrap()
            );
            one["attributes"]["event-source-arn"] =
                json!(format!("arn:aws:events:us-east-1::event-source/{name}"));
            one["attributes"]["event-source"] = json!(name);
        }
    }

    fn one(&mut self, method: &str, id: &str, data: &Json) -> (u16, Json) {
        let Some(at) = self.connections.iter().position(|one| one["id"] == id) else {
            return error(404, "There is no such connection.");
        };
        match method {
            "DELETE" => {
                self.connections.remove(at);
                return (204, Json::Null);
            }
            "PATCH" if !self.refused.is_empty() => {
                let (status, paused) = self.refused.remove(0);
                if paused {
                    self.connections[at]["attributes"]["status"] = json!("disabled");
                }
                return error(status, "Not now.");
            }
            "PATCH" if self.trouble == Some(Trouble::IgnoresChanges) => {}
            "PATCH" => {
                let asked = data["attributes"]["status"].as_str().unwrap();
                let found = match (asked, self.refreshes_until) {
                    ("active", 0) => self.refreshed,
                    ("active", _) => "pending",
                    (other, _) => other,
                };
                self.refreshes_until = self.refreshes_until.saturating_sub(1);
                self.lagging = Some(found.to_owned());
            }
            _ => self.name_sources(),
        }
        if self.lag > 0 {
            self.lag -= 1;
        } else if let Some(status) = self.lagging.take() {
            self.connections[at]["attributes"]["status"] = json!(status);
        }
        (200, json!({ "data": self.connections[at] }))
    }

    fn audit_logs(&mut self, method: &str, data: &Json) -> (u16, Json) {
        if method == "PATCH" && self.trouble != Some(Trouble::IgnoresChanges) {
            self.audit_logs_to = data["relationships"]["integration"]["data"]["id"]
                .as_str()
                .map(str::to_owned);
        }
        let to = self
            .audit_logs_to
            .as_ref()
            .map(|id| json!({ "type": "aws-event-bridge-integrations", "id": id }));
        let object = json!({
            "type": "audit-log-settings", "id": "acc-1", "attributes": { "enabled": to.is_some() },
            "relationships": { "integration": { "data": to } },
        });
        (200, json!({ "data": object }))
    }
}

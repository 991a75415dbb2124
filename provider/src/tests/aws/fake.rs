//! An AWS in memory, behind the SDK's own HTTP client: one account, one region, and whatever trouble a test asks for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_eventbridge::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use super::fake_custom::{self, Custom};
use super::fake_iam;
use super::fake_sns;
use super::fake_sqs::Queue;

pub(in crate::tests) const ACCOUNT: &str = "123456789012";

/// How a call goes wrong.
#[derive(Clone, Debug)]
pub(in crate::tests) enum Trouble {
    /// AWS answers with this code and message.
    Says(&'static str, &'static str),
    /// The connection breaks; before that the call is carried out, or not.
    Breaks { carried_out: bool },
    /// No answer ever comes.
    Hangs,
    /// The call is carried out, and the answer is an empty object.
    Empty,
}

/// What the account holds.
#[derive(Debug, Default)]
pub(in crate::tests) struct Holdings {
    /// States of the event sources, by name.
    pub(in crate::tests) sources: BTreeMap<String, &'static str>,
    pub(in crate::tests) buses: BTreeMap<String, Json>,
    /// Rules by bus and name.
    pub(in crate::tests) rules: BTreeMap<(String, String), Json>,
    /// Targets by bus and rule.
    pub(in crate::tests) targets: BTreeMap<(String, String), Vec<Json>>,
    /// Names of the archives of all buses.
    pub(in crate::tests) archives: Vec<&'static str>,
    pub(in crate::tests) groups: BTreeMap<String, Json>,
    /// Log streams by group and name.
    pub(in crate::tests) streams: std::collections::BTreeSet<(String, String)>,
    /// Resource policies by the log group's ARN.
    pub(in crate::tests) policies: BTreeMap<String, String>,
    /// The account's resource policies by name.
    pub(in crate::tests) account_policies: BTreeMap<String, String>,
    /// The queues by name; none: the endpoint knows no SQS.
    pub(in crate::tests) queues: Option<BTreeMap<String, Queue>>,
    /// How many looks at a queue find what it had before it was written.
    pub(in crate::tests) queues_lag: usize,
    /// Policies of the topics by ARN; none: the endpoint knows no SNS.
    pub(in crate::tests) topics: Option<BTreeMap<String, String>>,
    /// Calls whose change is lost, as when somebody else writes at the same time.
    pub(in crate::tests) lost: Vec<&'static str>,
    /// The connections of API destinations by name, secrets included.
    pub(in crate::tests) connections: BTreeMap<String, Json>,
    pub(in crate::tests) api_destinations: BTreeMap<String, Json>,
    /// States that the next looks at a connection find.
    pub(in crate::tests) connection_states: VecDeque<&'static str>,
    /// Messages in the log groups.
    pub(in crate::tests) log_events: Vec<String>,
    /// The account that the credentials are of, if it is another.
    pub(in crate::tests) other_account: Option<&'static str>,
    /// The state that AWS shows of a source whose bus exists, in place of `ACTIVE`; empty: no such source.
    pub(in crate::tests) stuck: Option<&'static str>,
    /// The next look at a bus does not find it.
    pub(in crate::tests) hidden_once: bool,
    /// Code and message of an entry that fails while its call does not.
    pub(in crate::tests) failed_entry: Option<(&'static str, &'static str)>,
    /// Whether what is empty is left out of answers.
    pub(in crate::tests) drops_empty: bool,
    /// Roles by name.
    pub(in crate::tests) roles: BTreeMap<String, fake_iam::Role>,
    /// What the service of custom event buses holds.
    pub(in crate::tests) custom: Custom,
    /// Tags by ARN.
    pub(in crate::tests) tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Which calls go wrong, and how, in order.
    trouble: BTreeMap<&'static str, VecDeque<Option<Trouble>>>,
    /// Names of the calls.
    pub(in crate::tests) calls: Vec<String>,
    /// The last call's `User-Agent`.
    pub(in crate::tests) user_agent: String,
    /// Whether lists go on forever.
    pub(in crate::tests) lists_have_no_end: bool,
    revision: u32,
    called: Option<watch::Sender<()>>,
}

/// The fake.
#[derive(Clone, Debug)]
pub(in crate::tests) struct Fake(Arc<Mutex<Holdings>>);

impl Fake {
    pub(in crate::tests) fn new() -> Self {
        Self(Arc::new(Mutex::new(Holdings {
            called: Some(watch::Sender::new(())),
            ..Holdings::default()
        })))
    }

    pub(in crate::tests) fn state(&self) -> MutexGuard<'_, Holdings> {
        self.0.lock().unwrap()
    }

    /// The configuration that leads here.
    pub(in crate::tests) fn config(&self) -> SdkConfig {
        self.config_of(None)
    }

    /// The same with temporary credentials.
    pub(in crate::tests) fn config_with_session(&self, token: &str) -> SdkConfig {
        self.config_of(Some(token.to_owned()))
    }

    fn config_of(&self, session: Option<String>) -> SdkConfig {
        let connector = SharedHttpConnector::new(Connector(self.clone()));
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                ACCOUNT, "s3cret", session, None, "test",
            )))
            // A trouble is one call's: the SDK would meet the next answer by itself.
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    /// Waits until there were so many calls of this name.
    pub(in crate::tests) async fn until(&self, name: &str, count: usize) {
        let mut called = self.state().called.as_ref().unwrap().subscribe();
        while self.count(name) < count {
            called.changed().await.unwrap();
        }
    }

    /// How many calls of this name there were.
    pub(in crate::tests) fn count(&self, name: &str) -> usize {
        self.state().calls.iter().filter(|call| *call == name).count()
    }

    fn answer(&self, name: &str, body: &Json) -> Option<Result<Json, Trouble>> {
        let mut held = self.state();
        held.calls.push(name.to_owned());
        if let Some(called) = &held.called {
            called.send_replace(());
        }
        match held.next_trouble(name) {
            None => {
                let answer = held.carry_out(name, body);
                let shown = |answer| {
                    if held.drops_empty {
                        without_empty(answer)
                    } else {
                        answer
                    }
                };
                Some(answer.map(shown))
            }
            Some(Trouble::Hangs) => None,
            Some(trouble) => {
                if matches!(trouble, Trouble::Breaks { carried_out: true } | Trouble::Empty) {
                    let _ = held.carry_out(name, body);
                }
                Some(Err(trouble))
            }
        }
    }
}

impl Holdings {
    /// Has the next call of this name go wrong.
    pub(in crate::tests) fn trouble(&mut self, name: &'static str, trouble: Trouble) {
        self.trouble.entry(name).or_default().push_back(Some(trouble));
    }

    /// Lets so many calls of this name through before the trouble that is asked for next.
    pub(in crate::tests) fn let_through(&mut self, name: &'static str, count: usize) {
        self.trouble
            .entry(name)
            .or_default()
            .extend(std::iter::repeat_n(None, count));
    }

    fn next_trouble(&mut self, name: &str) -> Option<Trouble> {
        self.trouble.get_mut(name)?.pop_front()?
    }

    fn carry_out(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        if name.starts_with(fake_custom::PREFIX) || fake_iam::is_call(name) {
            return self.carry_out_beside(name, body);
        }
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        Ok(match name {
            "DescribeEventSource" => {
                let held = self.sources.get(&text("Name")).copied();
                let stuck = self.stuck.filter(|_| self.buses.contains_key(&text("Name")));
                let state = stuck.or(held).filter(|state| !state.is_empty());
                let state = state.ok_or_else(not_found)?;
                json!({ "Name": text("Name"), "State": state, "CreatedBy": "aws.partner/scalr.com" })
            }
            "ListEventSources" => {
                let named = self
                    .sources
                    .iter()
                    .filter(|(name, _)| name.starts_with(&text("NamePrefix")));
                let source = |(name, state)| json!({ "Name": name, "State": state, "CreatedBy": "aws.partner/scalr.com" });
                json!({ "EventSources": named.map(source).collect::<Vec<_>>() })
            }
            "DescribeEventBus" if text("Name") == "default" => {
                let arn = bus_arn("default");
                json!({ "Arn": self.other_account.map_or(arn.clone(), |other| arn.replace(ACCOUNT, other)) })
            }
            "ListEventBuses" => {
                let named = self
                    .buses
                    .keys()
                    .filter(|name| name.starts_with(&text("NamePrefix")));
                json!({ "EventBuses": named.map(|name| json!({ "Name": name })).collect::<Vec<_>>() })
            }
            "DescribeEventBus" if std::mem::take(&mut self.hidden_once) => return Err(not_found()),
            "DescribeEventBus" => self.buses.get(&text("Name")).ok_or_else(not_found)?.clone(),
            "CreateEventBus" => {
                let arn = bus_arn(&text("Name"));
                self.buses.insert(text("Name"), with(body, &arn));
                self.sources.insert(text("Name"), "ACTIVE");
                self.tags.insert(arn.clone(), pairs(&body["Tags"]));
                json!({ "EventBusArn": arn })
            }
            "UpdateEventBus" => {
                let arn = bus_arn(&text("Name"));
                self.buses.insert(text("Name"), with(body, &arn));
                json!({})
            }
            "DeleteEventBus" => {
                if self.rules.keys().any(|(bus, _)| *bus == text("Name")) {
                    return Err(Trouble::Says("ValidationException", "It has rules."));
                }
                self.buses.remove(&text("Name"));
                self.tags.remove(&bus_arn(&text("Name")));
                json!({})
            }
            "ActivateEventSource" => {
                self.sources.insert(text("Name"), "ACTIVE");
                json!({})
            }
            "TagResource" => {
                // Both services have a call of this name, in other words.
                let of_logs = serde_json::from_value(body["tags"].clone()).unwrap_or_default();
                let arn = text("ResourceARN") + &text("resourceArn");
                let held = self.tags.entry(arn).or_default();
                held.extend(pairs(&body["Tags"]));
                held.extend::<BTreeMap<String, String>>(of_logs);
                json!({})
            }
            "UntagResource" | "ListTagsForResource" => self.tags_of(name, body),
            _ => return self.carry_out_rules(name, body),
        })
    }

    fn carry_out_rules(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let of_rule = |rule: &str| (text("EventBusName"), text(rule));
        let next = self.lists_have_no_end.then_some("more");
        Ok(match name {
            "DescribeRule" => self.rules.get(&of_rule("Name")).ok_or_else(not_found)?.clone(),
            "ListArchives" => {
                let archives = self.archives.iter().map(|name| json!({ "ArchiveName": name }));
                json!({ "Archives": archives.collect::<Vec<_>>() })
            }
            "ListRules" => {
                let (bus, prefix) = (text("EventBusName"), text("NamePrefix"));
                let rules = self.rules.iter();
                let rules = rules.filter(|((of, name), _)| *of == bus && name.starts_with(&prefix));
                let listed = |((_, name), rule): (&(String, String), &Json)| {
                    let kept = ["Arn", "Description", "EventPattern", "RoleArn", "State"];
                    let kept = kept.map(|key| (key.to_owned(), rule[key].clone()));
                    let mut listed = Json::Object(kept.into_iter().collect());
                    (listed["Name"], listed["ManagedBy"]) = (json!(name), json!(managed_by(name)));
                    listed
                };
                let rules: Vec<Json> = rules.map(listed).collect();
                json!({ "Rules": rules, "NextToken": next })
            }
            "PutRule" => {
                let arn = rule_arn(&text("EventBusName"), &text("Name"));
                // AWS ignores the tags of a call that changes a rule.
                self.tags
                    .entry(arn.clone())
                    .or_insert_with(|| pairs(&body["Tags"]));
                self.rules.insert(of_rule("Name"), with(body, &arn));
                json!({ "RuleArn": arn })
            }
            "DeleteRule" => {
                if self
                    .targets
                    .get(&of_rule("Name"))
                    .is_some_and(|held| !held.is_empty())
                {
                    return Err(Trouble::Says("ValidationException", "It has targets."));
                }
                self.rules.remove(&of_rule("Name"));
                self.tags.remove(&rule_arn(&text("EventBusName"), &text("Name")));
                json!({})
            }
            "ListTargetsByRule" => {
                let targets = self.targets.get(&of_rule("Rule")).cloned().unwrap_or_default();
                json!({ "Targets": targets, "NextToken": next })
            }
            "ListRuleNamesByTarget" => {
                let leads = |held: &&Vec<Json>| held.iter().any(|one| one["Arn"] == body["TargetArn"]);
                let rules = self
                    .targets
                    .iter()
                    .filter(|((bus, _), held)| *bus == text("EventBusName") && leads(held));
                json!({ "RuleNames": rules.map(|((_, rule), _)| rule).collect::<Vec<_>>() })
            }
            "PutTargets" | "RemoveTargets" if self.failed_entry.is_some() => {
                let (code, message) = self.failed_entry.unwrap_or_default();
                let entry = json!({ "ErrorCode": code, "ErrorMessage": message, "TargetId": "t" });
                json!({ "FailedEntryCount": 1, "FailedEntries": [entry] })
            }
            "PutTargets" | "RemoveTargets" => {
                self.change_targets(&of_rule("Rule"), body);
                json!({ "FailedEntryCount": 0, "FailedEntries": [] })
            }
            _ => return self.carry_out_logs(name, body),
        })
    }

    /// Puts the targets of a request, or removes those that it names.
    fn change_targets(&mut self, rule: &(String, String), body: &Json) {
        let put = body["Targets"].as_array().cloned().unwrap_or_default();
        let mut gone = body["Ids"].as_array().cloned().unwrap_or_default();
        gone.extend(put.iter().map(|target| target["Id"].clone()));
        let held = self.targets.entry(rule.clone()).or_default();
        held.retain(|one| !gone.contains(&one["Id"]));
        held.extend(put);
        if held.is_empty() {
            self.targets.remove(rule);
        }
    }

    /// Both services have calls of these names, in other words.
    fn tags_of(&mut self, name: &str, body: &Json) -> Json {
        let arn = body["ResourceARN"].as_str().or(body["resourceArn"].as_str());
        let held = self.tags.entry(arn.unwrap_or_default().to_owned()).or_default();
        if name == "UntagResource" {
            let gone = body["TagKeys"].as_array().or(body["tagKeys"].as_array());
            for key in gone.into_iter().flatten().filter_map(Json::as_str) {
                held.remove(key);
            }
        }
        let pairs: Vec<Json> = held
            .iter()
            .map(|(k, v)| json!({ "Key": k, "Value": v }))
            .collect();
        json!({ "Tags": pairs, "tags": held })
    }

    fn carry_out_logs(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let group = text("logGroupName");
        Ok(match name {
            "DescribeLogGroups" => {
                let prefix = text("logGroupNamePrefix");
                let held = self.groups.iter().filter(|(name, _)| name.starts_with(&prefix));
                json!({ "logGroups": held.map(|(_, group)| group).collect::<Vec<_>>() })
            }
            "CreateLogGroup" => {
                let tags = serde_json::from_value(body["tags"].clone()).unwrap_or_default();
                let made = self.make_group(&group, tags);
                made["kmsKeyId"] = body["kmsKeyId"].clone();
                json!({})
            }
            "DeleteLogGroup" => {
                self.streams.retain(|(of, _)| *of != group);
                self.groups.remove(&group).ok_or_else(not_found)?;
                self.policies.remove(&group_arn(&group));
                self.tags.remove(&group_arn(&group));
                json!({})
            }
            "PutRetentionPolicy" | "DeleteRetentionPolicy" => {
                self.groups.get_mut(&group).ok_or_else(not_found)?["retentionInDays"] =
                    body["retentionInDays"].clone();
                json!({})
            }
            "AssociateKmsKey" | "DisassociateKmsKey" => {
                // Null where there is none.
                self.groups.get_mut(&group).ok_or_else(not_found)?["kmsKeyId"] = body["kmsKeyId"].clone();
                json!({})
            }
            "FilterLogEvents" => {
                let shown = self.log_events.iter().map(|message| {
                    json!({ "message": message, "timestamp": 1_700_000_001_000_i64, "ingestionTime": 1_700_000_001_500_i64 })
                });
                json!({ "events": shown.collect::<Vec<_>>() })
            }
            "DescribeResourcePolicies" if body["policyScope"] == "RESOURCE" => {
                let (wanted, revision) = (body["resourceArn"].as_str(), self.revision.to_string());
                let held = self.policies.iter();
                let held = held.filter(|(arn, _)| wanted.is_none_or(|wanted| wanted == *arn));
                let shown = held.map(|(arn, document)| {
                    json!({ "policyDocument": document, "policyScope": "RESOURCE", "revisionId": revision, "resourceArn": arn })
                });
                json!({ "resourcePolicies": shown.collect::<Vec<_>>() })
            }
            "DescribeResourcePolicies" => {
                let held = self.account_policies.iter();
                let shown =
                    held.map(|(name, document)| json!({ "policyName": name, "policyDocument": document }));
                json!({ "resourcePolicies": shown.collect::<Vec<_>>() })
            }
            "PutResourcePolicy" => {
                let document = stored_policy(&text("policyDocument"))?;
                if body["policyName"].is_string() {
                    self.account_policies.insert(text("policyName"), document);
                } else {
                    self.revision += 1;
                    self.policies.insert(text("resourceArn"), document);
                }
                json!({})
            }
            "DeleteResourcePolicy" => {
                self.policies.remove(&text("resourceArn"));
                json!({})
            }
            _ => return self.carry_out_streams(name, body),
        })
    }

    /// A log group with tags.
    pub(in crate::tests) fn make_group(&mut self, name: &str, tags: BTreeMap<String, String>) -> &mut Json {
        let arn = group_arn(name);
        self.tags.insert(arn.clone(), tags);
        let made = self.groups.entry(name.to_owned()).or_default();
        *made = json!({ "logGroupName": name, "logGroupArn": arn });
        made
    }
}

pub(in crate::tests) fn group_arn(name: &str) -> String {
    format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}")
}

/// As CloudWatch Logs keeps a policy: with root ARNs in place of account ids, and never given the ARNs themselves.
fn stored_policy(document: &str) -> Result<String, Trouble> {
    const REFUSED: &str = "Principal section of policy contains ARN instead of account ID";
    let Ok(mut policy) = serde_json::from_str::<Json>(document) else {
        return Ok(document.to_owned());
    };
    let statements = policy["Statement"].as_array_mut().into_iter().flatten();
    for principal in statements.filter_map(|statement| statement.pointer_mut("/Principal/AWS")) {
        match principal.as_str().unwrap_or_default() {
            arn if arn.starts_with("arn:") => {
                return Err(Trouble::Says("InvalidParameterException", REFUSED));
            }
            "*" => {}
            account => *principal = json!(format!("arn:aws:iam::{account}:root")),
        }
    }
    Ok(policy.to_string())
}

/// AWS manages the rule of an archive.
fn managed_by(rule: &str) -> Option<&'static str> {
    match rule {
        "EventsV2-EventSource" => Some("events.amazonaws.com"),
        _ => rule
            .starts_with("Events-Archive-")
            .then_some("prod.vhs.events.aws.internal"),
    }
}

fn bus_arn(name: &str) -> String {
    format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{name}")
}

fn rule_arn(bus: &str, name: &str) -> String {
    format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/{bus}/{name}")
}

pub(super) fn with(body: &Json, arn: &str) -> Json {
    let mut held = body.clone();
    held["Arn"] = json!(arn);
    held
}

/// The answer without empty texts and objects.
fn without_empty(mut answer: Json) -> Json {
    match &mut answer {
        Json::Object(all) => {
            let kept = std::mem::take(all).into_iter();
            let kept = kept.map(|(name, value)| (name, without_empty(value)));
            let empty = |value: &Json| *value == json!("") || *value == json!({});
            // CloudWatch Logs shows that there are no tags.
            *all = kept
                .filter(|(name, value)| name == "tags" || !empty(value))
                .collect();
        }
        Json::Array(all) => all.iter_mut().for_each(|one| *one = without_empty(one.take())),
        _ => {}
    }
    answer
}

fn pairs(tags: &Json) -> BTreeMap<String, String> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let tags = tags.as_array().into_iter().flatten();
    tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

pub(super) fn not_found() -> Trouble {
    Trouble::Says("ResourceNotFoundException", "There is none.")
}

#[derive(Debug)]
struct Connector(Fake);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let user_agent = request.headers().get("user-agent").unwrap_or_default();
        user_agent.clone_into(&mut self.0.state().user_agent);
        let body = request.body().bytes().unwrap_or_default();
        if let Some((name, body)) = fake_custom::read(request.uri(), body) {
            return match self.0.answer(&name, &body) {
                Some(answer) => HttpConnectorFuture::ready(fake_custom::response(answer)),
                None => HttpConnectorFuture::new(std::future::pending()),
            };
        }
        let target = request.headers().get("x-amz-target");
        let (name, body) = match target.and_then(|target| target.rsplit('.').next()) {
            Some(name) => (name.to_owned(), serde_json::from_slice(body).unwrap_or_default()),
            // SNS and IAM speak forms and XML.
            None => fake_sns::read(body),
        };
        match self.0.answer(&name, &body) {
            Some(answer) if target.is_none() => HttpConnectorFuture::ready(xml(&name, answer)),
            Some(answer) => HttpConnectorFuture::ready(response(answer)),
            None => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

fn response(answer: Result<Json, Trouble>) -> Result<HttpResponse, ConnectorError> {
    match answer {
        Ok(body) => whole(200, body.to_string()),
        Err(Trouble::Says(code, message)) => {
            whole(400, json!({ "__type": code, "message": message }).to_string())
        }
        Err(Trouble::Empty) => whole(200, json!({}).to_string()),
        Err(_) => Err(ConnectorError::io("connection reset".into())),
    }
}

fn xml(name: &str, answer: Result<Json, Trouble>) -> Result<HttpResponse, ConnectorError> {
    match answer {
        Ok(body) if fake_iam::is_call(name) => whole(200, fake_iam::answer(name, &body)),
        Ok(body) => whole(200, fake_sns::answer(name, &body)),
        Err(Trouble::Empty) => whole(200, fake_sns::empty(name)),
        Err(Trouble::Says(code, message)) => whole(400, fake_sns::error(code, message)),
        Err(_) => Err(ConnectorError::io("connection reset".into())),
    }
}

fn whole(status: u16, body: String) -> Result<HttpResponse, ConnectorError> {
    let status = status.try_into().map_err(|e| ConnectorError::user(Box::new(e)))?;
    let mut response = HttpResponse::new(status, body.into());
    response.headers_mut().insert("x-amzn-requestid", "r-1");
    Ok(response)
}

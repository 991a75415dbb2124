//! EventBridge V2 of the fake AWS, with its wire form: CBOR. Calls are named `v2:CreateEventBus`, since Classic has a call of the
//! same name. Times are the seconds of members whose names end in `Time` or `Point`.

use std::collections::{BTreeMap, VecDeque};

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::DateTime;
use serde_json::{Map, Value as Json, json};

use super::fake::{ACCOUNT, Holdings, Trouble, not_found};

pub(super) const PREFIX: &str = "v2:";
const PATH: &str = "/service/AWSEventsV2/operation/";

/// What it holds.
#[derive(Debug, Default)]
pub(in crate::tests) struct Custom {
    /// By ARN, as they are described.
    pub(in crate::tests) buses: BTreeMap<String, Json>,
    /// The event sources by ARN, as they are described.
    pub(in crate::tests) sources: BTreeMap<String, Json>,
    /// Names of the subscribers of all buses.
    pub(in crate::tests) subscribers: Vec<&'static str>,
    /// The subscribers that were made here by ARN, as they are described.
    pub(in crate::tests) held_subscribers: BTreeMap<String, Json>,
    /// A queue for failure records stays, whatever an update says.
    pub(in crate::tests) keeps_queue: bool,
    /// States that the next looks at a bus find, with the reason.
    pub(in crate::tests) states: VecDeque<(&'static str, &'static str)>,
    /// A bus that a deletion leaves, as `DELETE_FAILED`.
    pub(in crate::tests) undeletable: Option<String>,
    /// An update is taken, and fails.
    pub(in crate::tests) unchangeable: bool,
    /// The results of creations, by their tokens.
    pub(super) tokens: BTreeMap<String, Json>,
    /// What the last update carried.
    pub(in crate::tests) updated: Json,
}

impl Custom {
    /// A bus that somebody made.
    pub(in crate::tests) fn hold(&mut self, account: &str, name: &str) -> String {
        let arn = format!(
            "arn:aws:events:us-east-1:{account}:event-busv2/{name}/{:025}",
            self.buses.len()
        );
        let bus = json!({
            "EventBusArn": arn, "Name": name, "State": "ACTIVE", "CreationTime": 1_790_000_000,
            "StorageConfiguration": { "RetentionPeriodInDays": 1, "RetentionWindowStartTime": 1_790_000_000 },
        });
        self.buses.insert(arn.clone(), bus);
        arn
    }

    fn make(&mut self, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if let Some(made) = self.tokens.get(&text("ClientToken")) {
            return Ok(made.clone());
        }
        if self.buses.values().any(|bus| bus["Name"] == body["Name"]) {
            return Err(Trouble::Says("ResourceAlreadyExistsException", "It exists."));
        }
        let arn = self.hold(ACCOUNT, &text("Name"));
        self.change(&arn, body)?;
        let mut made = self.buses[&arn].clone();
        made["State"] = json!("CREATING");
        self.tokens.insert(text("ClientToken"), made.clone());
        Ok(made)
    }

    /// What a call mentions is changed. A key's alias is shown as the key's ARN, and no key as none.
    fn change(&mut self, arn: &str, body: &Json) -> Result<(), Trouble> {
        let bus = self.buses.get_mut(arn).ok_or_else(not_found)?;
        if body["Description"].is_string() {
            bus["Description"] = body["Description"].clone();
        }
        let days = &body["StorageConfiguration"]["RetentionPeriodInDays"];
        if days.is_number() {
            bus["StorageConfiguration"]["RetentionPeriodInDays"] = days.clone();
        }
        if body["EncryptionConfiguration"].is_object() {
            let key = body["EncryptionConfiguration"]["KmsKeyIdentifier"].as_str();
            let shown = key.map(|key| json!({ "KmsKeyIdentifier": shown_key(key) }));
            bus["EncryptionConfiguration"] = shown.unwrap_or_default();
        }
        Ok(())
    }

    fn described(&mut self, arn: &str) -> Result<Json, Trouble> {
        let mut bus = self.buses.get(arn).cloned().ok_or_else(not_found)?;
        if let Some((state, reason)) = self.states.pop_front() {
            bus["State"] = json!(state);
            bus["StateReason"] = json!(reason);
        }
        Ok(bus)
    }
}

impl Holdings {
    pub(super) fn carry_out_custom(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let arn = text("EventBusArn");
        Ok(match name.strip_prefix(PREFIX).unwrap_or_default() {
            "CreateEventBus" => {
                let made = self.custom.make(body)?;
                let tags = serde_json::from_value(body["Tags"].clone()).unwrap_or_default();
                let arn = made["EventBusArn"].as_str().unwrap_or_default();
                self.tags.insert(arn.to_owned(), tags);
                made
            }
            "DescribeEventBus" => self.custom.described(&arn)?,
            "UpdateEventBus" => {
                if !self.custom.unchangeable {
                    self.custom.change(&arn, body)?;
                }
                self.custom.updated = body.clone();
                json!({})
            }
            "DeleteEventBus" => {
                if !self.custom.subscribers.is_empty() {
                    return Err(Trouble::Says("ResourceInUseException", "It has subscribers."));
                }
                let bus = self.custom.buses.get_mut(&arn).ok_or_else(not_found)?;
                if self.custom.undeletable.as_ref() == Some(&arn) {
                    bus["State"] = json!("DELETE_FAILED");
                } else {
                    self.custom.buses.remove(&arn);
                }
                json!({})
            }
            "ListEventBuses" => {
                let prefix = text("NamePrefix");
                let named = |bus: &&Json| bus["Name"].as_str().is_some_and(|name| name.starts_with(&prefix));
                json!({ "EventBuses": self.custom.buses.values().filter(named).collect::<Vec<_>>() })
            }
            call @ ("CreateSubscriber" | "DescribeSubscriber" | "UpdateSubscriber" | "DeleteSubscriber"
            | "ListSubscribers") => return self.carry_out_subscribers(call, body),
            "CreateEventSource"
            | "DescribeEventSource"
            | "UpdateEventSource"
            | "DeleteEventSource"
            | "ListEventSources" => return self.carry_out_sources(name, body),
            "ListTagsForResource" => json!({ "Tags": self.tags.entry(text("ResourceArn")).or_default() }),
            "TagResource" => {
                let tags = serde_json::from_value(body["Tags"].clone()).unwrap_or_default();
                let held = self.tags.entry(text("ResourceArn")).or_default();
                held.extend::<BTreeMap<String, String>>(tags);
                json!({})
            }
            "UntagResource" => {
                let held = self.tags.entry(text("ResourceArn")).or_default();
                for key in body["TagKeys"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                {
                    held.remove(key);
                }
                json!({})
            }
            other => panic!("the fake has no {other}"),
        })
    }
}

impl Holdings {
    fn carry_out_sources(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let arn = text("EventSourceArn");
        Ok(match name.strip_prefix(PREFIX).unwrap_or_default() {
            "CreateEventSource" => {
                if let Some(made) = self.custom.tokens.get(&text("ClientToken")) {
                    return Ok(made.clone());
                }
                if self
                    .custom
                    .sources
                    .values()
                    .any(|source| source["Name"] == body["Name"])
                {
                    return Err(Trouble::Says("ResourceAlreadyExistsException", "It exists."));
                }
                let partner = partner_of(body);
                if self.sources.get(&partner) != Some(&"PENDING") {
                    return Err(Trouble::Says("InvalidStateException", "It is not PENDING."));
                }
                let id = self.custom.sources.len();
                let arn = format!(
                    "arn:aws:events:us-east-1:{ACCOUNT}:event-sourcev2/aws.partner/{}/{id:025}",
                    text("Name")
                );
                let mut made = with_shown_key(body);
                made["EventSourceArn"] = json!(arn);
                made["State"] = json!("ACTIVE");
                made["CreationTime"] = json!(1_790_000_000);
                self.forward(&partner, &text("EventBusArn"));
                let tags = serde_json::from_value(body["Tags"].clone()).unwrap_or_default();
                self.tags.insert(arn.clone(), tags);
                self.custom.tokens.insert(text("ClientToken"), made.clone());
                self.custom.sources.insert(arn, made.clone());
                made
            }
            "DescribeEventSource" => {
                let mut source = self.custom.sources.get(&arn).cloned().ok_or_else(not_found)?;
                if let Some((state, _)) = self.custom.states.pop_front() {
                    source["State"] = json!(state);
                }
                source
            }
            "UpdateEventSource" => {
                let source = self.custom.sources.get_mut(&arn).ok_or_else(not_found)?;
                for member in ["Configuration", "Description"] {
                    if !body[member].is_null() {
                        source[member] = with_shown_key(body)[member].clone();
                    }
                }
                let to = source["EventBusArn"].as_str().unwrap_or_default().to_owned();
                self.custom.updated = body.clone();
                if !body["Configuration"].is_null() {
                    self.forward(&partner_of(body), &to);
                }
                json!({})
            }
            "DeleteEventSource" => {
                let source = self.custom.sources.remove(&arn).ok_or_else(not_found)?;
                let partner = partner_of(&source);
                self.buses.remove(&partner);
                self.rules.remove(&managed_rule(&partner));
                self.targets.remove(&managed_rule(&partner));
                self.sources.insert(partner, "PENDING");
                json!({})
            }
            _ => {
                let sources: Vec<&Json> = self.custom.sources.values().collect();
                json!({ "EventSources": sources })
            }
        })
    }

    /// The Classic bus that AWS manages for a partner's source, and the rule on it that leads to the custom event bus.
    fn forward(&mut self, partner: &str, to: &str) {
        let arn = format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{partner}");
        let bus = json!({ "Name": partner, "Arn": arn, "ManagedBy": "events.amazonaws.com" });
        self.buses.insert(partner.to_owned(), bus);
        self.sources.insert(partner.to_owned(), "ACTIVE");
        let (bus, rule) = managed_rule(partner);
        let held = json!({ "Name": rule, "State": "ENABLED", "ManagedBy": "events.amazonaws.com" });
        self.rules.insert((bus.clone(), rule.clone()), held);
        self.targets
            .insert((bus, rule), vec![json!({ "Id": "to", "Arn": to })]);
    }
}

/// A key's alias is shown as the key's ARN.
fn shown_key(key: &str) -> String {
    if key.starts_with("arn:") {
        return key.to_owned();
    }
    format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/of-{}", key.replace('/', "-"))
}

/// The same in what is written of an event source.
fn with_shown_key(body: &Json) -> Json {
    let mut body = body.clone();
    if let Some(partner) = body["Configuration"]["PartnerEventsConfiguration"].as_object_mut()
        && let Some(key) = partner.get_mut("PartnerBusKmsKeyIdentifier")
    {
        *key = json!(shown_key(key.as_str().unwrap_or_default()));
    }
    body
}

/// The managed rule by bus and name.
fn managed_rule(partner: &str) -> (String, String) {
    (partner.to_owned(), "EventsV2-EventSource".to_owned())
}

fn partner_of(body: &Json) -> String {
    let arn = &body["Configuration"]["PartnerEventsConfiguration"]["PartnerEventSourceArn"];
    let name = arn.as_str().and_then(|arn| arn.split_once("event-source/"));
    name.map_or_else(String::new, |(_, name)| name.to_owned())
}

/// A call from a request, if it is one of this service.
pub(super) fn read(uri: &str, body: &[u8]) -> Option<(String, Json)> {
    let (_, name) = uri.split_once(PATH)?;
    let body = decoded(&mut Decoder::new(body));
    Some((format!("{PREFIX}{name}"), body))
}

/// The answer.
pub(super) fn response(answer: Result<Json, Trouble>) -> Result<HttpResponse, ConnectorError> {
    match answer {
        Ok(body) => whole(200, &body),
        Err(Trouble::Empty) => whole(200, &json!({})),
        Err(Trouble::Says(code, message)) => {
            let status = match code {
                "ResourceNotFoundException" => 404,
                "AccessDeniedException" => 403,
                "ThrottlingException" => 429,
                "InternalException" => 500,
                "InvalidInputException" | "LimitExceededException" => 400,
                _ => 409,
            };
            whole(status, &json!({ "__type": code, "Message": message }))
        }
        Err(_) => Err(ConnectorError::io("connection reset".into())),
    }
}

fn whole(status: u16, body: &Json) -> Result<HttpResponse, ConnectorError> {
    let status = status.try_into().map_err(|e| ConnectorError::user(Box::new(e)))?;
    let mut encoder = Encoder::new(Vec::new());
    encode("", body, &mut encoder);
    let mut response = HttpResponse::new(status, encoder.into_writer().into());
    response.headers_mut().insert("x-amzn-requestid", "r-1");
    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    Ok(response)
}

fn encode(name: &str, value: &Json, to: &mut Encoder) {
    match value {
        Json::Null => to.null(),
        Json::Bool(value) => to.boolean(*value),
        Json::Number(number) if name.ends_with("Time") || name.ends_with("Point") => {
            to.timestamp(&DateTime::from_secs(number.as_i64().unwrap_or_default()))
        }
        Json::Number(number) => to.long(number.as_i64().unwrap_or_default()),
        Json::String(text) => to.str(text),
        Json::Array(all) => {
            to.array(all.len());
            for one in all {
                encode("", one, to);
            }
            to
        }
        Json::Object(all) => {
            to.map(all.len());
            for (name, value) in all {
                to.str(name);
                encode(name, value, to);
            }
            to
        }
    };
}

fn decoded(from: &mut Decoder<'_>) -> Json {
    match from.datatype().unwrap() {
        Type::Map | Type::MapIndef => {
            let count = from.map().unwrap();
            let mut all = Map::new();
            while goes_on(from, count, all.len()) {
                let name = from.string().unwrap();
                all.insert(name, decoded(from));
            }
            Json::Object(all)
        }
        Type::Array | Type::ArrayIndef => {
            let count = from.list().unwrap();
            let mut all = Vec::new();
            while goes_on(from, count, all.len()) {
                all.push(decoded(from));
            }
            Json::Array(all)
        }
        Type::Tag => json!(from.timestamp().unwrap().secs()),
        Type::String | Type::StringIndef => json!(from.string().unwrap()),
        Type::Bool => json!(from.boolean().unwrap()),
        Type::Null => {
            from.null().unwrap();
            Json::Null
        }
        _ => json!(from.long().unwrap()),
    }
}

/// Whether a list or map has another element: it says how many it has, or ends in a mark.
fn goes_on(from: &mut Decoder<'_>, count: Option<u64>, read: usize) -> bool {
    match count {
        Some(count) => (read as u64) < count,
        None if from.datatype().unwrap() == Type::Break => {
            from.skip().unwrap();
            false
        }
        None => true,
    }
}

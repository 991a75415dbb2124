//! A change of the state, as a request and as the journal stores it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::assumptions::Assumptions;
use crate::caller::Caller;
use crate::clock::Millis;
use crate::delivery::custom_bus::Ask;
use crate::delivery::http::HttpResult;
use crate::model::Service;
use crate::secret::Secret;
use crate::segments::{LogId, Place};
use crate::state::custom_bus::{PublishCall, Rendered, SubscriberId};

/// A request, decoded from the wire.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) key: Option<String>,
    pub(crate) region: String,
    pub(crate) body: Body,
    /// The address that the caller reached us at.
    pub(crate) base_url: String,
}

/// A request's input: decoded, and the text that is stored of it. Some inputs contain credentials.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) value: Secret<Value>,
    text: Secret<Arc<[u8]>>,
}

impl Request {
    /// Where members that AWS's model does not have would be refused, they are as if they were not there.
    pub(crate) fn leave_out_unknown_members(&mut self) {
        let input = self
            .service
            .input(&self.operation)
            .filter(|input| input.is_strict());
        if let Some(input) = input {
            let mut value = Value::clone(&self.body.value);
            input.leave_out_unknown(&mut value);
            self.body = value.into();
        }
    }
}

impl Body {
    /// `text` is the JSON that `value` was decoded from.
    pub(crate) fn new(value: Value, text: &[u8]) -> Self {
        // A line break between tokens would end the journal's line.
        if text.contains(&b'\n') {
            return value.into();
        }
        Self {
            value: value.into(),
            text: Arc::<[u8]>::from(text).into(),
        }
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        let text: Arc<[u8]> = value.to_string().into_bytes().into();
        Self {
            value: value.into(),
            text: text.into(),
        }
    }
}

/// One stored change: running it again at its time and with its seed gives the same state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: Millis,
    pub(crate) seed: u64,
    pub(crate) change: Change,
}

/// Everything that changes the state.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Call {
        caller: Caller,
        service: Service,
        operation: String,
        body: Secret<Value>,
    },
    /// Events were published on a custom event bus. The segments have them, and how they were published.
    Published {
        call: PublishCall,
        events: Vec<Place>,
    },
    /// Retained events were read for a subscriber.
    Read {
        subscriber: SubscriberId,
        log: LogId,
        ask: Ask,
        events: Vec<Place>,
    },
    /// Timers were due.
    Tick,
    /// The requests and evaluations with these numbers are made again: it is not known how they ended.
    Resume {
        ids: Vec<u64>,
    },
    /// A request over HTTP ended.
    #[serde(rename = "settle")]
    HttpResult {
        delivery: u64,
        #[serde(rename = "outcome")]
        result: HttpResult,
    },
    /// The expressions of a subscriber were evaluated.
    Evaluated {
        delivery: u64,
        rendered: Rendered,
    },
    MoveClock {
        by: Millis,
    },
    Reset,
    /// The operator started it with other URLs for targets that are not emulated.
    Targets {
        urls: BTreeMap<String, String>,
    },
    /// The operator started it with another setting of what roles allow that were never created here.
    UnknownRoles {
        denied: bool,
    },
    /// The operator started it with other assumptions.
    Assume {
        assumptions: Assumptions,
    },
    /// The numbers below `to` are taken. Earlier versions sent requests before their change was on disk, and wrote this
    /// after a refused one; it is only read now.
    SkipDeliveries {
        to: u64,
    },
}

impl Change {
    /// The retained events that it names.
    pub(crate) fn places(&self) -> &[Place] {
        match self {
            Self::Published { events, .. } | Self::Read { events, .. } => events,
            _ => &[],
        }
    }
}

/// An entry as the journal stores it: JSON, that of a request in pieces, so that its body is neither copied nor
/// serialised under the engine's lock.
#[derive(Debug)]
pub(crate) struct Stored {
    head: Secret<Vec<u8>>,
    body: Secret<Arc<[u8]>>,
    tail: &'static [u8],
}

/// The entry of a request, without its body.
#[derive(Serialize)]
struct CallEntry<'a> {
    at: Millis,
    seed: u64,
    change: CallChange<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum CallChange<'a> {
    Call {
        caller: &'a Caller,
        service: Service,
        operation: &'a str,
        body: (),
    },
}

impl Stored {
    pub(crate) fn call(at: Millis, seed: u64, caller: &Caller, request: &Request) -> Self {
        let change = CallChange::Call {
            caller,
            service: request.service,
            operation: &request.operation,
            body: (),
        };
        let mut head = json(&CallEntry { at, seed, change });
        head.truncate(head.len().saturating_sub("null}}}".len()));
        Self {
            head: head.into(),
            body: request.body.text.clone(),
            tail: b"}}}",
        }
    }

    pub(crate) fn pieces(&self) -> [&[u8]; 3] {
        [&self.head, &self.body, self.tail]
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces().into_iter().map(<[u8]>::len).sum()
    }
}

impl From<&Entry> for Stored {
    fn from(entry: &Entry) -> Self {
        Self {
            head: json(entry).into(),
            body: Secret::default(),
            tail: b"",
        }
    }
}

/// An entry is plain data with text keys: it always serialises.
fn json(entry: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(entry).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored of a request with this body, and its entry.
    fn stored(body: &str) -> (String, Entry) {
        let caller = Caller {
            account: "1".to_owned(),
            region: "r".to_owned(),
            key: Some("\"k\"".to_owned()),
        };
        let value: Value = serde_json::from_str(body).unwrap();
        let request = Request {
            service: Service::Events,
            operation: "PutEvents".to_owned(),
            key: None,
            region: String::new(),
            body: Body::new(value.clone(), body.as_bytes()),
            base_url: String::new(),
        };
        let text = Stored::call(7, 8, &caller, &request).pieces().concat();
        let change = Change::Call {
            caller,
            service: request.service,
            operation: request.operation,
            body: value.into(),
        };
        let entry = Entry {
            at: 7,
            seed: 8,
            change,
        };
        (String::from_utf8(text).unwrap(), entry)
    }

    #[test]
    fn a_request_is_stored_as_its_entry() {
        for body in ["{}", r#"{"A":[1.50,"é\"",null],"B":{"c":1e+3}}"#] {
            let (text, entry) = stored(body);
            assert_eq!(text, serde_json::to_string(&entry).unwrap());
            let whole = Stored::from(&entry);
            assert_eq!(whole.pieces().concat(), text.as_bytes());
            assert_eq!(whole.len(), text.len());
        }
    }

    #[test]
    fn however_a_body_is_spelt_it_is_one_line_and_read_back_the_same() {
        for body in [
            r#" { "B" : 1 , "A" : "x" } "#,
            "{\n  \"A\": [\r\n1\n]\n}\n",
            r#"{"A":1,"A":2}"#,
            r#"{"A":"\u00e9\n\/"}"#,
            r#"{"A":-0.10E+2,"B":123456789012345678901234567890}"#,
        ] {
            let (text, entry) = stored(body);
            assert!(!text.contains('\n'), "{text}");
            let read: Entry = serde_json::from_str(&text).unwrap();
            let [read, entry] = [&read, &entry].map(|entry| serde_json::to_string(entry).unwrap());
            assert_eq!(read, entry, "{body}");
        }
    }
}

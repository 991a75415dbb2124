//! The query protocol: a form whose `Action` names the operation and whose `Version` the service.

use serde_json::{Map, Value};

use super::reply::Wire;
use crate::change::Body;
use crate::fault::Fault;
use crate::model::{Form, Service};

/// The operation of a service, with its input as JSON.
pub(super) type Call = Result<(Service, String, Body), Fault>;

/// A service that speaks the protocol.
struct Speaker {
    version: &'static str,
    namespace: &'static str,
    /// `None`: it is built here in another protocol only.
    service: Option<Service>,
}

const SPEAKERS: [Speaker; 4] = [
    Speaker {
        version: "2011-06-15",
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
        service: Some(Service::Sts),
    },
    Speaker {
        version: "2010-03-31",
        namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
        service: Some(Service::Sns),
    },
    Speaker {
        version: "2010-05-08",
        namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
        service: Some(Service::Iam),
    },
    Speaker {
        version: "2012-11-05",
        namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
        service: None,
    },
];

/// Reads a form.
pub(super) fn read(form: &[u8]) -> (Wire, Call) {
    let form = pairs(form);
    let version = form.get("Version").map(String::as_str);
    let speaker = SPEAKERS.iter().find(|one| Some(one.version) == version);
    let wire = Wire::Query(speaker.unwrap_or(&SPEAKERS[0]).namespace);
    (wire, call(&form, version, speaker))
}

fn call(form: &Form, version: Option<&str>, speaker: Option<&Speaker>) -> Call {
    let operation = form.get("Action").filter(|name| !name.is_empty());
    let Some(operation) = operation else {
        let why = "The request names no operation.";
        return Err(Fault::new("UnknownOperationException", why));
    };
    let service = match (version, speaker) {
        (None, _) => SPEAKERS
            .iter()
            .filter_map(|one| one.service)
            .find(|service| service.model().knows(operation))
            .ok_or_else(|| unknown_service(operation))?,
        (Some(version), None) => return Err(unknown_service(&format!("{operation}, version {version}"))),
        (Some(_), Some(speaker)) => speaker.service.ok_or_else(|| json_only(operation))?,
    };
    let empty = || Value::Object(Map::new());
    let input = service
        .input(operation)
        .map_or_else(empty, |input| input.read_form(form));
    Ok((service, operation.clone(), input.into()))
}

fn json_only(operation: &str) -> Fault {
    let why = format!(
        "The local AWS speaks SQS's JSON protocol, not the query protocol of `{operation}`; nothing was done. \
         SDKs since the end of 2023 use JSON."
    );
    Fault::new("UnknownOperationException", why)
}

pub(super) fn unknown_service(target: &str) -> Fault {
    Fault::new(
        "UnknownOperationException",
        format!("The local AWS does not have the service of `{target}`; nothing was done."),
    )
}

fn pairs(form: &[u8]) -> Form {
    let text = String::from_utf8_lossy(form);
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((decode(name), decode(value)))
    };
    text.trim().split('&').filter_map(pair).collect()
}

/// Decodes `+` and `%XX`; an invalid escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = || std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok();
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => match hex().and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(byte) => {
                    out.push(byte);
                    at += 2;
                }
                None => out.push(b'%'),
            },
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        for (text, expected) in [
            ("a+b%2Fc", "a b/c"),
            ("%", "%"),
            ("%zz", "%zz"),
            ("%C3%A9", "é"),
            ("%4", "%4"),
        ] {
            assert_eq!(decode(text), expected);
        }
    }

    #[test]
    fn a_version_names_the_service() {
        for (form, expected) in [
            ("Action=GetCallerIdentity&Version=2011-06-15", Some(Service::Sts)),
            ("Action=GetCallerIdentity", Some(Service::Sts)),
            ("Action=CreateTopic&Version=2010-03-31", Some(Service::Sns)),
            ("Action=TagResource&Version=2010-03-31", Some(Service::Sns)),
            ("Action=CreateTopic", Some(Service::Sns)),
            ("Action=SendMessage&Version=2012-11-05", None),
            ("Action=ListMetrics&Version=2010-08-01", None),
            ("Action=CreateRole&Version=2010-05-08", Some(Service::Iam)),
            ("Action=ListUsers", Some(Service::Iam)),
            ("Action=ListMetrics", None),
            ("Version=2010-03-31", None),
        ] {
            let service = read(form.as_bytes()).1.ok().map(|(service, ..)| service);
            assert_eq!(service, expected, "{form}");
        }
    }
}

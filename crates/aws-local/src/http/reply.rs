//! Answers and refusals in the form the client's protocol reads.

use axum::body::Body;
use axum::response::Response;
use serde_json::json;

use super::{cbor, xml};
use crate::fault::Fault;
use crate::model::Service;
use crate::ops::Output;

/// The protocol a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Json1_0,
    Json1_1,
    /// The REST protocol with JSON. No service here speaks it, so it carries refusals only.
    RestJson,
    /// RPC with CBOR.
    Cbor,
    /// The query protocol, with the namespace that its service answers in.
    Query(&'static str),
}

impl Wire {
    pub(crate) fn answer(self, service: Service, operation: &str, answer: Result<Output, Fault>) -> Response {
        let output = match answer {
            Ok(output) => output,
            Err(fault) if service == Service::Sqs => return sqs_fault(&fault),
            Err(fault) => return self.fault(&fault),
        };
        let id = request_id();
        let body = match self {
            Self::Query(namespace) => {
                xml::answer(namespace, operation, &output.into_value(), &id).into_bytes()
            }
            Self::Json1_0 | Self::Json1_1 | Self::RestJson => output.text().into_bytes(),
            Self::Cbor => match output {
                Output::Put(results) => cbor::put_results(&results),
                other => cbor::output(service.output(operation), &other.into_value()),
            },
        };
        respond(200, &self.headers(&id), body)
    }

    pub(crate) fn fault(self, fault: &Fault) -> Response {
        let id = request_id();
        let body = match self {
            Self::Query(namespace) => xml::fault(namespace, fault, &id).into_bytes(),
            Self::Json1_0 | Self::Json1_1 => {
                let text = json!({ "__type": fault.code, "message": fault.message });
                text.to_string().into_bytes()
            }
            Self::RestJson => json!({ "message": fault.message }).to_string().into_bytes(),
            Self::Cbor => cbor::fault(fault),
        };
        let mut headers = self.headers(&id);
        if self == Self::RestJson {
            headers.push(("x-amzn-errortype", &fault.code));
        }
        respond(fault.status, &headers, body)
    }

    /// The headers of every answer. Clients of RPC with CBOR want their protocol named, on refusals too.
    fn headers(self, id: &str) -> Vec<(&'static str, &str)> {
        let mut headers = vec![("content-type", self.media_type()), ("x-amzn-requestid", id)];
        if self == Self::Cbor {
            headers.push(("smithy-protocol", "rpc-v2-cbor"));
        }
        headers
    }

    /// The refusal of a signature for a region that AWS does not have: a client of AWS's would not even find the host, and where
    /// it reaches another region's, that one answers so.
    pub(crate) fn no_region(self, service: Service, region: &str, why: &str) -> Response {
        let (status, code) = match self {
            Self::Query(_) => (403, "SignatureDoesNotMatch"),
            Self::Json1_0 | Self::Json1_1 | Self::RestJson | Self::Cbor => (400, "InvalidSignatureException"),
        };
        let message = format!("Credential should be scoped to a valid region, not '{region}'. {why}");
        let fault = Fault {
            status,
            ..Fault::new(code, message)
        };
        self.answer(service, "", Err(fault))
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Json1_0 => "application/x-amz-json-1.0",
            Self::Json1_1 => "application/x-amz-json-1.1",
            Self::RestJson => "application/json",
            Self::Cbor => "application/cbor",
            Self::Query(_) => "text/xml",
        }
    }
}

/// SQS names its errors by shape, and by the code of its older protocol in a header.
fn sqs_fault(fault: &Fault) -> Response {
    let (id, media) = (request_id(), Wire::Json1_0.media_type());
    let (shape, older) = sqs_names(&fault.code);
    let side = if fault.status < 500 { "Sender" } else { "Receiver" };
    let text = json!({ "__type": shape, "message": fault.message }).to_string();
    let query_error = format!("{older};{side}");
    let headers = [
        ("content-type", media),
        ("x-amzn-requestid", id.as_str()),
        ("x-amzn-query-error", &query_error),
    ];
    respond(fault.status, &headers, text)
}

/// The shape of an error and its code in the query protocol. Faults that are no shapes of SQS's own are its framework's.
fn sqs_names(code: &str) -> (String, String) {
    match code {
        "QueueDoesNotExist" => (own(code), "AWS.SimpleQueueService.NonExistentQueue".to_owned()),
        "QueueNameExists" => (own(code), "QueueAlreadyExists".to_owned()),
        "EmptyBatchRequest"
        | "TooManyEntriesInBatchRequest"
        | "BatchEntryIdsNotDistinct"
        | "BatchRequestTooLong"
        | "InvalidBatchEntryId"
        | "MessageNotInflight"
        | "PurgeQueueInProgress" => (own(code), format!("AWS.SimpleQueueService.{code}")),
        "InvalidParameterValue" => (framework("InvalidParameterValueException"), code.to_owned()),
        "AccessDenied" => (framework("AccessDeniedException"), code.to_owned()),
        "MissingParameter" => (framework("MissingRequiredParameterException"), code.to_owned()),
        "ValidationException"
        | "SerializationException"
        | "UnknownOperationException"
        | "InvalidSignatureException"
        | "InternalFailure" => (framework(code), code.to_owned()),
        other => (own(other), other.to_owned()),
    }
}

fn own(shape: &str) -> String {
    format!("com.amazonaws.sqs#{shape}")
}

fn framework(shape: &str) -> String {
    format!("com.amazon.coral.service#{shape}")
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A plain response with a body.
pub(super) fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap_or_default()
}

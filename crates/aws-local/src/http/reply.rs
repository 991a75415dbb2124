//! Answers and refusals in the form the client's protocol reads.

use axum::response::Response;
use serde_json::json;

use super::respond;
use crate::fault::Fault;
use crate::model::Service;
use crate::ops::{Answer, sts};

/// The protocol a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Json1_0,
    Json1_1,
    Query,
}

impl Wire {
    pub(super) fn answer(self, service: Service, operation: &str, answer: Answer) -> Response {
        let _ = service;
        let body = match answer {
            Ok(body) => body,
            Err(fault) => return self.fault(&fault),
        };
        let id = request_id();
        let text = if self == Self::Query {
            sts::to_xml(operation, &body, &id)
        } else {
            body.to_string()
        };
        respond(
            200,
            &[("content-type", self.media_type()), ("x-amzn-requestid", &id)],
            text,
        )
    }

    pub(super) fn fault(self, fault: &Fault) -> Response {
        let id = request_id();
        let text = match self {
            Self::Query => sts::fault_xml(fault, &id),
            Self::Json1_0 | Self::Json1_1 => {
                json!({ "__type": fault.code, "message": fault.message }).to_string()
            }
        };
        respond(
            fault.status,
            &[("content-type", self.media_type()), ("x-amzn-requestid", &id)],
            text,
        )
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Json1_0 => "application/x-amz-json-1.0",
            Self::Json1_1 => "application/x-amz-json-1.1",
            Self::Query => "text/xml",
        }
    }
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

//! Connections to AWS EventBridge: `/integrations/aws-event-bridge`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::Nothing;
use crate::{Account, Id, Kind, ToOne, bounded};

/// Identifier of an EventBridge connection.
pub type ConnectionId = Id<Connection>;

/// The kind `aws-event-bridge-integrations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {}

impl Connection {
    /// Path of the collection, under the API's base.
    pub const PATH: &'static str = "integrations/aws-event-bridge";
}

impl Kind for Connection {
    const TYPE: &'static str = "aws-event-bridge-integrations";
    type Attributes = ConnectionAttributes;
    type Relationships = ConnectionRelationships;
    type Input = ConnectionInput;
    type InputRelationships = Nothing;
}

/// A connection as the server answers it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionAttributes {
    /// Name; also the last segment of the event source's name.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// The AWS account that receives the events: 12 digits.
    #[serde(deserialize_with = "bounded::name")]
    pub aws_account_id: String,
    /// The AWS region that receives the events.
    #[serde(deserialize_with = "bounded::name")]
    pub region: String,
    /// Current status.
    pub status: Status,
    /// Why it failed.
    #[serde(default, deserialize_with = "bounded::text")]
    pub err_message: Option<String>,
    /// `aws.partner/scalr.com/<account>/<name>`; null until the source exists at AWS.
    #[serde(default, deserialize_with = "bounded::optional_name")]
    pub event_source: Option<String>,
    /// The source's ARN as the AWS account sees it.
    #[serde(default, deserialize_with = "bounded::optional_name")]
    pub event_source_arn: Option<String>,
}

/// What a connection belongs to.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionRelationships {
    /// The Scalr account.
    #[serde(default)]
    pub account: ToOne<Account>,
}

/// What a client may set. POST sends the first three; PATCH any of them.
///
/// `status` is a request: for `active` the server reads the event source's state from AWS again, and answers with the
/// resulting status; `disabled` pauses the stream.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionInput {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// AWS account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_account_id: Option<String>,
    /// AWS region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The requested status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

impl ConnectionInput {
    /// An input that sets the status alone.
    pub fn status(status: Status) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }
}

/// The status of a connection.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The event source is not associated with a bus yet.
    Pending,
    /// Events are streamed.
    Active,
    /// The stream is paused.
    Disabled,
    /// Nothing can be sent; the error message says why.
    Failed,
    /// A status that this version does not know.
    #[serde(untagged)]
    Other(#[serde(deserialize_with = "bounded::word")] String),
}

impl Status {
    /// The status as the wire spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
            Self::Other(text) => text,
        }
    }

    /// The status in the word that people read: the API's `disabled` is a pause.
    pub fn in_words(&self) -> &str {
        match self {
            Self::Disabled => "paused",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Document, Input, Object};

    #[test]
    fn an_answer_is_read_and_written_back() {
        let wire = json!({"data": {
            "type": "aws-event-bridge-integrations",
            "id": "in-v0o9h",
            "attributes": {
                "name": "prod", "aws-account-id": "123456789012", "region": "us-east-1", "status": "pending",
                "err-message": null, "event-source": "aws.partner/scalr.com/acme/prod",
                "event-source-arn": "arn:aws:events:us-east-1::event-source/aws.partner/scalr.com/acme/prod",
            },
            "relationships": {"account": {"data": {"type": "accounts", "id": "acc-1"}}},
        }});
        let read: Document<Object<Connection>> = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(read.data.attributes.status, Status::Pending);
        assert_eq!(read.data.relationships.account.id().unwrap().as_str(), "acc-1");
        assert_eq!(serde_json::to_value(&read).unwrap(), wire);
    }

    #[test]
    fn missing_nullable_members_and_unknown_ones_are_tolerated() {
        let read: Object<Connection> = serde_json::from_value(json!({
            "type": "aws-event-bridge-integrations", "id": "in-1", "links": {"self": "x"},
            "attributes": {"name": "p", "aws-account-id": "1", "region": "r", "status": "sleeping", "new": 1},
        }))
        .unwrap();
        assert_eq!(read.attributes.status, Status::Other("sleeping".into()));
        assert_eq!(read.attributes.event_source, None);
        assert_eq!(read.relationships.account.id(), None);
    }

    #[test]
    fn one_status_has_another_word_for_people() {
        for (wire, words) in [
            ("pending", "pending"),
            ("active", "active"),
            ("disabled", "paused"),
            ("failed", "failed"),
            ("sleeping", "sleeping"),
        ] {
            let status: Status = serde_json::from_value(json!(wire)).unwrap();
            assert_eq!((status.as_str(), status.in_words()), (wire, words));
        }
    }

    #[test]
    fn another_type_is_refused() {
        let error = serde_json::from_value::<Input<Connection>>(json!({"type": "runs"}))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            r#"the object's type is "runs", not "aws-event-bridge-integrations""#
        );
    }

    #[test]
    fn a_patch_sends_only_what_it_sets() {
        let input = Input::<Connection>::new(ConnectionInput::status(Status::Disabled), Nothing {});
        assert_eq!(
            serde_json::to_value(Document { data: input }).unwrap(),
            json!({"data": {
                "type": "aws-event-bridge-integrations", "attributes": {"status": "disabled"}, "relationships": {},
            }})
        );
    }
}

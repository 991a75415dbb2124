//! What CloudWatch Logs passes on: vended-log deliveries, log destinations and subscription filters. They are stored and
//! described; none of what they lead to is here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Tags;
use crate::clock::Millis;

/// The deliveries of vended logs, and the destinations of subscription filters, of an account in a region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Vended {
    pub(crate) sources: BTreeMap<String, DeliverySource>,
    pub(crate) delivery_destinations: BTreeMap<String, DeliveryDestination>,
    pub(crate) deliveries: BTreeMap<String, Delivery>,
    pub(crate) destinations: BTreeMap<String, LogDestination>,
}

impl Vended {
    /// The tags of the one that an ARN's resource names, such as `delivery-source:NAME`.
    pub(crate) fn tags_of(&mut self, resource: &str) -> Option<&mut Tags> {
        let (kind, name) = resource.split_once(':')?;
        Some(match kind {
            "delivery-source" => &mut self.sources.get_mut(name)?.tags,
            "delivery-destination" => &mut self.delivery_destinations.get_mut(name)?.tags,
            "delivery" => &mut self.deliveries.get_mut(name)?.tags,
            "destination" => &mut self.destinations.get_mut(name)?.tags,
            _ => return None,
        })
    }
}

/// Something that writes logs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeliverySource {
    pub(crate) resource_arn: String,
    pub(crate) service: String,
    pub(crate) log_type: String,
    pub(crate) configuration: Option<Value>,
    pub(crate) tags: Tags,
}

/// Where logs may be delivered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeliveryDestination {
    /// `CWL`, `S3`, `FH` or `XRAY`.
    pub(crate) kind: String,
    pub(crate) format: Option<String>,
    pub(crate) resource_arn: Option<String>,
    pub(crate) role_arn: Option<String>,
    /// Who else may deliver to it, as JSON text.
    pub(crate) policy: Option<String>,
    pub(crate) tags: Tags,
}

/// A source that delivers to a destination.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) source: String,
    pub(crate) destination_arn: String,
    /// The type of the destination.
    pub(crate) kind: String,
    pub(crate) record_fields: Option<Vec<String>>,
    pub(crate) field_delimiter: Option<String>,
    pub(crate) s3: Option<Value>,
    pub(crate) tags: Tags,
}

/// A stream that other accounts may subscribe to log groups with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogDestination {
    pub(crate) target_arn: String,
    pub(crate) role_arn: String,
    pub(crate) policy: Option<String>,
    pub(crate) created: Millis,
    pub(crate) tags: Tags,
}

/// A filter whose events leave a log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubscriptionFilter {
    pub(crate) pattern: String,
    pub(crate) destination_arn: String,
    pub(crate) role_arn: Option<String>,
    pub(crate) distribution: String,
    pub(crate) on_transformed: bool,
    pub(crate) field_selection: Option<String>,
    pub(crate) system_fields: Option<Vec<String>>,
    pub(crate) created: Millis,
}

//! What CloudWatch Logs passes on: vended-log deliveries, log destinations and subscription filters. They are stored and
//! described; of what they lead to, only log groups are here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::log_group::LogGroup;
use super::{RealmId, Tags, World};
use crate::arn::Arn;
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

impl World {
    /// The log group that a delivery leads to, and the account and region that it is in.
    pub(crate) fn delivered_to(&self, delivery: &Delivery) -> Option<(RealmId, &LogGroup)> {
        let realm_of = |arn: &Arn<'_>| RealmId::new(arn.account, arn.region);
        let destination = Arn::parse(&delivery.destination_arn)?;
        let name = destination.resource.strip_prefix("delivery-destination:")?;
        let there = &self
            .realm_at(&realm_of(&destination))?
            .vended
            .delivery_destinations;
        let group = Arn::parse(there.get(name)?.resource_arn.as_deref()?)?;
        let realm = realm_of(&group);
        let found = self.realm_at(&realm)?.log_groups.get(group.log_group()?)?;
        Some((realm, found))
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

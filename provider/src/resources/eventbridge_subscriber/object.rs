//! The subscriber as a remote object: what identifies it, where it is, and what is its own.

use tfplugin::{Operation, Result};

use super::parts::LogGroup;
use super::{Subscriber, log_group};
use crate::aws::{Regional, arn};
use crate::client::Client;
use crate::defaults;
use crate::ownership::Object;
use crate::values::Region;

impl Subscriber {
    pub(super) fn known_arn(&self) -> &str {
        self.arn.as_deref().unwrap_or_default()
    }

    /// ARN of the target; empty until it is known.
    pub(super) fn target(&self) -> &str {
        self.target_arn.as_deref().unwrap_or_default()
    }

    /// ARN of the role; empty until it is known.
    pub(super) fn known_role(&self) -> &str {
        self.role_arn.as_deref().unwrap_or_default()
    }

    /// The log group that was made here.
    pub(super) fn own_group(&self) -> Option<&LogGroup> {
        self.log_group.as_ref().filter(|group| group.create)
    }

    pub(super) fn object(&self) -> Object {
        Object::Subscriber {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.name.clone(),
        }
    }

    /// The bus, of which one subscriber is changed at a time.
    pub(super) fn bus(&self) -> Object {
        let name = arn::custom_bus_name(&self.event_bus_arn).unwrap_or_default();
        Object::CustomBus {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: name.to_owned(),
        }
    }

    /// The clients of the bus's region; of an import, those of the region that it names.
    pub(super) async fn regional(&self, operation: &Operation<'_, Self>) -> Result<Regional> {
        let of_bus = arn::parse(&self.event_bus_arn).map(|arn| Region::from(arn.region));
        let region = of_bus.or_else(|| self.region.clone());
        defaults::regional(operation, region.as_ref())
            .await?
            .with_custom_buses()
    }

    /// Fills in what the plan could not know.
    pub(super) fn complete(&mut self, aws: &Regional, client: &Client) -> Result<()> {
        self.region = Some(Region::from(&*aws.name));
        if self.log_group.is_some() {
            self.target_arn = Some(log_group::CALL.to_owned());
        }
        defaults::complete_tags(client, self.tags.as_ref(), &mut self.tags_all)
    }
}

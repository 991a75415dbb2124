//! Data source `scalr_eventbridge_connection`: a connection by id, by name, or by AWS account and region.

use scalr_api::{Connection as Wire, Object, Status};
use scalr_events::nearest;
use tfplugin::rules::{Rules, any_of, exactly_one_of, requires};
use tfplugin::{Attrs, DataSource, Diagnostics, Operation, Path, Result};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::failure::Cause as _;
use crate::scalr::{Scalr, connection_id};
use crate::values::Region;

/// Finds a connection by `id`, by `name`, or by `aws_account_id` and `region`.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Connection {
    /// Identifier of the connection, `in-…`.
    #[tf(optional, computed, check = check::connection_id)]
    id: Option<String>,
    /// Name of the connection.
    #[tf(optional, computed)]
    name: Option<String>,
    /// AWS account that receives the events.
    #[tf(optional, computed, check = check::aws_account_id)]
    aws_account_id: Option<String>,
    /// AWS region that receives the events.
    #[tf(optional, computed)]
    region: Option<Region>,
    /// Whether events are delivered; `false` while the connection is paused.
    #[tf(computed)]
    enabled: Option<bool>,
    /// Name of the partner event source.
    #[tf(computed)]
    event_source_name: Option<String>,
    /// ARN of the partner event source, as the AWS account sees it.
    #[tf(computed)]
    event_source_arn: Option<String>,
    /// Scalr account that the connection belongs to, `acc-…`.
    #[tf(computed)]
    account_id: Option<String>,
    /// `pending`, `active`, `disabled` or `failed`.
    #[tf(computed)]
    status: Option<String>,
    /// Why the connection failed.
    #[tf(computed)]
    error_message: Option<String>,
}

impl DataSource for Connection {
    const NAME: &'static str = "eventbridge_connection";
    type Client = Client;
    const RULES: Rules<Self> = || {
        let place = any_of((Self::aws_account_id(), Self::region()));
        vec![
            exactly_one_of((Self::id(), Self::name(), place))
                .message(messages::one_way)
                .then(requires(Self::aws_account_id(), Self::region()).message(messages::one_way))
                .then(requires(Self::region(), Self::aws_account_id()).message(messages::one_way)),
        ]
    };

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        if let Some(id) = &config.id {
            let found = scalr.connection(&connection_id(id, Self::id())?).await?;
            return found
                .map(|object| Self::of(&object))
                .ok_or_else(|| config.not_found(Self::id()));
        }
        let mut matching = config
            .list(&scalr)
            .await?
            .into_iter()
            .filter(|object| config.matches(object));
        let Some(first) = matching.next() else {
            return Err(config.none_matches(&scalr).await);
        };
        match matching.next() {
            None => Ok(Self::of(&first)),
            Some(second) => {
                let error = messages::ambiguous(&config.wanted(), (&first, &second), config.attribute());
                Err(error.into())
            }
        }
    }
}

impl Connection {
    async fn list(&self, scalr: &Scalr) -> Result<Vec<Object<Wire>>> {
        let listed = scalr.api.connections(self.name.as_deref()).await;
        listed.map_err(|error| scalr.failed(error).during(messages::LIST_CONNECTIONS))
    }

    fn matches(&self, object: &Object<Wire>) -> bool {
        let wire = &object.attributes;
        let same =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        same(&self.name, &wire.name)
            && same(&self.aws_account_id, &wire.aws_account_id)
            && self.region.as_deref().is_none_or(|wanted| wanted == wire.region)
    }

    /// The attribute that the search went by.
    fn attribute(&self) -> Path {
        if self.name.is_some() {
            Self::name().into()
        } else {
            Self::aws_account_id().into()
        }
    }

    fn wanted(&self) -> String {
        let shown = |text: &Option<String>| text.clone().unwrap_or_default();
        match (&self.id, &self.name) {
            (Some(id), _) => format!("with the id `{id}`"),
            (None, Some(name)) => format!("named `{name}`"),
            (None, None) => format!(
                "to AWS account {} in {}",
                shown(&self.aws_account_id),
                self.region.as_deref().unwrap_or_default()
            ),
        }
    }

    /// The message names the connection whose name is spelt nearly so. A list that fails is no reason for another message.
    async fn none_matches(&self, scalr: &Scalr) -> Diagnostics {
        let Some(name) = &self.name else {
            return self.not_found(self.attribute());
        };
        let all = scalr.connections().await.unwrap_or_default();
        let near = nearest(name, all.iter().map(|one| one.attributes.name.as_str()));
        messages::no_connection_named(name, near, Self::name()).into()
    }

    fn not_found(&self, attribute: impl Into<Path>) -> Diagnostics {
        messages::no_connection(&self.wanted(), attribute).into()
    }

    fn of(object: &Object<Wire>) -> Self {
        let wire = object.attributes.clone();
        Self {
            id: Some(object.id.to_string()),
            name: Some(wire.name),
            aws_account_id: Some(wire.aws_account_id),
            region: Some(Region::from(&*wire.region)),
            enabled: Some(wire.status != Status::Disabled),
            event_source_name: wire.event_source,
            event_source_arn: wire.event_source_arn,
            account_id: object.relationships.account.id().map(ToString::to_string),
            status: Some(wire.status.to_string()),
            error_message: wire.err_message.filter(|text| !text.is_empty()),
        }
    }
}

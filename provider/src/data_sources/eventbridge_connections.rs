//! Data source `scalr_eventbridge_connections`: the connections, all or those that a filter lets through.

use scalr_api::{Connection as Wire, Object, Status};
use tfplugin::{Attrs, DataSource, Operation, Result};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::failure::Cause as _;
use crate::values::Region;

/// Lists the EventBridge connections that the token may see, by name. A connection must pass all filters that are set.
#[derive(Attrs, Clone, Debug)]
pub struct List {
    /// Only those of this Scalr account, `acc-…`.
    #[tf(optional, check = check::account_id)]
    account_id: Option<String>,
    /// Only those that lead to this AWS account.
    #[tf(optional, check = check::aws_account_id)]
    aws_account_id: Option<String>,
    /// Only those that lead to this AWS region.
    #[tf(optional)]
    region: Option<Region>,
    /// Only those of this status: `pending`, `active`, `disabled` or `failed`.
    #[tf(optional, check = check::connection_status)]
    status: Option<String>,
    /// Only those whose name begins with this.
    #[tf(optional)]
    name_prefix: Option<String>,
    /// The connections, by name, then by region and id.
    #[tf(computed)]
    connections: Option<Vec<Connection>>,
}

/// A connection.
#[derive(Attrs, Clone, Debug)]
pub struct Connection {
    /// Identifier of the connection, `in-…`.
    #[tf(computed)]
    id: Option<String>,
    /// Name of the connection.
    #[tf(computed)]
    name: Option<String>,
    /// AWS account that receives the events.
    #[tf(computed)]
    aws_account_id: Option<String>,
    /// AWS region that receives the events.
    #[tf(computed)]
    region: Option<String>,
    /// Whether events are delivered; `false` while the connection is paused.
    #[tf(computed)]
    enabled: Option<bool>,
    /// Name of the partner event source; null until AWS has it.
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

impl DataSource for List {
    const NAME: &'static str = "eventbridge_connections";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let listed = scalr.api.connections(None).await;
        let listed = listed.map_err(|error| scalr.failed(error).during(messages::LIST_CONNECTIONS))?;
        let mut found: Vec<_> = listed
            .into_iter()
            .filter(|object| config.lets_through(object))
            .collect();
        found.sort_by(|a, b| order(a).cmp(&order(b)));
        let connections = found.iter().map(Connection::of).collect();
        Ok(Self {
            connections: Some(connections),
            ..config
        })
    }
}

fn order(object: &Object<Wire>) -> (&str, &str, &str) {
    let wire = &object.attributes;
    (&wire.name, &wire.region, object.id.as_str())
}

impl List {
    fn lets_through(&self, object: &Object<Wire>) -> bool {
        let wire = &object.attributes;
        let account = object.relationships.account.id();
        let fits = |wanted: &Option<String>, held: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| held == Some(wanted))
        };
        fits(&self.account_id, account.map(scalr_api::Id::as_str))
            && fits(&self.aws_account_id, Some(&wire.aws_account_id))
            && self.region.as_deref().is_none_or(|wanted| wanted == wire.region)
            && fits(&self.status, Some(wire.status.as_str()))
            && self
                .name_prefix
                .as_deref()
                .is_none_or(|prefix| wire.name.starts_with(prefix))
    }
}

impl Connection {
    fn of(object: &Object<Wire>) -> Self {
        let wire = object.attributes.clone();
        Self {
            id: Some(object.id.to_string()),
            name: Some(wire.name),
            aws_account_id: Some(wire.aws_account_id),
            region: Some(wire.region),
            enabled: Some(wire.status != Status::Disabled),
            event_source_name: wire.event_source,
            event_source_arn: wire.event_source_arn,
            account_id: object.relationships.account.id().map(ToString::to_string),
            status: Some(wire.status.to_string()),
            error_message: wire.err_message.filter(|text| !text.is_empty()),
        }
    }
}

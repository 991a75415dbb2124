//! List `scalr_eventbridge_connection`: connections at Scalr.

use scalr_api::{Connection as Wire, Object};
use tfplugin::{Attrs, Found, List, Operation, Result};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::failure::Cause as _;
use crate::resources::eventbridge_connection::Connection;
use crate::values::Region;

/// Finds EventBridge connections in Scalr, managed or not. An attribute that is not in `config` filters nothing.
#[derive(Attrs, Clone, Debug)]
pub struct Connections {
    /// Exact name of the connection.
    #[tf(optional)]
    name: Option<String>,
    /// Scalr account that the connection belongs to, `acc-…`.
    #[tf(optional, check = check::account_id)]
    account_id: Option<String>,
    /// AWS account that receives the events: 12 digits.
    #[tf(optional, check = check::aws_account_id)]
    aws_account_id: Option<String>,
    /// AWS region that receives the events.
    #[tf(optional)]
    region: Option<Region>,
    /// Status: `pending`, `active`, `disabled` or `failed`.
    #[tf(optional, check = check::connection_status)]
    status: Option<String>,
}

impl List for Connections {
    type Of = Connection;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<Connection>) -> Result<()> {
        let client: &Client = operation.client();
        let scalr = client.scalr()?.stopping_with(operation.cancelled());
        let listed = scalr.api.connections(self.name.as_deref()).await;
        let mut listed = listed.map_err(|error| scalr.failed(error).during(messages::LIST_CONNECTIONS))?;
        listed.retain(|object| self.wants(object));
        listed.sort_by(|a, b| (&a.attributes.name, &a.id).cmp(&(&b.attributes.name, &b.id)));
        for object in &listed {
            found
                .object(&object.attributes.name, Connection::found(object))
                .await;
        }
        Ok(())
    }
}

impl Connections {
    fn wants(&self, object: &Object<Wire>) -> bool {
        let wire = &object.attributes;
        let same = |wanted: Option<&str>, is: &str| wanted.is_none_or(|wanted| wanted == is);
        let account = object.relationships.account.id();
        same(self.name.as_deref(), &wire.name)
            && same(self.account_id.as_deref(), account.map_or("", |id| id.as_str()))
            && same(self.aws_account_id.as_deref(), &wire.aws_account_id)
            && same(self.region.as_deref(), &wire.region)
            && same(self.status.as_deref(), wire.status.as_str())
    }
}

//! `scalr_eventbridge_source`: the partner event source as AWS shows it.

use tfplugin::{Attrs, DataSource, Operation, Result};

use super::messages;
use crate::aws::{checks, written};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::values::Region;

/// A partner event source in the AWS account: whether a bus is associated with it, and when AWS removes it if none is.
#[derive(Attrs, Clone, Debug)]
pub struct Source {
    /// Name of the event source: a connection's `event_source_name`.
    #[tf(required, check = checks::event_source)]
    name: String,
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional, computed)]
    region: Option<Region>,
    /// ARN of the event source.
    #[tf(computed)]
    arn: Option<String>,
    /// `PENDING` until a bus is associated with it, then `ACTIVE`; `DELETED` when Scalr has removed it.
    #[tf(computed)]
    state: Option<String>,
    /// The partner: `aws.partner/scalr.com`.
    #[tf(computed)]
    created_by: Option<String>,
    /// When it was created, in RFC 3339.
    #[tf(computed)]
    creation_time: Option<String>,
    /// When AWS removes it if no bus is associated with it by then, in RFC 3339; null if AWS will not remove it.
    #[tf(computed)]
    expiration_time: Option<String>,
}

impl DataSource for Source {
    const NAME: &'static str = "eventbridge_source";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, config.region.as_ref()).await?;
        let name = &config.name;
        let found = aws
            .source(name)
            .await
            .map_err(|e| e.during(messages::doing_read_source(name)))?;
        let Some(found) = found else {
            let account = aws.account_in_words().await;
            return Err(messages::no_source(name, &account, &aws.name, Self::name()).into());
        };
        Ok(Self {
            region: Some(Region::from(&*aws.name)),
            arn: found.arn().map(str::to_owned),
            state: found.state().map(|state| state.as_str().to_owned()),
            created_by: found.created_by().map(str::to_owned),
            creation_time: found.creation_time().and_then(written),
            expiration_time: found.expiration_time().and_then(written),
            ..config
        })
    }
}

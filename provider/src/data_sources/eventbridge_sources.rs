//! Data source `scalr_eventbridge_sources`: the partner event sources of an AWS account.

use aws_sdk_eventbridge::types::{EventSource, EventSourceState};
use tfplugin::{Attrs, DataSource, Operation, Result};

use super::messages;
use crate::aws::{checks, written};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::values::Region;

/// Lists the partner event sources that the AWS account has in a region, by name: those of Scalr, unless `name_prefix` says otherwise. A source that is `PENDING` has no event bus, and AWS removes it two weeks after it was created.
#[derive(Attrs, Clone, Debug)]
pub struct List {
    /// Only those whose name begins with this.
    #[tf(optional, default = "aws.partner/scalr.com/")]
    name_prefix: String,
    /// Only those in this state: `PENDING`, `ACTIVE` or `DELETED`.
    #[tf(optional, check = checks::source_state)]
    state: Option<String>,
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional, computed)]
    region: Option<Region>,
    /// The event sources, by name.
    #[tf(computed)]
    sources: Option<Vec<Source>>,
}

/// A partner event source.
#[derive(Attrs, Clone, Debug)]
pub struct Source {
    /// Name of the event source: a connection's `event_source_name`, and the name of its bus.
    #[tf(computed)]
    name: Option<String>,
    /// ARN of the event source.
    #[tf(computed)]
    arn: Option<String>,
    /// `PENDING` until a bus is associated with it, then `ACTIVE`; `DELETED` when the partner has removed it.
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

impl DataSource for List {
    const NAME: &'static str = "eventbridge_sources";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, config.region.as_ref()).await?;
        let listed = aws.sources(&config.name_prefix).await;
        let listed = listed.map_err(|e| e.during(messages::LIST_SOURCES))?;
        let lets_through = |source: &EventSource| {
            let state = source.state().map(EventSourceState::as_str);
            config.state.as_deref().is_none_or(|wanted| state == Some(wanted))
        };
        let mut found: Vec<_> = listed.into_iter().filter(lets_through).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let sources = found.iter().map(Source::of).collect();
        Ok(Self {
            region: Some(Region::from(&*aws.name)),
            sources: Some(sources),
            ..config
        })
    }
}

impl Source {
    fn of(found: &EventSource) -> Self {
        Self {
            name: found.name().map(str::to_owned),
            arn: found.arn().map(str::to_owned),
            state: found.state().map(|state| state.as_str().to_owned()),
            created_by: found.created_by().map(str::to_owned),
            creation_time: found.creation_time().and_then(written),
            expiration_time: found.expiration_time().and_then(written),
        }
    }
}

//! `scalr_eventbridge_subscriber`: a subscriber of a custom event bus as AWS shows it.

use std::collections::BTreeMap;

use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::types::{FilterConfiguration, OrderingType, StartingPosition, SubscriberState};
use tfplugin::{Attrs, DataSource, Operation, Result};

use super::custom::with_tags;
use super::messages;
use crate::aws::{arn, custom_checks, filled, subscriber_checks, written};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::values::Region;

/// A subscriber of a custom event bus that something else makes: its target, its role, and whether it runs.
#[derive(Attrs, Clone, Debug)]
pub struct Subscriber {
    /// Name of the subscriber.
    #[tf(required, check = subscriber_checks::name)]
    name: String,
    /// ARN of its custom event bus. Default: whichever bus has a subscriber of the name.
    #[tf(optional, computed, check = custom_checks::bus_arn)]
    event_bus_arn: Option<String>,
    /// AWS region to look in. Default: that of `event_bus_arn`, or the provider's region.
    #[tf(optional, computed)]
    region: Option<Region>,
    /// ARN of the subscriber.
    #[tf(computed)]
    arn: Option<String>,
    /// ARN of the target.
    #[tf(computed)]
    target_arn: Option<String>,
    /// ARN of the role that delivers.
    #[tf(computed)]
    role_arn: Option<String>,
    /// Order of the delivery: `UNORDERED` or `FIFO`.
    #[tf(computed)]
    r#type: Option<String>,
    /// Where it began: `LATEST` or `POINT_IN_TIME`.
    #[tf(computed)]
    starting_position: Option<String>,
    /// The pattern of each scope that an event has to match, as JSON, by the scope: `DATA`, `METADATA` or `SYSTEM_METADATA`.
    #[tf(computed)]
    filters: Option<BTreeMap<String, String>>,
    /// ARN of the queue for failure records.
    #[tf(computed)]
    dead_letter_arn: Option<String>,
    /// State of the subscriber: `RUNNING` or `STOPPED`; another for a while after it was made.
    #[tf(computed)]
    state: Option<String>,
    /// Whether the owner of the bus has taken it off the bus, for good.
    #[tf(computed)]
    revoked: Option<bool>,
    /// What the subscriber is for.
    #[tf(computed)]
    description: Option<String>,
    /// Tags of the subscriber.
    #[tf(computed)]
    tags: Option<BTreeMap<String, String>>,
    /// When the subscriber was made, in RFC 3339.
    #[tf(computed)]
    creation_time: Option<String>,
}

impl DataSource for Subscriber {
    const NAME: &'static str = "eventbridge_subscriber";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let of_bus = config.event_bus_arn.as_deref().and_then(arn::parse);
        let region = config
            .region
            .clone()
            .or(of_bus.map(|arn| Region::from(arn.region)));
        let aws = defaults::regional(operation, region.as_ref())
            .await?
            .with_custom_buses()?;
        let name = config.name.clone();
        let doing = messages::doing_read_subscriber(&name);
        let failed = |e: crate::aws::Error| e.during(&doing);
        let account = aws.account().await.map_err(failed)?;
        let listed = aws.subscribers(config.event_bus_arn.as_deref(), &name).await;
        let mut arns: Vec<String> = listed
            .map_err(failed)?
            .into_iter()
            .filter(|one| one.name() == Some(&name))
            .filter_map(|one| one.subscriber_arn)
            .filter(|arn| arn::account(arn) == Some(account))
            .collect();
        if arns.len() > 1 {
            return Err(messages::several_subscribers(&name, &arns, Self::event_bus_arn()).into());
        }
        let found = async {
            match arns.pop() {
                Some(arn) => aws.subscriber(&arn).await,
                None => Ok(None),
            }
        };
        let arn_of = DescribeSubscriberOutput::subscriber_arn;
        let Some((found, tags)) = with_tags(&aws, &doing, found, arn_of).await? else {
            let account = aws.account_in_words().await;
            return Err(messages::no_subscriber(&name, &account, &aws.name, Self::name()).into());
        };
        let invoke = found.invoke_configuration();
        let filters = found.filter_configuration().map(FilterConfiguration::filters);
        let filters = filters.unwrap_or_default().iter();
        let queue = found.on_failure_configuration().and_then(|held| held.arn());
        Ok(Self {
            region: Some(Region::from(&*aws.name)),
            arn: found.subscriber_arn().map(str::to_owned),
            event_bus_arn: found.event_bus_arn().map(str::to_owned),
            target_arn: invoke.map(|held| held.target_arn().to_owned()),
            role_arn: invoke.map(|held| held.role_arn().to_owned()),
            r#type: found.r#type().map(|kind| OrderingType::as_str(kind).to_owned()),
            starting_position: found
                .starting_position()
                .map(|position| StartingPosition::as_str(position).to_owned()),
            filters: Some(
                filters
                    .map(|filter| (filter.scope().as_str().to_owned(), filter.pattern().to_owned()))
                    .collect(),
            ),
            dead_letter_arn: filled(queue),
            state: found
                .state()
                .map(|state| SubscriberState::as_str(state).to_owned()),
            revoked: Some(found.revoked().unwrap_or_default()),
            description: filled(found.description()),
            tags: Some(tags),
            creation_time: found.creation_time().and_then(written),
            ..config
        })
    }
}

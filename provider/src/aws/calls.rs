//! The AWS calls that more than one resource makes: each a few lines, "not there" being an answer and no error.

use std::collections::HashMap;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types::{EventBus, Rule, Tag, Target};

use super::tags::{self, Ignored, Tags};
use super::{Error, Regional};
use crate::ownership::Owner;

impl Regional {
    /// An answer that has what each has.
    fn with_given<T>(
        &self,
        operation: &'static str,
        member: &'static str,
        answer: Option<T>,
        has: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, Error> {
        if let Some(answer) = &answer {
            self.given(operation, member, has(answer).then_some(()))?;
        }
        Ok(answer)
    }

    /// The partner event source of this name.
    pub async fn source(&self, name: &str) -> Result<Option<DescribeEventSourceOutput>, Error> {
        const CALL: &str = "events:DescribeEventSource";
        let call = self.events.describe_event_source().name(name).send();
        let answer = found(self.read(CALL, call).await)?;
        self.with_given(CALL, "State", answer, |source| source.state.is_some())
    }

    /// The bus of this name.
    pub async fn bus(&self, name: &str) -> Result<Option<DescribeEventBusOutput>, Error> {
        const CALL: &str = "events:DescribeEventBus";
        let call = self.events.describe_event_bus().name(name).send();
        let answer = found(self.read(CALL, call).await)?;
        self.with_given(CALL, "Arn", answer, |bus| bus.arn.is_some())
    }

    /// The buses whose names begin so.
    pub async fn buses(&self, prefix: &str) -> Result<Vec<EventBus>, Error> {
        const CALL: &str = "events:ListEventBuses";
        let ask = async |token| {
            let list = self.events.list_event_buses().name_prefix(prefix);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "EventBuses", page.event_buses, page.next_token)
        };
        self.pages(CALL, ask).await
    }

    /// A rule of a bus.
    pub async fn rule(&self, bus: &str, name: &str) -> Result<Option<DescribeRuleOutput>, Error> {
        const CALL: &str = "events:DescribeRule";
        let call = self.events.describe_rule().event_bus_name(bus).name(name).send();
        let answer = found(self.read(CALL, call).await)?;
        self.with_given(CALL, "Arn", answer, |rule| rule.arn.is_some())
    }

    /// The rules of a bus, those that begin with the prefix.
    pub async fn rules(&self, bus: &str, prefix: Option<&str>) -> Result<Vec<Rule>, Error> {
        const CALL: &str = "events:ListRules";
        let ask = async |token| {
            let list = self
                .events
                .list_rules()
                .event_bus_name(bus)
                .set_name_prefix(prefix.map(str::to_owned));
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "Rules", page.rules, page.next_token)
        };
        self.pages(CALL, ask).await
    }

    /// Their names.
    pub async fn rule_names(&self, bus: &str, prefix: Option<&str>) -> Result<Vec<String>, Error> {
        let rules = self.rules(bus, prefix).await?;
        Ok(rules.into_iter().filter_map(|rule| rule.name).collect())
    }

    /// Names of the rules of a bus, those left out that AWS manages for an archive or the like.
    pub async fn unmanaged_rules(&self, bus: &str) -> Result<Vec<String>, Error> {
        let rules = self.rules(bus, None).await?;
        let unmanaged = rules.into_iter().filter(|rule| rule.managed_by().is_none());
        Ok(unmanaged.filter_map(|rule| rule.name).collect())
    }

    /// Names of the archives of a bus.
    pub async fn archives(&self, bus_arn: &str) -> Result<Vec<String>, Error> {
        const CALL: &str = "events:ListArchives";
        let ask = async |token| {
            let list = self.events.list_archives().event_source_arn(bus_arn);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "Archives", page.archives, page.next_token)
        };
        let archives = self.pages(CALL, ask).await?;
        Ok(archives
            .into_iter()
            .filter_map(|archive| archive.archive_name)
            .collect())
    }

    /// Names of the rules of a bus that have a target of this ARN.
    pub async fn rules_with_target(&self, bus: &str, target_arn: &str) -> Result<Vec<String>, Error> {
        const CALL: &str = "events:ListRuleNamesByTarget";
        let ask = async |token| {
            let list = self
                .events
                .list_rule_names_by_target()
                .event_bus_name(bus)
                .target_arn(target_arn);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "RuleNames", page.rule_names, page.next_token)
        };
        self.pages(CALL, ask).await
    }

    /// The targets of a rule; none where there is no such rule.
    pub async fn targets(&self, bus: &str, rule: &str) -> Result<Option<Vec<Target>>, Error> {
        const CALL: &str = "events:ListTargetsByRule";
        let ask = async |token| {
            let list = self.events.list_targets_by_rule().event_bus_name(bus).rule(rule);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "Targets", page.targets, page.next_token)
        };
        found(self.pages(CALL, ask).await)
    }

    /// The tags of a bus or rule, AWS's own and this provider's left out.
    pub async fn tags(&self, arn: &str) -> Result<Tags, Error> {
        self.tags_and_owner(arn).await.map(|(tags, _)| tags)
    }

    /// The same, and the owner that adopted the bus or rule.
    pub async fn tags_and_owner(&self, arn: &str) -> Result<(Tags, Option<Owner>), Error> {
        let mut all = self.all_tags(arn).await?;
        let owner = all.remove(tags::INSTANCE).map(Owner::from);
        all.retain(|key, _| !tags::is_reserved(key));
        Ok((all, owner))
    }

    async fn all_tags(&self, arn: &str) -> Result<Tags, Error> {
        const CALL: &str = "events:ListTagsForResource";
        let call = self.events.list_tags_for_resource().resource_arn(arn).send();
        let answer = self.read(CALL, call).await?;
        let pairs = self.given(CALL, "Tags", answer.tags)?;
        Ok(pairs
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect())
    }

    /// The owner that a tag of a bus or rule names.
    pub async fn owner(&self, arn: &str, key: &str) -> Result<Option<Owner>, Error> {
        let all = found(self.all_tags(arn).await)?;
        Ok(all.and_then(|mut all| all.remove(key)).map(Owner::from))
    }

    /// Has a tag of a bus or rule name an owner.
    pub async fn set_owner(&self, arn: &str, key: &str, owner: &Owner) -> Result<(), Error> {
        let tag = Tags::from([(key.to_owned(), owner.as_str().to_owned())]);
        self.retag(arn, &Tags::new(), &tag, &Ignored::default()).await
    }

    /// Removes a tag that names an owner.
    pub async fn clear_owner(&self, arn: &str, key: &str) -> Result<(), Error> {
        let call = self
            .events
            .untag_resource()
            .resource_arn(arn)
            .tag_keys(key)
            .send();
        let answer = call.await.map_err(|e| self.failed("events:UntagResource", e));
        found(answer).map(drop)
    }

    /// Brings the tags of a bus or rule from `held` to `wanted`; those that are ignored stay as they are.
    pub async fn retag(&self, arn: &str, held: &Tags, wanted: &Tags, ignored: &Ignored) -> Result<(), Error> {
        let (set, gone) = tags::change(held, wanted, ignored);
        if !gone.is_empty() {
            let call = self
                .events
                .untag_resource()
                .resource_arn(arn)
                .set_tag_keys(Some(gone));
            call.send()
                .await
                .map_err(|e| self.failed("events:UntagResource", e))?;
        }
        if !set.is_empty() {
            let call = self
                .events
                .tag_resource()
                .resource_arn(arn)
                .set_tags(Some(wire_tags(&set)));
            call.send()
                .await
                .map_err(|e| self.failed("events:TagResource", e))?;
        }
        Ok(())
    }

    /// The log group of exactly this name.
    pub async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, Error> {
        const CALL: &str = "logs:DescribeLogGroups";
        let ask = async |token| {
            let list = self.logs.describe_log_groups().log_group_name_prefix(name);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "logGroups", page.log_groups, page.next_token)
        };
        let exact = |group: LogGroup| (group.log_group_name() == Some(name)).then_some(group);
        self.search(CALL, ask, exact).await
    }

    /// The tags of a log group; none where it is gone.
    pub async fn log_group_tags(&self, arn: &str) -> Result<HashMap<String, String>, Error> {
        const CALL: &str = "logs:ListTagsForResource";
        let call = self.logs.list_tags_for_resource().resource_arn(arn).send();
        match found(self.read(CALL, call).await)? {
            Some(answer) => self.given(CALL, "tags", answer.tags),
            None => Ok(HashMap::new()),
        }
    }
}

/// Tags as EventBridge takes them.
pub fn wire_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}

fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

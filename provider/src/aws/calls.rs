//! The AWS calls that more than one resource makes: each a few lines, "not there" being an answer and no error.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types::{EventBus, EventSource, Rule, Tag, Target};

use super::tags::{self, Ignored, Tags};
use super::{Error, Regional, arn};
use crate::ownership::Owner;
use crate::shared_read::{Freshness, Heard};

impl Regional {
    /// Whether a log group has a stream of this name.
    pub async fn has_log_stream(&self, group: &str, stream: &str) -> Result<bool, Error> {
        const CALL: &str = "logs:DescribeLogStreams";
        let list = self.logs.describe_log_streams().log_group_name(group);
        // Sorted by name: the stream itself is the first whose name begins so.
        let call = list.log_stream_name_prefix(stream).send();
        let found = found(self.read(CALL, call).await)?;
        let streams = found.and_then(|page| page.log_streams).unwrap_or_default();
        Ok(streams.iter().any(|one| one.log_stream_name() == Some(stream)))
    }

    /// An answer that has what each has.
    pub fn with_given<T>(
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
        let ask = || async {
            let call = self.events.describe_event_source().name(name).send();
            let answer = found(self.read(CALL, call).await)?;
            self.with_given(CALL, "State", answer, |source| source.state.is_some())
        };
        self.once(&self.reads.sources, name.to_owned(), ask).await
    }

    /// The partner event sources whose names begin so.
    pub async fn sources(&self, prefix: &str) -> Result<Vec<EventSource>, Error> {
        const CALL: &str = "events:ListEventSources";
        let ask = async |token| {
            let list = self.events.list_event_sources().set_name_prefix(some(prefix));
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "EventSources", page.event_sources, page.next_token)
        };
        self.pages(CALL, ask).await
    }

    /// The bus of this name.
    pub async fn bus(&self, name: &str) -> Result<Option<DescribeEventBusOutput>, Error> {
        const CALL: &str = "events:DescribeEventBus";
        let ask = || async {
            let call = self.events.describe_event_bus().name(name).send();
            let answer = found(self.read(CALL, call).await)?;
            self.with_given(CALL, "Arn", answer, |bus| bus.arn.is_some())
        };
        self.once(&self.reads.buses, name.to_owned(), ask).await
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
        let ask = || async {
            let call = self.events.describe_rule().event_bus_name(bus).name(name).send();
            let answer = found(self.read(CALL, call).await)?;
            self.with_given(CALL, "Arn", answer, |rule| rule.arn.is_some())
        };
        self.once(&self.reads.rules, (bus.to_owned(), name.to_owned()), ask)
            .await
    }

    /// A rule of a bus, for a refresh. What a list says is taken where the state says the same (`is_known`). What is not in the
    /// list, or differs, is asked for singly before anything is called gone or changed.
    pub async fn refreshed_rule(
        &self,
        bus: &str,
        name: &str,
        is_known: impl Fn(&DescribeRuleOutput) -> bool,
    ) -> Result<Option<DescribeRuleOutput>, Error> {
        if let Some(listed) = self.listed_rule(bus, name).await.filter(is_known) {
            return Ok(Some(listed));
        }
        self.rule(bus, name).await
    }

    /// A rule as the list of its bus shows it. A list that fails is no failure: the rule is then asked for singly.
    async fn listed_rule(&self, bus: &str, name: &str) -> Option<DescribeRuleOutput> {
        if self.freshness == Freshness::Now || !self.reads.rule_lists.is_worth(bus, name) {
            return None;
        }
        self.listed_rules(bus).await?.get(name).cloned().map(described)
    }

    /// The rules of a bus by name, as this walk lists them.
    pub(super) async fn listed_rules(&self, bus: &str) -> Option<Arc<BTreeMap<String, Rule>>> {
        let ask = || async {
            let named = |rule: Rule| Some((rule.name.clone()?, rule));
            let rules = self.rules(bus, None).await?.into_iter().filter_map(named);
            Ok::<_, Error>(Arc::new(rules.collect::<BTreeMap<_, _>>()))
        };
        let list = self.reads.listed_rules.of(&bus.to_owned());
        match list.hear(Freshness::Walk, ask).await {
            Heard::Answer(rules) => Some(rules),
            Heard::Failed(_) | Heard::NoAnswer => None,
        }
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
        let page = async |token| {
            let list = self.events.list_targets_by_rule().event_bus_name(bus).rule(rule);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "Targets", page.targets, page.next_token)
        };
        let ask = || async { found(self.pages(CALL, page).await) };
        self.once(&self.reads.targets, (bus.to_owned(), rule.to_owned()), ask)
            .await
    }

    /// The tags of a bus, rule or queue, AWS's own and this provider's left out.
    pub async fn tags(&self, arn: &str) -> Result<Tags, Error> {
        self.tags_and_owner(arn).await.map(|(tags, _)| tags)
    }

    /// The same, and the owner that adopted it.
    pub async fn tags_and_owner(&self, arn: &str) -> Result<(Tags, Option<Owner>), Error> {
        self.all_tags(arn).await.map(split)
    }

    async fn all_tags(&self, arn: &str) -> Result<Tags, Error> {
        const CALL: &str = "events:ListTagsForResource";
        if let Some(queue) = arn::queue_name(arn) {
            return match self.queue_url(queue).await? {
                Some(url) => self.queue_tags(&url).await,
                None => Ok(Tags::new()),
            };
        }
        let ask = || async {
            let call = self.events.list_tags_for_resource().resource_arn(arn).send();
            let answer = self.read(CALL, call).await?;
            let pairs = self.given(CALL, "Tags", answer.tags)?;
            Ok(pairs
                .iter()
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect())
        };
        self.once(&self.reads.tags, arn.to_owned(), ask).await
    }

    /// The owner that a tag of a bus, rule or queue names.
    pub async fn owner(&self, arn: &str, key: &str) -> Result<Option<Owner>, Error> {
        let all = found(self.all_tags(arn).await)?;
        Ok(all.and_then(|mut all| all.remove(key)).map(Owner::from))
    }

    /// Has a tag of a bus, rule or queue name an owner.
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

    /// Brings the tags of a bus, rule or queue from `held` to `wanted`; those that are ignored stay as they are.
    pub async fn retag(&self, arn: &str, held: &Tags, wanted: &Tags, ignored: &Ignored) -> Result<(), Error> {
        if let Some(queue) = arn::queue_name(arn) {
            return self.retag_queue(queue, (held, wanted), ignored).await;
        }
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

    /// The attributes of a topic; none where there is no such topic. Every topic has a policy: a new one that of its owner.
    pub async fn topic(&self, arn: &str) -> Result<Option<HashMap<String, String>>, Error> {
        const CALL: &str = "sns:GetTopicAttributes";
        let call = self.topics.get_topic_attributes().topic_arn(arn).send();
        match self.read(CALL, call).await {
            Ok(answer) => {
                let attributes = self.given(CALL, "Attributes", answer.attributes)?;
                self.given(CALL, "Policy", attributes.get("Policy").map(drop))?;
                Ok(Some(attributes))
            }
            Err(e) if is_no_topic(&e) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The policy of a topic; none where there is no such topic.
    pub async fn topic_policy(&self, arn: &str) -> Result<Option<String>, Error> {
        let topic = self.topic(arn).await?;
        Ok(topic.and_then(|mut topic| topic.remove("Policy")))
    }

    /// The log group of exactly this name.
    pub async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, Error> {
        const CALL: &str = "logs:DescribeLogGroups";
        let page = async |token| {
            let list = self.logs.describe_log_groups().log_group_name_prefix(name);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(CALL, "logGroups", page.log_groups, page.next_token)
        };
        let exact = |group: LogGroup| (group.log_group_name() == Some(name)).then_some(group);
        let ask = || self.search(CALL, page, exact);
        self.once(&self.reads.log_groups, name.to_owned(), ask).await
    }

    /// The tags of a log group; none where it is gone.
    pub async fn log_group_tags(&self, arn: &str) -> Result<HashMap<String, String>, Error> {
        const CALL: &str = "logs:ListTagsForResource";
        let ask = || async {
            let call = self.logs.list_tags_for_resource().resource_arn(arn).send();
            match found(self.read(CALL, call).await)? {
                Some(answer) => self.given(CALL, "tags", answer.tags),
                None => Ok(HashMap::new()),
            }
        };
        self.once(&self.reads.log_group_tags, arn.to_owned(), ask).await
    }
}

/// A text that is not empty: AWS refuses an empty prefix.
fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// All tags of an object, without AWS's own and this provider's, and the owner that adopted it.
pub(super) fn split(mut all: Tags) -> (Tags, Option<Owner>) {
    let owner = all.remove(tags::INSTANCE).map(Owner::from);
    all.retain(|key, _| !tags::is_reserved(key));
    (all, owner)
}

/// Whether AWS says that there is no such topic.
fn is_no_topic(error: &Error) -> bool {
    matches!(error.code(), Some("NotFound" | "NotFoundException"))
}

/// A rule of a list, as it is described singly.
fn described(rule: Rule) -> DescribeRuleOutput {
    DescribeRuleOutput::builder()
        .set_name(rule.name)
        .set_arn(rule.arn)
        .set_event_pattern(rule.event_pattern)
        .set_schedule_expression(rule.schedule_expression)
        .set_state(rule.state)
        .set_description(rule.description)
        .set_role_arn(rule.role_arn)
        .set_managed_by(rule.managed_by)
        .set_event_bus_name(rule.event_bus_name)
        .build()
}

/// Tags as EventBridge takes them.
pub fn wire_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}

/// What is not there is an answer.
pub(super) fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

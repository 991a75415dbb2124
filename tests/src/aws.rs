//! AWS's side, seen through AWS's own SDK: what is there, and the ways to break it behind Terraform's back.

use std::collections::HashMap;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_sdk_eventbridge::config::Credentials;
use aws_sdk_eventbridgev2 as custom;
use aws_sdk_eventbridgev2::types::{
    BatchConfiguration, BusState, InvokeConfiguration, UniversalTargetParameters,
};
use aws_sdk_iam as roles;
use aws_sdk_sns as topics;
use aws_sdk_sqs as queues;
use serde_json::Value;

use crate::runtime::block_on;

/// The SDK's settings with one HTTP client for all cases: each client of its own reads all root certificates.
fn shared() -> &'static SdkConfig {
    static SHARED: OnceLock<SdkConfig> = OnceLock::new();
    SHARED.get_or_init(|| {
        // Region and credentials are set for each account; asking for them here would reach for the developer's own.
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .no_credentials();
        block_on(loader.load())
    })
}

/// One account in one region.
pub struct Aws {
    /// EventBridge.
    pub events: events::Client,
    /// EventBridge's custom event buses.
    pub custom: custom::Client,
    /// CloudWatch Logs.
    pub logs: logs::Client,
    /// IAM.
    pub roles: roles::Client,
    /// SQS.
    pub queues: queues::Client,
    /// SNS.
    pub topics: topics::Client,
}

impl Aws {
    /// Looks at `account` in `region` through `endpoint`; the local AWS takes a 12-digit access key for the account.
    pub fn new(endpoint: &str, account: &str, region: &str) -> Self {
        let credentials = Credentials::new(account, "not-checked", None, None, "acceptance");
        let config = shared()
            .to_builder()
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(events::config::SharedCredentialsProvider::new(credentials))
            .build();
        Self {
            events: events::Client::new(&config),
            custom: custom::Client::new(&config),
            logs: logs::Client::new(&config),
            roles: roles::Client::new(&config),
            queues: queues::Client::new(&config),
            topics: topics::Client::new(&config),
        }
    }

    /// Names of the custom event buses, without those that are being deleted.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn custom_buses(&self) -> Result<Vec<String>> {
        let listed = block_on(self.custom.list_event_buses().send())?;
        let buses = listed.event_buses().iter();
        let there = buses.filter(|bus| bus.state() != Some(&BusState::Deleting));
        Ok(there.filter_map(|bus| bus.name()).map(str::to_owned).collect())
    }

    /// Makes a log group with a log stream.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn make_group(&self, name: &str, stream: &str) -> Result<()> {
        block_on(self.logs.create_log_group().log_group_name(name).send())?;
        let create = self.logs.create_log_stream().log_group_name(name);
        block_on(create.log_stream_name(stream).send())?;
        Ok(())
    }

    /// Has a custom event bus deliver its events to a log group, whole. Returns the ARN of the subscriber.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn subscribe_group(&self, bus_arn: &str, name: &str, group: &str, stream: &str) -> Result<String> {
        let events = "{% [$events.{ 'Timestamp': $millis(), 'Message': $string(Data) }] %}";
        let input =
            serde_json::json!({ "LogGroupName": group, "LogStreamName": stream, "LogEvents": events });
        let input = UniversalTargetParameters::builder()
            .input(input.to_string())
            .build()?;
        let invoke = InvokeConfiguration::builder()
            .target_arn("arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents")
            .role_arn("arn:aws:iam::123456789012:role/deliver")
            .universal_target_parameters(input)
            .build()?;
        let batch = BatchConfiguration::builder()
            .max_batch_size(10)
            .max_batch_window_in_seconds(0);
        let create = self.custom.create_subscriber().name(name).event_bus_arn(bus_arn);
        let create = create
            .invoke_configuration(invoke)
            .batch_configuration(batch.build());
        block_on(create.send())?.subscriber_arn.context("no ARN")
    }

    /// Names of the roles.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn roles(&self) -> Result<Vec<String>> {
        let listed = block_on(self.roles.list_roles().send())?;
        let names = listed.roles().iter().map(|role| role.role_name().to_owned());
        Ok(names.collect())
    }

    /// Names of the subscribers of custom event buses.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn subscribers(&self) -> Result<Vec<String>> {
        let listed = block_on(self.custom.list_subscribers().send())?;
        let names = listed.subscribers().iter().filter_map(|one| one.name());
        Ok(names.map(str::to_owned).collect())
    }

    /// Makes a queue, or gives it another policy: one that lets EventBridge send to it, or none.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn make_queue(&self, name: &str, lets_in: bool) -> Result<()> {
        let made = block_on(self.queues.create_queue().queue_name(name).send())?;
        if !lets_in {
            return Ok(());
        }
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": "*",
        }] });
        let set = self.queues.set_queue_attributes();
        let set = set.set_queue_url(made.queue_url);
        let set = set.attributes(queues::types::QueueAttributeName::Policy, policy.to_string());
        block_on(set.send())?;
        Ok(())
    }

    /// Receives messages of a queue, with their attributes.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn receive(&self, queue: &str) -> Result<Vec<queues::types::Message>> {
        let url = block_on(self.queues.get_queue_url().queue_name(queue).send())?;
        let call = self.queues.receive_message().set_queue_url(url.queue_url);
        let call = call.max_number_of_messages(10).message_attribute_names("All");
        Ok(block_on(call.send())?.messages.unwrap_or_default())
    }

    /// The policy of a queue.
    ///
    /// # Errors
    /// When AWS refuses, or there is no such queue.
    pub fn queue_policy(&self, queue: &str) -> Result<Option<Value>> {
        const POLICY: queues::types::QueueAttributeName = queues::types::QueueAttributeName::Policy;
        let url = block_on(self.queues.get_queue_url().queue_name(queue).send())?;
        let call = self.queues.get_queue_attributes().set_queue_url(url.queue_url);
        let answer = block_on(call.attribute_names(POLICY).send())?;
        let text = answer.attributes().and_then(|all| all.get(&POLICY));
        Ok(text.map(|text| serde_json::from_str(text)).transpose()?)
    }

    /// Makes a topic, or gives it another policy: one that lets EventBridge publish to it, or its default one.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn make_topic(&self, name: &str, lets_in: bool) -> Result<()> {
        let made = block_on(self.topics.create_topic().name(name).send())?;
        let arn = made.topic_arn().unwrap_or_default();
        if lets_in {
            let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sns:Publish", "Resource": arn,
            }] });
            let set = self
                .topics
                .set_topic_attributes()
                .topic_arn(arn)
                .attribute_name("Policy");
            block_on(set.attribute_value(policy.to_string()).send())?;
        }
        Ok(())
    }

    /// The `Sid`s of the statements in a topic's policy.
    ///
    /// # Errors
    /// When AWS refuses, or there is no such topic.
    pub fn topic_statements(&self, arn: &str) -> Result<Vec<String>> {
        let answer = block_on(self.topics.get_topic_attributes().topic_arn(arn).send())?;
        let text = answer.attributes().and_then(|all| all.get("Policy"));
        let policy: Value = serde_json::from_str(text.context("a topic without a policy")?)?;
        let sid = |one: &Value| one["Sid"].as_str().unwrap_or_default().to_owned();
        Ok(policy["Statement"]
            .as_array()
            .into_iter()
            .flatten()
            .map(sid)
            .collect())
    }

    /// The state of an event source: `PENDING`, `ACTIVE` or `DELETED`; none if it is unknown.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn source_state(&self, name: &str) -> Result<Option<String>> {
        let page = block_on(self.events.list_event_sources().name_prefix(name).send())?;
        let found = page
            .event_sources()
            .iter()
            .find(|source| source.name() == Some(name));
        Ok(found
            .and_then(|source| source.state())
            .map(|state| state.as_str().to_owned()))
    }

    /// The buses that are not the default one.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn buses(&self) -> Result<Vec<String>> {
        let page = block_on(self.events.list_event_buses().send())?;
        let names = page.event_buses().iter().filter_map(|bus| bus.name());
        Ok(names
            .filter(|name| *name != "default")
            .map(str::to_owned)
            .collect())
    }

    /// The rules of a bus, by name; none if there is no such bus.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn rules(&self, bus: &str) -> Result<Vec<String>> {
        match block_on(self.events.list_rules().event_bus_name(bus).send()) {
            Ok(page) => Ok(page
                .rules()
                .iter()
                .filter_map(|rule| rule.name())
                .map(str::to_owned)
                .collect()),
            Err(error) => {
                let error = error.into_service_error();
                if error.is_resource_not_found_exception() {
                    Ok(Vec::new())
                } else {
                    Err(error.into())
                }
            }
        }
    }

    /// One rule.
    ///
    /// # Errors
    /// When AWS refuses or there is none.
    pub fn rule(
        &self,
        bus: &str,
        name: &str,
    ) -> Result<events::operation::describe_rule::DescribeRuleOutput> {
        Ok(block_on(
            self.events.describe_rule().event_bus_name(bus).name(name).send(),
        )?)
    }

    /// Makes rules of a bus that pick up runs: `rule-000`, `rule-001` and so on.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn make_rules(&self, bus: &str, count: usize) -> Result<()> {
        for number in 0..count {
            let call = self
                .events
                .put_rule()
                .event_bus_name(bus)
                .name(format!("rule-{number:03}"))
                .event_pattern(r#"{"detail-type":["RunExecuted"]}"#);
            block_on(call.send())?;
        }
        Ok(())
    }

    /// A rule's targets.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn targets(&self, bus: &str, rule: &str) -> Result<Vec<events::types::Target>> {
        let page = block_on(
            self.events
                .list_targets_by_rule()
                .event_bus_name(bus)
                .rule(rule)
                .send(),
        )?;
        Ok(page.targets().to_vec())
    }

    /// The names of the log groups.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn groups(&self) -> Result<Vec<String>> {
        let page = block_on(self.logs.describe_log_groups().send())?;
        let names = page
            .log_groups()
            .iter()
            .filter_map(|group| group.log_group_name());
        Ok(names.map(str::to_owned).collect())
    }

    /// One log group.
    ///
    /// # Errors
    /// When AWS refuses or there is none.
    pub fn group(&self, name: &str) -> Result<logs::types::LogGroup> {
        let page = block_on(self.logs.describe_log_groups().log_group_name_prefix(name).send())?;
        let found = page
            .log_groups()
            .iter()
            .find(|group| group.log_group_name() == Some(name));
        found.cloned().with_context(|| format!("no log group {name}"))
    }

    /// The ARN of a log group without the `:*` at its end.
    ///
    /// # Errors
    /// When AWS refuses or there is none.
    pub fn group_arn(&self, name: &str) -> Result<String> {
        let group = self.group(name)?;
        let arn = group
            .log_group_arn()
            .or(group.arn())
            .context("a log group without an ARN")?;
        Ok(arn.trim_end_matches(":*").to_owned())
    }

    /// A log group's tags.
    ///
    /// # Errors
    /// When AWS refuses or there is none.
    pub fn group_tags(&self, name: &str) -> Result<HashMap<String, String>> {
        let arn = self.group_arn(name)?;
        let answer = block_on(self.logs.list_tags_for_resource().resource_arn(arn).send())?;
        Ok(answer.tags.unwrap_or_default())
    }

    /// A log group's own resource policy.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn group_policy(&self, name: &str) -> Result<Option<Value>> {
        let request = self
            .logs
            .describe_resource_policies()
            .resource_arn(self.group_arn(name)?);
        let page = block_on(request.policy_scope(logs::types::PolicyScope::Resource).send())?;
        let document = page
            .resource_policies()
            .first()
            .and_then(|policy| policy.policy_document());
        document
            .map(|text| serde_json::from_str(text).context("a policy that is no JSON"))
            .transpose()
    }

    /// Deletes a log group's own resource policy.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn delete_group_policy(&self, name: &str) -> Result<()> {
        let arn = self.group_arn(name)?;
        let request = self.logs.describe_resource_policies().resource_arn(&arn);
        let page = block_on(request.policy_scope(logs::types::PolicyScope::Resource).send())?;
        let revision = page
            .resource_policies()
            .first()
            .and_then(|policy| policy.revision_id().map(str::to_owned));
        let delete = self
            .logs
            .delete_resource_policy()
            .resource_arn(arn)
            .set_expected_revision_id(revision);
        block_on(delete.send())?;
        Ok(())
    }

    /// Puts a policy on a log group that keeps EventBridge out, in place of its own.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn deny_events(&self, name: &str) -> Result<()> {
        self.delete_group_policy(name)?;
        let arn = self.group_arn(name)?;
        let statements = ["Allow", "Deny"].map(|effect| {
            let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
            let principal = serde_json::json!({"Service": "events.amazonaws.com"});
            let resource = format!("{arn}:*");
            serde_json::json!({"Sid": effect, "Effect": effect, "Principal": principal, "Action": actions, "Resource": resource})
        });
        let document = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
        let put = self
            .logs
            .put_resource_policy()
            .resource_arn(arn)
            .policy_document(document.to_string());
        block_on(put.send())?;
        Ok(())
    }

    /// The events in a log group, oldest first.
    ///
    /// # Errors
    /// When AWS refuses or a message is not JSON.
    pub fn messages(&self, group: &str) -> Result<Vec<Value>> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let request = self
                .logs
                .filter_log_events()
                .log_group_name(group)
                .set_next_token(token);
            let page = block_on(request.send())?;
            for event in page.events() {
                let text = event.message().unwrap_or_default();
                found.push(serde_json::from_str(text).with_context(|| text.to_owned())?);
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Removes a rule's targets and the rule.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn delete_rule(&self, bus: &str, rule: &str) -> Result<()> {
        self.remove_targets(bus, rule)?;
        block_on(self.events.delete_rule().event_bus_name(bus).name(rule).send())?;
        Ok(())
    }

    /// Removes all targets of a rule.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn remove_targets(&self, bus: &str, rule: &str) -> Result<()> {
        let ids: Vec<_> = self
            .targets(bus, rule)?
            .iter()
            .map(|target| target.id().to_owned())
            .collect();
        if !ids.is_empty() {
            let request = self.events.remove_targets().event_bus_name(bus).rule(rule);
            block_on(request.set_ids(Some(ids)).send())?;
        }
        Ok(())
    }

    /// Deletes a bus with all its rules and their targets.
    ///
    /// # Errors
    /// When AWS refuses.
    pub fn delete_bus(&self, bus: &str) -> Result<()> {
        for rule in self.rules(bus)? {
            self.delete_rule(bus, &rule)?;
        }
        block_on(self.events.delete_event_bus().name(bus).send())?;
        Ok(())
    }
}

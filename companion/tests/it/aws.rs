//! A local AWS in this process, behind a proxy, and the customer's side of it through AWS's SDK.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_eventbridgev2::types::{
    BatchConfiguration, EventSourceConfiguration, Filter, FilterConfiguration, FilterScope,
    InvokeConfiguration, PartnerEventsSourceConfiguration, SubscriberState, UniversalTargetParameters,
};
use serde_json::{Value, json};

use crate::proxy::Proxy;
use crate::until;

const CUSTOMER: &str = "123456789012";
const GROUP: &str = "/aws/events/scalr";

/// AWS, with one customer.
pub(crate) struct Aws {
    /// What the companion calls.
    pub(crate) proxy: Proxy,
    endpoint: String,
}

impl Aws {
    /// An empty AWS.
    pub(crate) async fn start() -> Self {
        let server = aws_local::Server::bind(aws_local::Config::default())
            .await
            .expect("a free port");
        let endpoint = format!("http://{}", server.local_addr());
        tokio::spawn(server.run(std::future::pending()));
        Self::at(&endpoint).await
    }

    /// An AWS that is running.
    pub(crate) async fn at(endpoint: &str) -> Self {
        Self {
            proxy: Proxy::start(endpoint).await,
            endpoint: endpoint.to_owned(),
        }
    }

    fn credentials() -> Credentials {
        Credentials::new(CUSTOMER, "none", None, None, "test")
    }

    /// EventBridge in a region.
    pub(crate) fn events(&self, region: &str) -> aws_sdk_eventbridge::Client {
        self.events_as(CUSTOMER, region)
    }

    /// The same as this account.
    fn events_as(&self, account: &str, region: &str) -> aws_sdk_eventbridge::Client {
        let config = aws_sdk_eventbridge::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(Credentials::new(account, "none", None, None, "test"))
            .endpoint_url(&self.endpoint)
            .build();
        aws_sdk_eventbridge::Client::from_conf(config)
    }

    /// Custom event buses in a region.
    pub(crate) fn custom(&self, region: &str) -> aws_sdk_eventbridgev2::Client {
        let config = aws_sdk_eventbridgev2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(Self::credentials())
            .endpoint_url(&self.endpoint)
            .build();
        aws_sdk_eventbridgev2::Client::from_conf(config)
    }

    /// Makes a custom event bus, and waits until it is there; its ARN.
    pub(crate) async fn custom_bus(&self, region: &str, name: &str) -> String {
        let custom = self.custom(region);
        let made = custom.create_event_bus().name(name).send().await.expect("a bus");
        let arn = made.event_bus_arn().expect("its ARN").to_owned();
        until("the custom event bus", || async {
            let found = custom.describe_event_bus().event_bus_arn(&arn).send().await;
            let found = found.expect("the bus");
            (found.state().map(AsRef::as_ref) == Some("ACTIVE")).then_some(())
        })
        .await;
        arn
    }

    /// Has a source feed a new custom event bus; the ARN of the event source there.
    pub(crate) async fn feed(&self, region: &str, source: &str, bus: &str) -> String {
        let (custom, arn) = (self.custom(region), self.custom_bus(region, bus).await);
        let create = custom.create_event_source().name("scalr").event_bus_arn(&arn);
        let made = create.configuration(feed_of(region, source)).send().await;
        let made = made.expect("an event source");
        made.event_source_arn().expect("its ARN").to_owned()
    }

    /// Has a subscriber of the custom event bus lead RunExecuted events to a stream of a new log group, and another one take AuditLog
    /// events alone.
    pub(crate) async fn subscribe(&self, region: &str, group: &str) {
        self.log_group(region, group).await;
        let stream = self.logs(region).create_log_stream().log_group_name(group);
        let made = stream.log_stream_name("events").send().await;
        made.expect("a log stream");
        let custom = self.custom(region);
        let buses = custom.list_event_buses().send().await.expect("the buses");
        let arn = buses.event_buses()[0].event_bus_arn().expect("its ARN");
        let events = "{% [$events.{ 'Timestamp': $millis(), 'Message': $string(Data.detail) }] %}";
        let input = json!({ "LogGroupName": group, "LogStreamName": "events", "LogEvents": events });
        let input = UniversalTargetParameters::builder().input(input.to_string());
        let target = InvokeConfiguration::builder()
            .target_arn("arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents")
            .role_arn(format!("arn:aws:iam::{CUSTOMER}:role/deliver"))
            .universal_target_parameters(input.build().expect("an input"))
            .build()
            .expect("a target");
        let batch = BatchConfiguration::builder()
            .max_batch_size(10)
            .max_batch_window_in_seconds(0)
            .build();
        for (name, of) in [("audit", "AuditLog"), ("runs", "RunExecuted")] {
            let filter = Filter::builder()
                .scope(FilterScope::Data)
                .pattern(json!({ "detail-type": [of] }).to_string())
                .build()
                .expect("a filter");
            let create = custom.create_subscriber().name(name).event_bus_arn(arn);
            let filters = FilterConfiguration::builder().filters(filter).build();
            let create = create
                .filter_configuration(filters)
                .batch_configuration(batch.clone());
            let made = create.invoke_configuration(target.clone()).send().await;
            made.expect("a subscriber");
        }
    }

    /// Stops a subscriber of a custom event bus.
    pub(crate) async fn stop_subscriber(&self, region: &str, name: &str) {
        let custom = self.custom(region);
        let listed = custom.list_subscribers().name_prefix(name).send().await;
        let listed = listed.expect("the subscribers");
        let arn = listed.subscribers()[0].subscriber_arn().expect("its ARN");
        let update = custom.update_subscriber().subscriber_arn(arn);
        let stopped = update.state(SubscriberState::Stopped).send().await;
        stopped.expect("the subscriber is stopped");
    }

    /// Deletes a log stream.
    pub(crate) async fn delete_log_stream(&self, region: &str, group: &str, stream: &str) {
        let delete = self.logs(region).delete_log_stream().log_group_name(group);
        let deleted = delete.log_stream_name(stream).send().await;
        deleted.expect("the log stream is deleted");
    }

    /// Deletes a log group.
    pub(crate) async fn delete_log_group(&self, region: &str, group: &str) {
        let delete = self.logs(region).delete_log_group().log_group_name(group);
        delete.send().await.expect("the log group is deleted");
    }

    /// Makes again what of a feed was removed.
    pub(crate) async fn feed_again(&self, region: &str, source: &str, arn: &str) {
        let update = self.custom(region).update_event_source().event_source_arn(arn);
        let updated = update.configuration(feed_of(region, source)).send().await;
        updated.expect("the event source is updated");
    }

    /// Removes the target of the managed rule, and then the rule if that is wanted.
    pub(crate) async fn end_feed(&self, region: &str, source: &str, with_rule: bool) {
        let events = self.events(region);
        let rules = events.list_rules().event_bus_name(source).send().await;
        let rules = rules.expect("the rules");
        let rule = rules.rules()[0].name().expect("a name");
        let listed = events.list_targets_by_rule().event_bus_name(source).rule(rule);
        let listed = listed.send().await.expect("the targets");
        let ids: Vec<String> = listed.targets().iter().map(|one| one.id().to_owned()).collect();
        let remove = events.remove_targets().event_bus_name(source).rule(rule);
        let removed = remove.set_ids(Some(ids)).force(true).send().await;
        removed.expect("the target is removed");
        if with_rule {
            let delete = events.delete_rule().event_bus_name(source).name(rule);
            delete.force(true).send().await.expect("the rule is deleted");
        }
    }

    /// An operation on queues, in its JSON form.
    pub(crate) async fn queues(&self, region: &str, operation: &str, body: &Value) -> Value {
        let scope = format!("AWS4-HMAC-SHA256 Credential={CUSTOMER}/20240101/{region}/sqs/aws4_request");
        let request = reqwest::Client::new()
            .post(&self.endpoint)
            .header("x-amz-target", format!("AmazonSQS.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", format!("{scope}, Signature=x"))
            .body(body.to_string());
        let answer = request.send().await.expect("it answers");
        answer.json().await.expect("the answer is JSON")
    }

    fn logs(&self, region: &str) -> aws_sdk_cloudwatchlogs::Client {
        let config = aws_sdk_cloudwatchlogs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(Self::credentials())
            .endpoint_url(&self.endpoint)
            .build();
        aws_sdk_cloudwatchlogs::Client::from_conf(config)
    }

    /// "Associate with event bus".
    pub(crate) async fn associate(&self, region: &str, source: &str) {
        self.associate_as(CUSTOMER, region, source).await;
    }

    /// The same as this account.
    pub(crate) async fn associate_as(&self, account: &str, region: &str, source: &str) {
        let bus = self.events_as(account, region).create_event_bus().name(source);
        let made = bus.event_source_name(source).send().await;
        made.expect("a bus");
    }

    /// Creates all of the customer's side: bus, rule, log group with its policy, target.
    pub(crate) async fn receive(&self, region: &str, source: &str) {
        self.associate(region, source).await;
        let logs = self.logs(region);
        self.log_group(region, GROUP).await;
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:{region}:{CUSTOMER}:log-group:{GROUP}:*"}}]}}"#
        );
        logs.put_resource_policy()
            .policy_name("p")
            .policy_document(policy)
            .send()
            .await
            .expect("a policy");
        self.lead_to_logs(region, source).await;
    }

    /// The rule and the target that lead a source's events to the log group.
    async fn lead_to_logs(&self, region: &str, source: &str) {
        let pattern = r#"{"source":[{"prefix":"aws.partner/scalr.com"}]}"#;
        self.events(region)
            .put_rule()
            .name("r")
            .event_bus_name(source)
            .event_pattern(pattern)
            .send()
            .await
            .expect("a rule");
        let arn = format!("arn:aws:logs:{region}:{CUSTOMER}:log-group:{GROUP}");
        self.target(region, source, "logs", &arn).await;
    }

    /// Deletes what [`Self::receive`] has made but the log group: the source is PENDING then.
    pub(crate) async fn dissociate(&self, region: &str, source: &str) {
        let events = self.events(region);
        let targets = events.remove_targets().rule("r").event_bus_name(source);
        let removed = targets.ids("logs").send().await;
        removed.expect("no target");
        let rule = events.delete_rule().name("r").event_bus_name(source);
        rule.send().await.expect("no rule");
        let bus = events.delete_event_bus().name(source);
        bus.send().await.expect("no bus");
    }

    /// Makes that again.
    pub(crate) async fn receive_again(&self, region: &str, source: &str) {
        self.associate(region, source).await;
        self.lead_to_logs(region, source).await;
    }

    /// A log group.
    pub(crate) async fn log_group(&self, region: &str, name: &str) {
        let made = self.logs(region).create_log_group().log_group_name(name);
        made.send().await.expect("a log group");
    }

    /// A target of the rule that [`Self::receive`] makes.
    pub(crate) async fn target(&self, region: &str, source: &str, id: &str, arn: &str) {
        let target = aws_sdk_eventbridge::types::Target::builder().id(id).arn(arn);
        let target = target.build().expect("a target");
        self.events(region)
            .put_targets()
            .rule("r")
            .event_bus_name(source)
            .targets(target)
            .send()
            .await
            .expect("the target is put");
    }

    /// Disables the rule.
    pub(crate) async fn disable_rule(&self, region: &str, source: &str) {
        let disabled = self.events(region).disable_rule().name("r");
        disabled
            .event_bus_name(source)
            .send()
            .await
            .expect("the rule is disabled");
    }

    /// Has the rule match the runs of one workspace alone.
    pub(crate) async fn only_runs_of(&self, region: &str, source: &str, workspace: &str) {
        let pattern = format!(r#"{{"detail":{{"event":{{"workspace":["{workspace}"]}}}}}}"#);
        let put = self.events(region).put_rule().name("r").event_bus_name(source);
        put.event_pattern(pattern).send().await.expect("a rule");
    }

    /// The events in the log group, oldest first.
    pub(crate) async fn arrived(&self, region: &str) -> Vec<Value> {
        let mut pages = self
            .logs(region)
            .filter_log_events()
            .log_group_name(GROUP)
            .into_paginator()
            .send();
        let mut events = vec![];
        while let Some(page) = pages.next().await {
            events.extend(page.expect("the log group reads").events.unwrap_or_default());
        }
        events
            .iter()
            .map(|event| serde_json::from_str(event.message().unwrap_or_default()).expect("JSON"))
            .collect()
    }

    /// How often each run's event arrived.
    pub(crate) async fn runs(&self, region: &str) -> BTreeMap<String, usize> {
        let mut runs = BTreeMap::new();
        for event in self.arrived(region).await {
            if let Some(id) = event["detail"]["event"]["run-id"].as_str() {
                *runs.entry(id.to_owned()).or_default() += 1;
            }
        }
        runs
    }

    /// Waits until the event of a run has arrived.
    pub(crate) async fn run_arrives(&self, region: &str, run: &str) {
        until("a run's event", || async {
            self.runs(region).await.contains_key(run).then_some(())
        })
        .await;
    }

    /// The state of a source in the customer's account; none if there is no such source.
    pub(crate) async fn source_state(&self, region: &str, name: &str) -> Option<String> {
        let found = self
            .events(region)
            .describe_event_source()
            .name(name)
            .send()
            .await
            .ok()?;
        found.state().map(|state| state.as_str().to_owned())
    }
}

/// The configuration of an event source that a partner's source feeds.
fn feed_of(region: &str, source: &str) -> EventSourceConfiguration {
    let partner = PartnerEventsSourceConfiguration::builder()
        .partner_event_source_arn(format!("arn:aws:events:{region}::event-source/{source}"));
    EventSourceConfiguration::PartnerEventsConfiguration(partner.build().expect("a configuration"))
}

//! What configurations refer to, made beforehand with the provider itself; and the provider as one command has it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_eventbridge::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use scalr_api::Token;
use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, State};

use super::companion::Companion;
use crate::aws::tags::{Defaults, Tags};
use crate::aws::{Aws, Settings};
use crate::client::Client;
use crate::scalr::Scalr;
use crate::shared_read::Writes;
use crate::tests::with_client;

pub(super) const REGION: &str = "us-east-1";
pub(super) const OTHER_REGION: &str = "eu-west-1";
pub(super) const ACCOUNT: &str = "123456789012";
/// Made in both regions.
const CONNECTIONS: [(&str, &str); 2] = [("prod", REGION), ("other", OTHER_REGION)];
const RULES: [&str; 2] = ["runs", "audit"];
const LOG_GROUP: &str = "/there";
const TOPICS: [&str; 2] = ["on-call", "reports"];

/// A companion, and what is there before a test's own objects.
pub(super) struct Ground {
    companion: Companion,
    http: SharedHttpClient,
    pub(super) there: There,
}

/// What is there, by what configurations name it with.
#[derive(Clone, Debug, Default)]
pub(super) struct There {
    /// Ids of the connections.
    pub(super) connections: Vec<String>,
    /// The event source, and so the bus, of the first one.
    pub(super) source: String,
    /// ARNs of custom event buses of its region, and of the source.
    pub(super) custom_buses: Vec<String>,
    pub(super) source_arn: String,
    pub(super) rules: Vec<String>,
    pub(super) rule_arns: Vec<String>,
    /// ARN of a queue and of topics that let the rules in.
    pub(super) queue: String,
    pub(super) topics: Vec<String>,
    pub(super) workspace: String,
    /// Where events of runs arrive.
    pub(super) log_group: String,
}

impl There {
    /// Names of what is nowhere.
    pub(super) fn example() -> Self {
        let of = |name: &str| vec![name.to_owned()];
        Self {
            connections: of("in-1"),
            source: "aws.partner/scalr.com/acme/prod".to_owned(),
            custom_buses: of("arn:aws:events:us-east-1:123456789012:event-busv2/a/abcdefghij0123456789abcde"),
            source_arn: "arn:aws:events:us-east-1::event-source/aws.partner/scalr.com/acme/prod".to_owned(),
            rules: of("runs"),
            rule_arns: of("arn:aws:events:us-east-1:123456789012:rule/aws.partner/scalr.com/acme/prod/runs"),
            queue: "arn:aws:sqs:us-east-1:123456789012:there".to_owned(),
            topics: of("arn:aws:sns:us-east-1:123456789012:on-call"),
            workspace: "ws-1".to_owned(),
            log_group: LOG_GROUP.to_owned(),
        }
    }
}

/// How much is made beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Nothing.
    Bare,
    /// Connections.
    Connections,
    /// Connections, and custom event buses.
    CustomBuses,
    /// Connections and their buses.
    Buses,
    /// Rules on them, and a queue and topics that let these in.
    Rules,
    /// All of it, so that events arrive.
    Delivery,
}

impl Ground {
    pub(super) async fn start(depth: Depth) -> Self {
        let mut ground = Self {
            companion: Companion::start(),
            http: aws_smithy_http_client::Builder::new().build_http(),
            there: There::default(),
        };
        let workspace = ground.companion.text("/scalr/workspace_id");
        ground.there.workspace = workspace.to_owned();
        if depth != Depth::Bare {
            ground.connect().await;
        }
        if depth == Depth::CustomBuses {
            for name in ["a", "b"] {
                let made = ground
                    .make("scalr_eventbridge_custom_bus", json!({ "name": name }))
                    .await;
                ground.there.custom_buses.push(text(&made, "arn"));
            }
        }
        if matches!(depth, Depth::Buses | Depth::Rules | Depth::Delivery) {
            ground.associate().await;
        }
        if matches!(depth, Depth::Rules | Depth::Delivery) {
            ground.rule().await;
        }
        if depth == Depth::Delivery {
            ground.activate().await;
        }
        ground
    }

    async fn connect(&mut self) {
        for (name, region) in CONNECTIONS {
            let config = json!({ "name": name, "aws_account_id": ACCOUNT, "region": region });
            let made = self.make("scalr_eventbridge_connection", config).await;
            self.there.connections.push(text(&made, "id"));
            if region == REGION {
                self.there.source = text(&made, "event_source_name");
                self.there.source_arn = text(&made, "event_source_arn");
            }
        }
    }

    async fn associate(&mut self) {
        for (name, region) in CONNECTIONS {
            let source = self.there.source.replace("/prod", &format!("/{name}"));
            let config = json!({ "event_source_name": source, "region": region });
            self.make("scalr_eventbridge_bus", config).await;
        }
    }

    async fn rule(&mut self) {
        let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
        for name in RULES {
            let config =
                json!({ "name": name, "event_bus_name": self.there.source, "event_pattern": pattern });
            let made = self.make("scalr_eventbridge_rule", config).await;
            self.there.rules.push(name.to_owned());
            self.there.rule_arns.push(text(&made, "arn"));
        }
        let config = json!({ "name": "there", "rule_arns": self.there.rule_arns });
        let queue = self.make("scalr_eventbridge_queue", config).await;
        self.there.queue = text(&queue, "arn");
        let sns = aws_sdk_sns::Client::new(&self.config());
        for name in TOPICS {
            let made = sns.create_topic().name(name).send().await.unwrap();
            let topic = made.topic_arn.unwrap();
            for rule in &self.there.rule_arns {
                let config = json!({ "topic_arn": topic, "rule_arn": rule });
                self.make("scalr_eventbridge_topic_permission", config).await;
            }
            self.there.topics.push(topic);
        }
    }

    async fn activate(&mut self) {
        let group = json!({ "name": LOG_GROUP, "create": true });
        let target =
            json!({ "rule": self.there.rules[0], "event_bus_name": self.there.source, "log_group": group });
        self.make("scalr_eventbridge_target", target).await;
        let connection = json!({ "connection_id": self.there.connections[0] });
        self.make("scalr_eventbridge_activation", connection).await;
        LOG_GROUP.clone_into(&mut self.there.log_group);
    }

    async fn make(&self, resource: &str, config: Json) -> State {
        let made = self.command().resource(resource).create(config).await;
        made.unwrap_or_else(|diags| panic!("{resource}: {diags}"))
    }

    /// The provider, configured as for one command: it remembers nothing of the commands before.
    pub(super) fn command(&self) -> Harness {
        let url = self.companion.text("/scalr/hostname").parse().unwrap();
        let token = Token::new(self.companion.text("/scalr/token")).unwrap();
        let settings = scalr_api::Settings::new(url, token, "test");
        let scalr = Scalr::new(settings, "the test".to_owned(), &Writes::default());
        let aws = Aws::with(settings_of_aws(), self.config());
        with_client(Client::new(Ok(scalr), Ok(aws), Ok(None)))
    }

    fn config(&self) -> SdkConfig {
        let credentials = Credentials::new(ACCOUNT, "not-checked", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.companion.text("/aws/endpoint"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http.clone())
            .build()
    }
}

/// With default tags, which a resource's own may override.
fn settings_of_aws() -> Settings {
    let tags = [("managed-by", "terraform"), ("team", "platform")];
    let known = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Settings {
        default_tags: Defaults {
            known: Tags::from(known),
            ..Defaults::default()
        },
        ..Settings::default()
    }
}

fn text(state: &State, name: &str) -> String {
    state.json()[name].as_str().unwrap().to_owned()
}

//! Subscribers of the fake AWS, and the log streams that they write to.

use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, Holdings, Trouble, not_found};

/// The members that an update may carry. A block replaces the one that is there whole.
const CHANGEABLE: [&str; 7] = [
    "BatchConfiguration",
    "Description",
    "FilterConfiguration",
    "OnFailureConfiguration",
    "RetryPolicy",
    "State",
    "Transformer",
];

impl Holdings {
    pub(super) fn carry_out_subscribers(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let arn = body["SubscriberArn"].as_str().unwrap_or_default().to_owned();
        Ok(match name {
            "CreateSubscriber" => return self.make_subscriber(body),
            "DescribeSubscriber" => {
                let held = self.custom.held_subscribers.get(&arn);
                let mut subscriber = held.cloned().ok_or_else(not_found)?;
                if let Some((state, _)) = self.custom.states.pop_front() {
                    subscriber["State"] = json!(state);
                }
                subscriber
            }
            "UpdateSubscriber" => {
                let keeps_queue = self.custom.keeps_queue;
                let subscriber = self.custom.held_subscribers.get_mut(&arn);
                let subscriber = subscriber.ok_or_else(not_found)?;
                for member in CHANGEABLE {
                    let is_kept = keeps_queue && member == "OnFailureConfiguration";
                    if !body[member].is_null() && !is_kept {
                        subscriber[member] = body[member].clone();
                    }
                }
                if let Some(invoke) = body["InvokeConfiguration"].as_object() {
                    let target = subscriber["InvokeConfiguration"]["TargetArn"].clone();
                    subscriber["InvokeConfiguration"] = json!(invoke);
                    subscriber["InvokeConfiguration"]["TargetArn"] = target;
                }
                self.custom.updated = body.clone();
                json!({})
            }
            "DeleteSubscriber" => {
                let held = self.custom.held_subscribers.remove(&arn);
                held.map(|_| json!({})).ok_or_else(not_found)?
            }
            _ => {
                let others = self.custom.subscribers.iter().map(|name| json!({ "Name": name }));
                let prefix = body["NamePrefix"].as_str().unwrap_or_default();
                let held = self.custom.held_subscribers.values();
                let named =
                    held.filter(|one| one["Name"].as_str().is_some_and(|name| name.starts_with(prefix)));
                json!({ "Subscribers": others.chain(named.cloned()).collect::<Vec<_>>() })
            }
        })
    }

    fn make_subscriber(&mut self, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if let Some(made) = self.custom.tokens.get(&text("ClientToken")) {
            return Ok(made.clone());
        }
        let mut held = self.custom.held_subscribers.values();
        if held.any(|subscriber| subscriber["Name"] == body["Name"]) {
            return Err(Trouble::Says("ResourceAlreadyExistsException", "It exists."));
        }
        let id = self.custom.tokens.len();
        let arn = format!(
            "arn:aws:events:us-east-1:{ACCOUNT}:subscriber/{}/{id:025}",
            text("Name")
        );
        let mut made = body.clone();
        made["SubscriberArn"] = json!(arn);
        made["CreationTime"] = json!(1_790_000_000);
        for (member, default) in [
            ("State", json!("RUNNING")),
            ("Type", json!("UNORDERED")),
            ("StartingPosition", json!("LATEST")),
            ("Transformer", json!({ "Type": "RAW" })),
            (
                "RetryPolicy",
                json!({ "MaxRetryAttempts": 5, "MaxEventAgeInSeconds": 300, "RetryStrategy": "ALL" }),
            ),
        ] {
            if made[member].is_null() {
                made[member] = default;
            }
        }
        let tags = serde_json::from_value(body["Tags"].clone()).unwrap_or_default();
        self.tags.insert(arn.clone(), tags);
        self.custom.tokens.insert(text("ClientToken"), made.clone());
        self.custom.held_subscribers.insert(arn, made.clone());
        Ok(made)
    }

    /// Log streams, which only subscribers need.
    pub(super) fn carry_out_streams(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let group = text("logGroupName");
        Ok(match name {
            "CreateLogStream" | "DescribeLogStreams" if !self.groups.contains_key(&group) => {
                return Err(not_found());
            }
            "CreateLogStream" => {
                if !self.streams.insert((group, text("logStreamName"))) {
                    return Err(Trouble::Says("ResourceAlreadyExistsException", "It exists."));
                }
                json!({})
            }
            "DescribeLogStreams" => {
                let of_group = self.streams.iter().filter(|(of, _)| *of == group);
                let shown = of_group.map(|(_, name)| json!({ "logStreamName": name }));
                json!({ "logStreams": shown.collect::<Vec<_>>() })
            }
            _ => return self.carry_out_http(name, body),
        })
    }
}

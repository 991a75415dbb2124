//! The API destinations and connections of the AWS in memory.

use serde_json::{Value as Json, json};

use super::fake::{ACCOUNT, Holdings, Trouble, not_found};

impl Holdings {
    pub(super) fn carry_out_http(&mut self, name: &str, body: &Json) -> Result<Json, Trouble> {
        let named = body["Name"].as_str().unwrap_or_default();
        let exists = || Trouble::Says("ResourceAlreadyExistsException", "It exists already.");
        let arn =
            |kind: &str, made: usize| format!("arn:aws:events:us-east-1:{ACCOUNT}:{kind}/{named}/{made}");
        let made = self.calls.len();
        match name {
            "CreateConnection" if self.connections.contains_key(named) => Err(exists()),
            "CreateConnection" => {
                let mut held = body.clone();
                held["ConnectionArn"] = json!(arn("connection", made));
                held["ConnectionState"] = json!("AUTHORIZED");
                self.connections.insert(named.to_owned(), held.clone());
                Ok(held)
            }
            "UpdateConnection" => {
                let held = self.connections.get_mut(named).ok_or_else(not_found)?;
                merge(held, body);
                held["ConnectionState"] = json!("AUTHORIZED");
                Ok(json!({}))
            }
            "DescribeConnection" => {
                let held = self.connections.get(named).ok_or_else(not_found)?;
                let mut shown = without_secrets(held);
                if let Some(state) = self.connection_states.pop_front() {
                    shown["ConnectionState"] = json!(state);
                }
                Ok(shown)
            }
            "DeleteConnection" => {
                let gone = self.connections.remove(named);
                gone.map(|_| json!({})).ok_or_else(not_found)
            }
            "CreateApiDestination" if self.api_destinations.contains_key(named) => Err(exists()),
            "CreateApiDestination" => {
                let mut held = body.clone();
                held["ApiDestinationArn"] = json!(arn("api-destination", made));
                self.api_destinations.insert(named.to_owned(), held.clone());
                Ok(held)
            }
            "UpdateApiDestination" => {
                let held = self.api_destinations.get_mut(named).ok_or_else(not_found)?;
                merge(held, body);
                Ok(json!({}))
            }
            "DescribeApiDestination" => self.api_destinations.get(named).cloned().ok_or_else(not_found),
            "DeleteApiDestination" => {
                let gone = self.api_destinations.remove(named);
                gone.map(|_| json!({})).ok_or_else(not_found)
            }
            "GetTopicAttributes" | "SetTopicAttributes" => self.carry_out_topics(name, body),
            _ => self.carry_out_queues(name, body),
        }
    }
}

/// Members that an update leaves out keep their value; lists are replaced whole. Another kind of credentials leaves nothing.
fn merge(into: &mut Json, from: &Json) {
    let is_another =
        from["AuthorizationType"].is_string() && into["AuthorizationType"] != from["AuthorizationType"];
    if is_another {
        into["AuthParameters"] = json!({});
    }
    match (into, from) {
        (Json::Object(into), Json::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Json::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn without_secrets(held: &Json) -> Json {
    match held {
        Json::Object(all) => all
            .iter()
            .filter(|(name, _)| !["ApiKeyValue", "Password", "ClientSecret"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), without_secrets(value)))
            .collect(),
        Json::Array(all) => all.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}

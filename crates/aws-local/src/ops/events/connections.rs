//! Connections: how API destinations prove who they are. Secrets are taken and never shown.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::arn::arn;
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Caller, Cx, Op, events_page, slim};
use crate::state::outside::Connection;

pub(super) const OPS: &[Op] = &[
    Op::write("CreateConnection", |cx, body| create(cx, parse(body)?)),
    Op::write("UpdateConnection", |cx, body| update(cx, parse(body)?)),
    Op::write("DeleteConnection", |cx, body| delete(cx, &parse(body)?)),
    Op::write("DeauthorizeConnection", |cx, body| deauthorize(cx, &parse(body)?)),
    Op::read("DescribeConnection", |cx, body| describe(cx, &parse(body)?)),
    Op::read("ListConnections", |cx, body| list(cx, &parse(body)?)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    description: Option<String>,
    authorization_type: String,
    auth_parameters: Value,
    kms_key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    name: String,
    description: Option<String>,
    authorization_type: Option<String>,
    auth_parameters: Option<Value>,
    kms_key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    connection_state: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn create(cx: &mut Cx<'_>, input: Create) -> Answer {
    check(&input.authorization_type, &input.auth_parameters)?;
    if cx.realm().connections.contains_key(&input.name) {
        return Err(Fault::exists(format!(
            "Connection {} already exists.",
            input.name
        )));
    }
    let connection = Connection {
        name: input.name.clone(),
        id: cx.dice.uuid(),
        description: input.description,
        authorization_type: input.authorization_type,
        auth: input.auth_parameters,
        kms_key: input.kms_key_identifier,
        authorized: true,
        created: cx.now,
        modified: cx.now,
        authorized_at: cx.now,
    };
    let answer = receipt(&connection, cx.caller);
    cx.realm().connections.insert(input.name, connection);
    Ok(answer)
}

fn update(cx: &mut Cx<'_>, input: Update) -> Answer {
    let (now, caller) = (cx.now, cx.caller);
    let connection = find(cx, &input.name)?;
    let kind = input
        .authorization_type
        .unwrap_or_else(|| connection.authorization_type.clone());
    let mut auth = if kind == connection.authorization_type {
        connection.auth.clone()
    } else {
        json!({})
    };
    if let Some(given) = input.auth_parameters {
        merge(&mut auth, given);
    }
    check(&kind, &auth)?;
    connection.authorization_type = kind;
    connection.auth = auth;
    connection.description = input.description.or_else(|| connection.description.clone());
    connection.kms_key = input.kms_key_identifier.or_else(|| connection.kms_key.clone());
    (
        connection.authorized,
        connection.modified,
        connection.authorized_at,
    ) = (true, now, now);
    Ok(receipt(connection, caller))
}

/// Members that an update leaves out keep their value; lists are replaced whole.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from,
    }
}

fn delete(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let caller = cx.caller;
    let mut answer = receipt(find(cx, &input.name)?, caller);
    answer["ConnectionState"] = json!("DELETING");
    cx.realm().connections.remove(&input.name);
    Ok(answer)
}

fn deauthorize(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let (now, caller) = (cx.now, cx.caller);
    let connection = find(cx, &input.name)?;
    (connection.authorized, connection.modified) = (false, now);
    let mut answer = receipt(connection, caller);
    answer["ConnectionState"] = json!("DEAUTHORIZING");
    Ok(answer)
}

fn describe(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let caller = cx.caller;
    let connection = find(cx, &input.name)?;
    let mut answer = receipt(connection, caller);
    let (name, id) = (&connection.name, &connection.id);
    answer["Name"] = json!(name);
    answer["AuthorizationType"] = json!(connection.authorization_type);
    answer["AuthParameters"] = without_secrets(&connection.auth);
    let secret = format!("secret:events!connection/{name}/{id}");
    answer["SecretArn"] =
        json!(arn("secretsmanager", &caller.region, &caller.account, &secret).replace('!', "-"));
    answer["Description"] = json!(connection.description);
    answer["KmsKeyIdentifier"] = json!(connection.kms_key);
    Ok(slim(answer))
}

fn list(cx: &mut Cx<'_>, input: &List) -> Answer {
    let caller = cx.caller;
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let wanted = |connection: &Connection| {
        input
            .connection_state
            .as_deref()
            .is_none_or(|s| s == state(connection))
    };
    let rows = cx
        .realm()
        .connections
        .iter()
        .filter(|(name, connection)| name.starts_with(prefix) && wanted(connection));
    let rows = rows.map(|(name, connection)| {
        let mut row = receipt(connection, caller);
        row["Name"] = json!(name);
        row["AuthorizationType"] = json!(connection.authorization_type);
        (name.as_str(), row)
    });
    let page = events_page("ListConnections", rows, input.next_token.as_deref(), input.limit)?;
    Ok(slim(json!({ "Connections": page.items, "NextToken": page.next })))
}

/// The parameters must be those of the type.
fn check(kind: &str, auth: &Value) -> Result<(), Fault> {
    let wanted = match kind {
        "BASIC" => "BasicAuthParameters",
        "API_KEY" => "ApiKeyAuthParameters",
        _ => "OAuthParameters",
    };
    if auth.get(wanted).is_none_or(Value::is_null) {
        return Err(Fault::validation(format!(
            "Missing required AuthParameters: {wanted} is needed for {kind}."
        )));
    }
    let foreign = ["BasicAuthParameters", "ApiKeyAuthParameters", "OAuthParameters"];
    if let Some(odd) = foreign
        .into_iter()
        .find(|name| *name != wanted && auth.get(*name).is_some_and(|v| !v.is_null()))
    {
        return Err(Fault::validation(format!(
            "{odd} does not belong to the authorization type {kind}."
        )));
    }
    Ok(())
}

fn without_secrets(auth: &Value) -> Value {
    match auth {
        Value::Object(members) => {
            let is_secret = members
                .get("IsValueSecret")
                .is_some_and(|flag| *flag == Value::Bool(true));
            let shown = members.iter().filter(|(name, _)| {
                let name = name.as_str();
                !matches!(name, "Password" | "ClientSecret" | "ApiKeyValue")
                    && (!is_secret || name != "Value")
            });
            Value::Object(
                shown
                    .map(|(name, value)| (name.clone(), without_secrets(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}

fn state(connection: &Connection) -> &'static str {
    if connection.authorized {
        "AUTHORIZED"
    } else {
        "DEAUTHORIZED"
    }
}

fn receipt(connection: &Connection, caller: &Caller) -> Value {
    let resource = format!("connection/{}/{}", connection.name, connection.id);
    json!({
        "ConnectionArn": arn("events", &caller.region, &caller.account, &resource),
        "ConnectionState": state(connection),
        "CreationTime": epoch_seconds(connection.created),
        "LastModifiedTime": epoch_seconds(connection.modified),
        "LastAuthorizedTime": epoch_seconds(connection.authorized_at),
    })
}

fn find<'c>(cx: &'c mut Cx<'_>, name: &str) -> Result<&'c mut Connection, Fault> {
    let found = cx.realm().connections.get_mut(name);
    found.ok_or_else(|| {
        Fault::not_found(format!(
            "Failed to describe the connection(s). Connection '{name}' does not exist."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let auth = json!({
            "BasicAuthParameters": { "Username": "u", "Password": "p" },
            "InvocationHttpParameters": { "HeaderParameters": [
                { "Key": "a", "Value": "shown", "IsValueSecret": false },
                { "Key": "b", "Value": "hidden", "IsValueSecret": true },
            ] },
        });
        let shown = without_secrets(&auth).to_string();
        assert!(shown.contains("shown") && shown.contains("\"u\""), "{shown}");
        assert!(
            !shown.contains("hidden") && !shown.contains("Password"),
            "{shown}"
        );
    }
}

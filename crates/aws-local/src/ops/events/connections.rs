//! Connections: the credentials of API destinations. Secrets are stored and never returned.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::arn::arn;
use crate::caller::Caller;
use crate::clock::{Millis, epoch_seconds};
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::api_destination::Connection;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateConnection", create),
    &Op::write("UpdateConnection", update),
    &Op::write("DeleteConnection", |call, input| delete(call, &input)),
    &Op::write("DeauthorizeConnection", |call, input| deauthorize(call, &input)),
    &Op::read("DescribeConnection", |call, input| describe(call, &input)),
    &Op::read("ListConnections", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    description: Option<String>,
    authorization_type: String,
    auth_parameters: Value,
    invocation_connectivity_parameters: Option<Value>,
    kms_key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    name: String,
    description: Option<String>,
    authorization_type: Option<String>,
    auth_parameters: Option<Value>,
    invocation_connectivity_parameters: Option<Value>,
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

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    refuse_private(input.invocation_connectivity_parameters.as_ref())?;
    check(&input.authorization_type, &input.auth_parameters)?;
    if call.realm().connections.contains_key(&input.name) {
        return Err(Fault::exists(format!(
            "Connection {} already exists.",
            input.name
        )));
    }
    let connection = Connection {
        name: input.name.clone(),
        id: call.turn.dice.uuid(),
        description: input.description,
        authorization_type: input.authorization_type,
        auth: with_method(input.auth_parameters).into(),
        kms_key: input.kms_key_identifier,
        authorized: true,
        created: call.turn.now,
        modified: call.turn.now,
        authorized_at: call.turn.now,
    };
    let answer = made(&connection, call.caller, call.turn.now);
    call.realm().connections.insert(input.name, connection);
    Ok(answer)
}

fn update(call: &mut Call<'_>, input: Update) -> Answer {
    refuse_private(input.invocation_connectivity_parameters.as_ref())?;
    let (now, caller) = (call.turn.now, call.caller);
    let connection = find(call, &input.name)?;
    if input.authorization_type.is_some() || input.auth_parameters.is_some() {
        authorize(connection, input.authorization_type, input.auth_parameters, now)?;
    }
    connection.description = input.description.or_else(|| connection.description.clone());
    connection.kms_key = input.kms_key_identifier.or_else(|| connection.kms_key.clone());
    connection.modified = now;
    Ok(receipt(connection, caller, now))
}

fn authorize(
    connection: &mut Connection,
    kind: Option<String>,
    given: Option<Value>,
    now: Millis,
) -> Result<(), Fault> {
    let kind = kind.unwrap_or_else(|| connection.authorization_type.clone());
    let mut auth = if kind == connection.authorization_type {
        Value::clone(&connection.auth)
    } else {
        json!({})
    };
    merge(&mut auth, given.unwrap_or(Value::Null));
    check(&kind, &auth)?;
    connection.authorization_type = kind;
    connection.auth = with_method(auth).into();
    (connection.authorized, connection.authorized_at) = (true, now);
    Ok(())
}

/// The method of token requests, which is taken in lower case too.
fn with_method(mut auth: Value) -> Value {
    if let Some(Value::String(method)) = auth.pointer_mut("/OAuthParameters/HttpMethod") {
        method.make_ascii_uppercase();
    }
    auth
}

fn refuse_private(parameters: Option<&Value>) -> Result<(), Fault> {
    if parameters.is_none_or(Value::is_null) {
        return Ok(());
    }
    Err(Fault::validation(
        "Connections to private APIs are not offered by the local AWS. Nothing was done.",
    ))
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

fn delete(call: &mut Call<'_>, input: &Name) -> Answer {
    let (now, caller) = (call.turn.now, call.caller);
    let mut answer = receipt(find(call, &input.name)?, caller, now);
    answer["ConnectionState"] = json!("DELETING");
    call.realm().connections.remove(&input.name);
    Ok(answer)
}

fn deauthorize(call: &mut Call<'_>, input: &Name) -> Answer {
    let (now, caller) = (call.turn.now, call.caller);
    let connection = find(call, &input.name)?;
    (connection.authorized, connection.modified) = (false, now);
    connection.auth = json!({}).into();
    let mut answer = receipt(connection, caller, now);
    answer["ConnectionState"] = json!("DEAUTHORIZING");
    Ok(answer)
}

fn describe(call: &mut Call<'_>, input: &Name) -> Answer {
    let (now, caller) = (call.turn.now, call.caller);
    let connection = find(call, &input.name).map_err(|missing| {
        Fault::not_found(format!(
            "Failed to describe the connection(s). {}",
            missing.message
        ))
    })?;
    let mut answer = receipt(connection, caller, now);
    answer["Name"] = json!(connection.name);
    answer["AuthorizationType"] = json!(connection.authorization_type);
    answer["AuthParameters"] = without_secrets(&connection.auth);
    let secret = arn(
        "secretsmanager",
        &caller.region,
        &caller.account,
        &secret_name(connection),
    );
    answer["SecretArn"] = json!(secret);
    answer["Description"] = json!(connection.description);
    answer["KmsKeyIdentifier"] = json!(connection.kms_key);
    Ok(without_nulls(answer))
}

/// The secret that AWS would keep the parameters in, with the six characters that its service adds to a name.
fn secret_name(connection: &Connection) -> String {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, connection.id.as_bytes());
    let suffix = &connection.id[..6.min(connection.id.len())];
    format!("secret:events!connection/{}/{id}-{suffix}", connection.name)
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let (now, caller) = (call.turn.now, call.caller);
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let wanted = |connection: &Connection| {
        input
            .connection_state
            .as_deref()
            .is_none_or(|s| s == connection.state(now))
    };
    let rows = call
        .realm()
        .connections
        .iter()
        .filter(|(name, connection)| name.starts_with(prefix) && wanted(connection));
    let rows = rows.map(|(name, connection)| {
        let mut row = receipt(connection, caller, now);
        row["Name"] = json!(name);
        row["AuthorizationType"] = json!(connection.authorization_type);
        (name.as_str(), row)
    });
    let page = EVENTS_PAGES.page("ListConnections", rows, input.next_token.as_deref(), input.limit)?;
    Ok(without_nulls(
        json!({ "Connections": page.items, "NextToken": page.next }),
    ))
}

/// The parameters must be those of the type.
fn check(kind: &str, auth: &Value) -> Result<(), Fault> {
    refuse_private(auth.get("ConnectivityParameters"))?;
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

/// The answer to CreateConnection.
fn made(connection: &Connection, caller: &Caller, now: Millis) -> Value {
    let mut answer = receipt(connection, caller, now);
    answer["LastAuthorizedTime"] = Value::Null;
    without_nulls(answer)
}

fn receipt(connection: &Connection, caller: &Caller, now: Millis) -> Value {
    let resource = format!("connection/{}/{}", connection.name, connection.id);
    json!({
        "ConnectionArn": arn("events", &caller.region, &caller.account, &resource),
        "ConnectionState": connection.state(now),
        "CreationTime": epoch_seconds(connection.created),
        "LastModifiedTime": epoch_seconds(connection.modified),
        "LastAuthorizedTime": epoch_seconds(connection.authorized_at),
    })
}

fn find<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Connection, Fault> {
    let found = call.realm().connections.get_mut(name);
    found.ok_or_else(|| Fault::not_found(format!("Connection '{name}' does not exist.")))
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

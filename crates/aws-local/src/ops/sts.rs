//! STS: who am I, and keys for another account's role.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Answer, Call, Op, Operation, without_nulls};
use crate::arn::{Arn, root};
use crate::clock::rfc3339_seconds;
use crate::fault::Fault;
use crate::state::Session;

/// The lifetime that assumed keys report. They work after it too: signatures are not checked here.
const HOUR_SECONDS: i64 = 3_600;

pub(crate) const OPS: &[&dyn Operation] = &[
    &Op::read("GetCallerIdentity", |call, _: IgnoredAny| Ok(identity(call))),
    &Op::write("AssumeRole", assume),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assume {
    role_arn: String,
    role_session_name: String,
    duration_seconds: Option<i64>,
    source_identity: Option<String>,
}

fn identity(call: &mut Call<'_>) -> Value {
    let session = call
        .caller
        .key
        .as_ref()
        .and_then(|key| call.turn.world.sessions.get(key).map(|session| (key, session)));
    let Some((key, session)) = session else {
        let account = &call.caller.account;
        let arn = root(&call.caller.region, account);
        return json!({ "Arn": arn, "UserId": account, "Account": account });
    };
    json!({
        "Arn": session_arn(session),
        "UserId": format!("{}:{}", role_id(key), session.name),
        "Account": session.account,
    })
}

fn assume(call: &mut Call<'_>, input: Assume) -> Answer {
    let arn = Arn::parse(&input.role_arn).filter(|arn| arn.service == "iam" && arn.account.len() == 12);
    let role = arn.and_then(|arn| Some((arn.account, arn.resource.strip_prefix("role/")?)));
    let is_role = |(account, role): &(&str, &str)| {
        account.bytes().all(|b| b.is_ascii_digit()) && role.split('/').all(|part| !part.is_empty())
    };
    let Some((account, role)) = role.filter(is_role) else {
        return Err(Fault::new(
            "ValidationError",
            format!("{} is invalid", input.role_arn),
        ));
    };
    let name = role.rsplit('/').next().unwrap_or(role);
    let session = Session {
        account: account.to_owned(),
        role: name.to_owned(),
        name: input.role_session_name,
        partition: input.role_arn.split(':').nth(1).unwrap_or("aws").to_owned(),
    };
    let key = format!("ASIA{:016X}", call.turn.dice.roll());
    let secret = call.turn.dice.uuid().replace('-', "");
    let token = call.turn.dice.uuid().replace('-', "");
    let seconds = input.duration_seconds.unwrap_or(HOUR_SECONDS);
    let answer = without_nulls(json!({
        "SourceIdentity": input.source_identity,
        "AssumedRoleUser": { "AssumedRoleId": format!("{}:{}", role_id(&key), session.name), "Arn": session_arn(&session) },
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": rfc3339_seconds(call.turn.now + seconds * 1000),
        },
    }));
    call.turn.world.sessions.insert(key, session);
    Ok(answer)
}

fn session_arn(session: &Session) -> String {
    format!(
        "arn:{}:sts::{}:assumed-role/{}/{}",
        session.partition, session.account, session.role, session.name
    )
}

fn role_id(key: &str) -> String {
    key.replacen("ASIA", "AROA", 1)
}

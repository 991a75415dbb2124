//! The calls that the programs under test made to AWS, collected over all cases: each companion's local AWS is asked when the
//! companion ends.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::http;
use crate::runtime::block_on;

/// One kind of call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The page of the registry's documentation, or the program's use: `resources/eventbridge_rule`, `programs/export`.
    pub page: String,
    /// The operation of Terraform's; empty for a program.
    pub step: String,
    /// AWS's operation: `events:PutRule`.
    pub operation: String,
}

/// What the provider's labels begin with, and the folder of the page.
const KINDS: [(&str, &str); 5] = [
    ("data.", "data-sources"),
    ("action.", "actions"),
    ("ephemeral.", "ephemeral-resources"),
    ("list.", "list-resources"),
    ("", "resources"),
];

static MADE: Mutex<BTreeSet<Call>> = Mutex::new(BTreeSet::new());

/// Adds what the local AWS at this address has counted. One that does not answer has been killed by its case.
pub(crate) fn collect(endpoint: &str) {
    let url = format!("{endpoint}/_local/calls");
    let answer = block_on(async { http::client().get(url).send().await?.json::<Value>().await });
    let Ok(answer) = answer else { return };
    let rows = answer["calls"].as_array().into_iter().flatten();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let calls = rows.filter_map(|row| call(&text(row, "user_agent"), &text(row, "operation")));
    MADE.lock().unwrap_or_else(PoisonError::into_inner).extend(calls);
}

/// All calls so far.
pub fn made() -> BTreeSet<Call> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A call by what its `User-Agent` says; none where neither program says what it is for.
fn call(user_agent: &str, operation: &str) -> Option<Call> {
    let (page, step) = user_agent
        .split_whitespace()
        .find_map(|word| program(word).or_else(|| label(word)))?;
    Some(Call {
        page,
        step,
        // IAM has one prefix for both kinds of event bus.
        operation: operation.replace("eventsv2:", "events:"),
    })
}

/// What the companion's clients call themselves: `app/scalr-eventbridge-export`.
fn program(word: &str) -> Option<(String, String)> {
    let name = word.strip_prefix("app/scalr-eventbridge-")?;
    Some((format!("programs/{name}"), String::new()))
}

/// What the provider works for: `data.scalr_eventbridge_source/read`.
fn label(word: &str) -> Option<(String, String)> {
    let (subject, step) = word.split_once('/')?;
    let (name, folder) = KINDS.iter().find_map(|(kind, folder)| {
        let name = subject.strip_prefix(kind)?.strip_prefix("scalr_")?;
        Some((name, folder))
    })?;
    Some((format!("{folder}/{name}"), step.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::call;

    fn check(user_agent: &str, want: Option<(&str, &str)>) {
        let found = call(user_agent, "events:PutRule");
        let found = found
            .as_ref()
            .map(|call| (call.page.as_str(), call.step.as_str()));
        assert_eq!(found, want, "{user_agent}");
    }

    #[test]
    fn user_agents_say_what_a_call_is_for() {
        let sdk = "aws-sdk-rust/1.3.14 ua/2.1 api/eventbridge/1.127.0";
        let own = format!("{sdk} terraform-provider-scalr/0.1.0 (plugin protocol 6) team/7");
        for (label, page, step) in [
            (
                "scalr_eventbridge_rule/create",
                "resources/eventbridge_rule",
                "create",
            ),
            (
                "data.scalr_eventbridge_source/read",
                "data-sources/eventbridge_source",
                "read",
            ),
            (
                "list.scalr_eventbridge_bus/list",
                "list-resources/eventbridge_bus",
                "list",
            ),
            (
                "action.scalr_eventbridge_refresh/invoke",
                "actions/eventbridge_refresh",
                "invoke",
            ),
        ] {
            check(&format!("{own} {label}"), Some((page, step)));
        }
        check(
            &format!("{sdk} app/scalr-eventbridge-export"),
            Some(("programs/export", "")),
        );
        check(&own, None);
        check("", None);
    }
}

//! The operations of AWS that the code names are those of `permissions.json`: a new call shows here before an acceptance run
//! makes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

const SERVICES: [&str; 6] = ["events", "eventsv2", "iam", "logs", "sns", "sqs"];

/// The texts of the code that are an operation's name, tests left out.
fn named(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                named(&path, found);
            }
        } else if !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            found.extend(
                code.split('"')
                    .filter(|text| is_operation(text))
                    // IAM has one prefix for both kinds of event bus.
                    .map(|call| call.replace("eventsv2:", "events:")),
            );
        }
    }
}

fn is_operation(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, name)| {
        SERVICES.contains(&service)
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// What the pages of the provider declare, those of the companion's programs left out.
fn declared(table: &Json) -> BTreeSet<String> {
    let pages = table["pages"].as_object().unwrap();
    let ours = pages.iter().filter(|(page, _)| !page.starts_with("programs/"));
    let mut found = BTreeSet::new();
    for (_, needs) in ours {
        let options = needs["options"].as_array().into_iter().flatten();
        let lists = ["read", "checks", "write", "delete"].map(|purpose| &needs[purpose]);
        for list in lists.into_iter().chain(options.map(|option| &option["actions"])) {
            let actions = list.as_array().into_iter().flatten().filter_map(Json::as_str);
            found.extend(actions.filter(|action| is_operation(action)).map(str::to_owned));
        }
    }
    found
}

#[test]
fn the_code_names_what_the_pages_declare() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("permissions.json")).unwrap();
    let mut declared = declared(&serde_json::from_str(&table).unwrap());
    let mut named_in_code = BTreeSet::new();
    named(&root.join("src"), &mut named_in_code);
    // What EventBridge does at a destination is no call of the provider's.
    for theirs in [
        "events:InvokeApiDestination",
        "events:PutEvents",
        "events:PutRawEvents",
        "logs:PutLogEvents",
        "sns:Publish",
        "sqs:SendMessage",
    ] {
        assert!(named_in_code.remove(theirs), "{theirs}");
    }
    // IAM asks for these where EventBridge is called.
    for asked in ["iam:CreateServiceLinkedRole", "iam:PassRole"] {
        assert!(declared.remove(asked), "{asked}");
    }
    assert_eq!(declared, named_in_code);
}

//! What `provider/permissions.json` declares, compared with the calls that were made.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::calls::Call;
use crate::paths;

/// What a page may need permissions for.
const PURPOSES: [&str; 4] = ["checks", "read", "write", "delete"];

/// Reads the file.
///
/// # Errors
/// When it cannot be read.
pub fn declared() -> Result<Value> {
    let path = paths::root().join("provider/permissions.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// The calls that no page declares for what they were made for.
pub fn undeclared(declared: &Value, made: &BTreeSet<Call>) -> Vec<String> {
    let pages = pages(declared);
    let is_declared = |call: &&Call| {
        let needs = pages.get(call.page.as_str());
        allowed_in(&call.step)
            .iter()
            .any(|purpose| needs.is_some_and(|needs| needs.contains(&(*purpose, call.operation.as_str()))))
    };
    let say = |call: &Call| {
        let Call {
            page,
            step,
            operation,
        } = call;
        format!(
            "provider/permissions.json: `{page}` called `{operation}` in `{step}`, and does not declare it"
        )
    };
    made.iter().filter(|call| !is_declared(call)).map(say).collect()
}

/// What is declared and was never called, and what is called although `not_called` says otherwise. What `sometimes_called` names
/// depends on the order in which things happen.
pub fn never_made(declared: &Value, made: &BTreeSet<Call>) -> Vec<String> {
    let is_made = |page: &str, purpose: &str, action: &str| {
        made.iter()
            .any(|call| call.page == page && call.operation == action && shows(&call.step, purpose))
    };
    let mut found = Vec::new();
    for (page, needs) in pages(declared) {
        for (purpose, action) in needs {
            let names = |list: &str| {
                let keys = [action.to_owned(), format!("{page} {purpose} {action}")];
                keys.iter().any(|key| declared[list][key].is_string())
            };
            let why = match (is_made(page, purpose, action), names("not_called")) {
                _ if names("sometimes_called") => continue,
                (false, false) => "no case calls it there",
                (true, true) => "it is called there, which `not_called` denies",
                _ => continue,
            };
            found.push(format!(
                "provider/permissions.json: `{page}` declares `{action}` for `{purpose}`, and {why}"
            ));
        }
    }
    found
}

/// The purposes and actions of each page.
fn pages(declared: &Value) -> BTreeMap<&str, BTreeSet<(&str, &str)>> {
    let pages = declared["pages"].as_object().into_iter().flatten();
    pages
        .map(|(page, needs)| (page.as_str(), needs.as_object().map(of_page).unwrap_or_default()))
        .collect()
}

fn of_page(needs: &Map<String, Value>) -> BTreeSet<(&str, &str)> {
    let mut all = BTreeSet::new();
    for purpose in PURPOSES {
        let named = needs.get(purpose).into_iter().flat_map(actions_of);
        all.extend(named.map(|action| (purpose, action)));
    }
    let options = needs.get("options").and_then(Value::as_array);
    for option in options.into_iter().flatten() {
        for purpose in actions_of(&option["for"]) {
            all.extend(
                actions_of(&option["actions"])
                    .into_iter()
                    .map(|action| (purpose, action)),
            );
        }
    }
    all
}

fn actions_of(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// What an operation of Terraform's may do.
fn allowed_in(step: &str) -> &'static [&'static str] {
    match step {
        "create" | "update" => &["checks", "read", "write"],
        "delete" => &["checks", "read", "delete"],
        _ => &["checks", "read"],
    }
}

/// Whether an operation is one that something is declared for, so that a policy for it alone has no more than that needs.
fn shows(step: &str, purpose: &str) -> bool {
    match purpose {
        "checks" => true,
        "write" => matches!(step, "create" | "update"),
        "delete" => step == "delete",
        _ => !matches!(step, "create" | "update" | "delete" | "plan"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call((page, step, operation): &(&str, &str, &str)) -> Call {
        Call {
            page: (*page).to_owned(),
            step: (*step).to_owned(),
            operation: (*operation).to_owned(),
        }
    }

    fn check(made: &[(&str, &str, &str)], undeclared_want: &[&str], never_want: &[&str]) {
        let declared = json!({
            "pages": { "resources/rule": {
                "checks": ["e:Look"],
                "read": ["e:Get", "e:First"],
                "write": ["e:Put"],
                "delete": ["e:Delete"],
                "options": [
                    { "for": ["write", "delete"], "actions": ["e:Tag"] },
                    { "for": ["write"], "actions": ["iam:PassRole", "e:Rare"] }
                ]
            } },
            "not_called": { "iam:PassRole": "implied", "resources/rule write e:Rare": "no case" },
            "sometimes_called": { "e:First": "by whoever asks first" }
        });
        let made: BTreeSet<Call> = made.iter().map(call).collect();
        for (found, want) in [
            (undeclared(&declared, &made), undeclared_want),
            (never_made(&declared, &made), never_want),
        ] {
            assert_eq!(found.len(), want.len(), "{made:?} {found:?}");
            for (line, words) in found.iter().zip(want) {
                assert!(
                    words.split(' ').all(|word| line.contains(&format!("`{word}`"))),
                    "{line} {words}"
                );
            }
        }
    }

    const WHOLE: [(&str, &str, &str); 6] = [
        ("resources/rule", "plan", "e:Look"),
        ("resources/rule", "read", "e:Get"),
        ("resources/rule", "create", "e:Put"),
        ("resources/rule", "delete", "e:Delete"),
        ("resources/rule", "update", "e:Tag"),
        ("resources/rule", "delete", "e:Tag"),
    ];

    fn with(
        more: &[(&'static str, &'static str, &'static str)],
    ) -> Vec<(&'static str, &'static str, &'static str)> {
        WHOLE.iter().chain(more).copied().collect()
    }

    #[test]
    fn what_is_called_and_what_is_declared_are_the_same() {
        check(&WHOLE, &[], &[]);
        // What only reads belongs to every operation.
        check(&with(&[("resources/rule", "create", "e:Get")]), &[], &[]);
        check(
            &with(&[("resources/rule", "plan", "e:Put")]),
            &["resources/rule e:Put plan"],
            &[],
        );
        check(
            &with(&[("resources/rule", "read", "e:Put")]),
            &["resources/rule e:Put read"],
            &[],
        );
        check(
            &with(&[("resources/rule", "delete", "e:Put")]),
            &["resources/rule e:Put delete"],
            &[],
        );
        check(
            &with(&[("resources/bus", "read", "e:Get")]),
            &["resources/bus e:Get read"],
            &[],
        );
        check(&WHOLE[..5], &[], &["resources/rule e:Tag delete"]);
        // A read that only an apply makes is none that a plan needs.
        let mut late = WHOLE;
        late[1].1 = "create";
        check(&late, &[], &["resources/rule e:Get read"]);
        check(
            &with(&[("resources/rule", "create", "e:Rare")]),
            &[],
            &["resources/rule e:Rare write not_called"],
        );
    }
}

//! Which of our crates may see which: exactly the edges below, in every kind of dependency.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

/// Each crate and those of ours that it uses.
const EDGES: [(&str, &[&str]); 10] = [
    ("event-pattern", &[]),
    ("scalr-api", &[]),
    ("scalr-events", &["event-pattern"]),
    ("tfplugin-derive", &[]),
    ("tfplugin", &["tfplugin-derive"]),
    ("aws-local", &["event-pattern"]),
    (
        "terraform-provider-scalr",
        &["event-pattern", "scalr-api", "scalr-events", "tfplugin"],
    ),
    (
        "scalr-eventbridge",
        &["aws-local", "event-pattern", "scalr-api", "scalr-events"],
    ),
    ("acceptance", &[]),
    ("xtask", &[]),
];

/// The crates that stay small, and all that they may use of others' when no feature is asked for.
const SMALL: [(&str, &[&str]); 2] = [
    ("event-pattern", &["memchr", "serde", "serde_json"]),
    ("scalr-api", &["memchr", "serde", "serde_json"]),
];

/// Compares `cargo metadata` with the tables.
pub(super) fn check(metadata: &str) -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(metadata).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata without packages")?;
    let names: BTreeSet<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let allowed: BTreeMap<_, _> = EDGES.into_iter().collect();
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(wanted) = allowed.get(name) else {
            found.push(format!("crate {name}: not in the table of crate edges"));
            continue;
        };
        let ours: BTreeSet<&str> = depends(package, |_| true)
            .filter(|on| names.contains(on))
            .collect();
        let wanted: BTreeSet<&str> = wanted.iter().copied().collect();
        found.extend(
            ours.difference(&wanted)
                .map(|on| format!("crate {name}: may not use {on}")),
        );
        found.extend(
            wanted
                .difference(&ours)
                .map(|on| format!("crate {name}: no longer uses {on}: take the edge out")),
        );
        found.extend(too_much(name, package));
    }
    found.extend(
        allowed
            .keys()
            .filter(|name| !names.contains(*name))
            .map(|name| format!("crate {name}: is gone")),
    );
    Ok(found)
}

fn too_much(name: &str, package: &Value) -> Vec<String> {
    let Some((_, few)) = SMALL.into_iter().find(|(small, _)| *small == name) else {
        return Vec::new();
    };
    let always = depends(package, |on| on["kind"].is_null() && on["optional"] == false);
    always
        .filter(|on| !few.contains(on))
        .map(|on| format!("crate {name}: stays small and may not use {on}"))
        .collect()
}

fn depends<'a>(package: &'a Value, like: impl Fn(&Value) -> bool + 'a) -> impl Iterator<Item = &'a str> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.filter(move |on| like(on))
        .filter_map(|on| on["name"].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{EDGES, check};

    fn metadata(change: impl Fn(&str, &mut Vec<Value>)) -> String {
        let packages: Vec<_> = EDGES
            .iter()
            .map(|(name, uses)| {
                let on = |name: &&str| json!({"name": name, "kind": null, "optional": false});
                let mut dependencies: Vec<_> = uses.iter().map(on).collect();
                change(name, &mut dependencies);
                json!({"name": name, "dependencies": dependencies})
            })
            .collect();
        json!({"packages": packages}).to_string()
    }

    #[test]
    fn only_the_tables_edges_pass() {
        assert_eq!(check(&metadata(|_, _| {})).unwrap(), Vec::<String>::new());
        let found = check(&metadata(|name, on| {
            if name == "tfplugin" {
                on.push(json!({"name": "scalr-api", "kind": "dev", "optional": false}));
            }
            if name == "event-pattern" {
                on.push(json!({"name": "tokio", "kind": null, "optional": false}));
            }
            if name == "aws-local" {
                on.clear();
            }
        }));
        let wanted = [
            "crate event-pattern: stays small and may not use tokio",
            "crate tfplugin: may not use scalr-api",
            "crate aws-local: no longer uses event-pattern: take the edge out",
        ];
        assert_eq!(found.unwrap(), wanted);
    }
}

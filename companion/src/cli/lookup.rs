//! Connections and workspaces by id or by name, as people type them.

use anyhow::{Context as _, bail};
use scalr_api::{Client, Connection, ConnectionId, Object, Workspace, WorkspaceId};
use scalr_events::nearest;

/// How many names a message lists.
const NAMES_MAX: usize = 10;

/// The connection of this id, or of this name.
pub(super) async fn connection(client: &Client, given: &str) -> anyhow::Result<Object<Connection>> {
    if given.starts_with("in-")
        && let Ok(id) = ConnectionId::new(given)
        && let Some(found) = client.connection(&id).await?
    {
        return Ok(found);
    }
    let mut matching = client.connections(Some(given)).await?;
    matching.retain(|one| one.attributes.name == given);
    if matching.len() > 1 {
        matching.sort_by(|a, b| a.attributes.region.cmp(&b.attributes.region));
        let ids: Vec<String> = matching
            .iter()
            .map(|one| {
                format!(
                    "`{}` ({}, {})",
                    one.id, one.attributes.aws_account_id, one.attributes.region
                )
            })
            .collect();
        bail!(
            "{} connections are named `{given}`; name one by its id: {}",
            ids.len(),
            ids.join(", ")
        );
    }
    if let Some(found) = matching.pop() {
        return Ok(found);
    }
    let all = client.connections(None).await?;
    let names: Vec<&str> = all
        .iter()
        .flat_map(|one| [one.attributes.name.as_str(), one.id.as_str()])
        .collect();
    let shown = all.iter().map(|one| one.attributes.name.as_str()).collect();
    bail!(missing(
        "connection",
        given,
        &names,
        shown,
        "`scalr-eventbridge connections create` makes one"
    ))
}

/// The workspace of this id, or of this name.
pub(super) async fn workspace(client: &Client, given: &str) -> anyhow::Result<Object<Workspace>> {
    if let Ok(id) = WorkspaceId::new(given)
        && given.starts_with("ws-")
    {
        let found = client.workspace(&id).await?;
        return found.with_context(|| {
            format!("there is no workspace `{given}`, or the token may not see it; `scalr-eventbridge runs list` shows those that have run")
        });
    }
    let mut matching = client.workspaces(Some(given)).await?;
    matching.retain(|one| one.attributes.name == given);
    if matching.len() > 1 {
        let ids: Vec<String> = matching.iter().map(|one| format!("`{}`", one.id)).collect();
        bail!(
            "{} workspaces are named `{given}`; name one by its id: {}",
            ids.len(),
            ids.join(", ")
        );
    }
    if let Some(found) = matching.pop() {
        return Ok(found);
    }
    let all = client.workspaces(None).await?;
    let names: Vec<&str> = all.iter().map(|one| one.attributes.name.as_str()).collect();
    bail!(missing(
        "workspace",
        given,
        &names,
        names.clone(),
        "Scalr's web interface makes one"
    ))
}

/// That there is none of this name, with the nearest one, or with those that there are.
fn missing(kind: &str, given: &str, known: &[&str], mut shown: Vec<&str>, make: &str) -> String {
    let given_shown = given.escape_debug();
    if let Some(near) = nearest(given, known.iter().copied()) {
        return format!("there is no {kind} `{given_shown}`; did you mean `{near}`?");
    }
    shown.sort_unstable();
    let left_out = shown.len().saturating_sub(NAMES_MAX);
    shown.truncate(NAMES_MAX);
    let names: Vec<String> = shown.iter().map(|name| format!("`{name}`")).collect();
    match (names.is_empty(), left_out) {
        (true, _) => format!("there is no {kind} `{given_shown}`, and no other one; {make}"),
        (false, 0) if names.len() == 1 => {
            format!(
                "there is no {kind} `{given_shown}`; the only one is {}",
                names.concat()
            )
        }
        (false, 0) => format!(
            "there is no {kind} `{given_shown}`; there are {}",
            names.join(", ")
        ),
        (false, more) => format!(
            "there is no {kind} `{given_shown}`; there are {} and {more} more",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_is_answered_with_the_nearest() {
        let many: Vec<String> = (0..12).map(|n| format!("name-{n:02}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (given, known, want) in [
            ("prdo", vec!["dev", "prod"], "did you mean `prod`?"),
            ("x", vec!["prod", "dev"], "there are `dev`, `prod`"),
            ("x", vec!["prod"], "the only one is `prod`"),
            ("x", vec![], "and no other one; make it"),
            ("zzzzzzz", many, "`name-09` and 2 more"),
        ] {
            let text = missing("connection", given, &known, known.clone(), "make it");
            assert!(text.ends_with(want), "{text}");
        }
    }
}

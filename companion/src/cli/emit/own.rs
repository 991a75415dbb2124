//! The account, environment and workspace that an event is about: those that the account has.

use anyhow::Context as _;
use scalr_api::{Client, Object, Workspace};
use scalr_events::EventType;
use serde_json::{Value, json};

use super::super::lookup;

/// A workspace of the account, with what it is in.
pub(super) struct OwnObjects {
    account: Named,
    environment: Named,
    workspace: Named,
}

/// A field of an event by the name of its filter, and its value.
pub(super) type Field = (&'static str, Value);

/// An object by id and name.
struct Named {
    id: String,
    name: String,
}

impl Named {
    fn of<K: scalr_api::Kind>(object: &Object<K>, name: &str) -> Self {
        Self {
            id: object.id.to_string(),
            name: name.to_owned(),
        }
    }
}

impl OwnObjects {
    /// Those of the workspace that is given, or of the account's first; none where it has no workspace.
    pub(super) async fn read(client: &Client, workspace: Option<&str>) -> anyhow::Result<Option<Self>> {
        let workspace: Object<Workspace> = if let Some(given) = workspace {
            lookup::workspace(client, given).await?
        } else {
            match client.workspaces(None).await?.into_iter().next() {
                Some(first) => first,
                None => return Ok(None),
            }
        };
        let gone = || {
            format!(
                "the environment of the workspace `{}` cannot be read",
                workspace.id
            )
        };
        let environment = workspace.relationships.environment.id().with_context(gone)?;
        let environment = client.environment(environment).await?.with_context(gone)?;
        let gone = || {
            format!(
                "the account of the environment `{}` cannot be read",
                environment.id
            )
        };
        let account = environment.relationships.account.id().with_context(gone)?;
        let account = client.account(account).await?.with_context(gone)?;
        Ok(Some(Self {
            account: Named::of(&account, &account.attributes.name),
            environment: Named::of(&environment, &environment.attributes.name),
            workspace: Named::of(&workspace, &workspace.attributes.name),
        }))
    }

    /// The fields of an event that is about these.
    pub(super) fn fields(&self, event_type: EventType) -> Vec<Field> {
        let mut fields = vec![
            ("account", json!(self.account.name)),
            ("environment", json!(self.environment.name)),
            ("environment_id", json!(self.environment.id)),
            ("workspace", json!(self.workspace.name)),
            ("workspace_id", json!(self.workspace.id)),
        ];
        if event_type == EventType::AuditLog {
            fields.extend([
                ("account_id", json!(self.account.id)),
                ("target_id", json!(self.workspace.id)),
                ("target_name", json!(self.workspace.name)),
            ]);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use scalr_events::sample_with;

    use super::*;

    #[test]
    fn an_event_is_about_the_accounts_own_objects() {
        let named = |id: &str, name: &str| Named {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        let own = OwnObjects {
            account: named("acc-own", "acme"),
            environment: named("env-own", "production"),
            workspace: named("ws-own", "network"),
        };
        for event_type in EventType::ALL {
            let fields = own.fields(event_type);
            let fields = fields.iter().map(|(name, value)| (*name, value));
            let detail = sample_with(event_type, fields).unwrap()["detail"].to_string();
            for own in ["acme", "production", "network", "env-own", "ws-own"] {
                assert!(detail.contains(own), "no {own} in {detail}");
            }
            let of_sample = [
                "account-name",
                "environment-name\"",
                "workspace-name\"",
                "ws-1234567890",
                "env-1234567890",
            ];
            for left in of_sample {
                assert!(!detail.contains(left), "{left} is left in {detail}");
            }
        }
    }
}

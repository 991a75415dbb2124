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

    fn in_context(&self) -> Value {
        json!({ "id": self.id, "display-name": self.name })
    }
}

impl OwnObjects {
    /// Those of the workspace that is given, or of the account's first.
    pub(super) async fn read(client: &Client, workspace: Option<&str>) -> anyhow::Result<Self> {
        let workspace: Object<Workspace> = if let Some(given) = workspace {
            lookup::workspace(client, given).await?
        } else {
            let all = client.workspaces(None).await?;
            all.into_iter().next().context("the account has no workspace")?
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
        Ok(Self {
            account: Named::of(&account, &account.attributes.name),
            environment: Named::of(&environment, &environment.attributes.name),
            workspace: Named::of(&workspace, &workspace.attributes.name),
        })
    }

    /// An event's detail that is about these.
    pub(super) fn put_into(&self, event_type: EventType, mut detail: Value) -> Value {
        match event_type {
            EventType::RunExecuted => {
                detail["event"]["account"] = json!(self.account.name);
                detail["event"]["environment"] = json!(self.environment.name);
                detail["event"]["workspace"] = json!(self.workspace.name);
                detail["tags"] = json!([
                    format!("scalr-environment:{}", self.environment.id),
                    format!("scalr-workspace:{}", self.workspace.id),
                    format!("scalr-environment-name:{}", self.environment.name),
                    format!("scalr-workspace-name:{}", self.workspace.name),
                ]);
            }
            EventType::AuditLog => {
                detail["target"]["id"] = json!(self.workspace.id);
                detail["target"]["display-name"] = json!(self.workspace.name);
                detail["target"]["context"] = json!({
                    "account": self.account.in_context(),
                    "environment": self.environment.in_context(),
                    "workspace": self.workspace.in_context(),
                });
            }
        }
        detail
    }
}

#[cfg(test)]
mod tests {
    use scalr_events::sample;

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
            let detail = own.put_into(event_type, sample(event_type)["detail"].take());
            let text = detail.to_string();
            for own in ["acme", "production", "network"] {
                assert!(text.contains(own), "{text}");
            }
            let about = detail.pointer("/target").unwrap_or(&detail["event"]).to_string();
            for sample in [
                "account-name",
                "environment-name",
                "workspace-name",
                "ws-1234567890",
                "env-1234567890",
            ] {
                assert!(!about.contains(sample), "{sample} is left in {about}");
            }
        }
    }
}

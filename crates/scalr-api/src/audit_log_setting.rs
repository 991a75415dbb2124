//! The audit-log setting of an account: `/accounts/{id}/audit-log-setting`.

use serde::{Deserialize, Serialize};

use crate::{Account, Connection, Kind, ToOne};

/// The kind `audit-log-settings`: one an account, with the account's id as its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditLogSetting {}

impl Kind for AuditLogSetting {
    const TYPE: &'static str = "audit-log-settings";
    type Attributes = AuditLogSettingAttributes;
    type Relationships = AuditLogSettingRelationships;
    type Input = AuditLogSettingInput;
    type InputRelationships = AuditLogSettingInputRelationships;
}

/// Whether the setting is on.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditLogSettingAttributes {
    /// Whether AuditLog events are streamed.
    pub enabled: bool,
}

/// What the setting belongs to and selects.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLogSettingRelationships {
    /// The connection selected; null when the setting is off.
    #[serde(default)]
    pub integration: ToOne<Connection>,
    /// The Scalr account.
    #[serde(default)]
    pub account: ToOne<Account>,
}

/// What a client may set.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditLogSettingInput {
    /// Whether AuditLog events are streamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What a client may select.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLogSettingInputRelationships {
    /// The connection to select; null selects none, absent leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<ToOne<Connection>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Input, Object};

    #[test]
    fn turning_it_off_sends_null() {
        let input = Input::<AuditLogSetting>::new(
            AuditLogSettingInput { enabled: Some(false) },
            AuditLogSettingInputRelationships {
                integration: Some(ToOne::none()),
            },
        );
        assert_eq!(
            serde_json::to_value(input).unwrap(),
            json!({
                "type": "audit-log-settings", "attributes": {"enabled": false},
                "relationships": {"integration": {"data": null}},
            })
        );
    }

    #[test]
    fn an_answer_is_read() {
        let read: Object<AuditLogSetting> = serde_json::from_value(json!({
            "type": "audit-log-settings", "id": "acc-1", "attributes": {"enabled": true},
            "relationships": {"integration": {"data": {"type": "aws-event-bridge-integrations", "id": "in-1"}}},
        }))
        .unwrap();
        assert!(read.attributes.enabled);
        assert_eq!(read.relationships.integration.id().unwrap().as_str(), "in-1");
    }
}

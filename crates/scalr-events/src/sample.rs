//! One sample of each event, as Scalr's documentation shows it.
//!
//! The envelope of a sample (`id`, `account`, `version`) is not what EventBridge delivers: there `id` is a
//! UUID, `account` the 12-digit account and `version` is `"0"`.

use serde_json::Value;

use crate::EventType;

const RUN_EXECUTED: &str = include_str!("samples/run_executed.json");
const AUDIT_LOG: &str = include_str!("samples/audit_log.json");

/// The sample's JSON text, indented, keys in the documented order.
pub const fn sample_text(event_type: EventType) -> &'static str {
    match event_type {
        EventType::RunExecuted => RUN_EXECUTED,
        EventType::AuditLog => AUDIT_LOG,
    }
}

/// The sample as a JSON value.
pub fn sample(event_type: EventType) -> Value {
    // The tests parse both texts, so `Null` is never seen.
    serde_json::from_str(sample_text(event_type)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, de::DeserializeOwned};

    use super::*;
    use crate::{AuditLog, RunExecuted};

    fn check<T: Serialize + DeserializeOwned>(event_type: EventType) {
        let detail = sample(event_type)["detail"].clone();
        let typed: T = serde_json::from_value(detail.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), detail, "{event_type}");
    }

    #[test]
    fn types_hold_all_of_the_samples() {
        check::<RunExecuted>(EventType::RunExecuted);
        check::<AuditLog>(EventType::AuditLog);
    }
}

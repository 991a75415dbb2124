//! `sample_event(type)`: "Sample event" in the AWS console.

use scalr_events::EventType;
use tfplugin::{Attrs, Function, FunctionError};

/// Returns a sample of Scalr's events, as JSON text, to test patterns with. `jsondecode` gives its fields.
#[derive(Attrs, Debug)]
pub struct SampleEvent {
    /// Detail type of the event: `RunExecuted` or `AuditLog`.
    #[tf(required)]
    r#type: String,
}

impl Function for SampleEvent {
    const NAME: &'static str = "sample_event";
    type Output = String;

    fn call(self) -> Result<String, FunctionError> {
        let event_type: EventType = self
            .r#type
            .parse()
            .map_err(|unknown: scalr_events::UnknownType| {
                FunctionError::new(unknown.to_string()).at(Self::r#type())
            })?;
        Ok(scalr_events::sample_text(event_type).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_is_answered_with_the_right_ones() {
        let call = |text: &str| {
            SampleEvent {
                r#type: text.to_owned(),
            }
            .call()
        };
        assert!(call("RunExecuted").is_ok_and(|text| text.contains("\"RunExecuted\"")));
        assert!(call("AuditLogs").is_err_and(|error| error.to_string().contains("`AuditLog`")));
    }
}

//! `sample_event(type, fields)`: "Sample event" in the AWS console.

use scalr_events::SampleError;
use tfplugin::{Attrs, Dynamic, Function, FunctionError, Variadic};

/// Returns a sample of Scalr's events, as JSON text, to test patterns with. `jsondecode` gives its fields.
///
/// The event is the sample of Scalr's documentation, in the envelope that EventBridge delivers. With an object of fields it has those values, such as the name of your workspace or another result. So you can test that a pattern with filters matches the right events.
#[derive(Attrs, Debug)]
pub struct SampleEvent {
    /// Detail type of the event: `RunExecuted` or `AuditLog`.
    #[tf(required)]
    r#type: String,
    /// Fields that differ from the sample, in at most one object, such as `{ workspace = "network", result = "errored" }`. The names are
    /// those of the filters of `event_pattern`, or paths; a field has one value, and `tags` a list. A null field counts as absent. Title,
    /// tags and `event_type` follow from the other fields unless they are written. A field that the event does not have is an error, as is
    /// a value that it never has.
    #[tf(required)]
    fields: Variadic<Dynamic>,
}

impl Function for SampleEvent {
    const NAME: &'static str = "sample_event";
    type Output = String;

    fn call(self) -> Result<String, FunctionError> {
        let mut fields = Vec::new();
        for (at, value) in self.fields.0.iter().enumerate() {
            let json = value.to_json();
            fields.push(json.map_err(|e| FunctionError::new(format!("{e}.")).at(Self::fields().index(at)))?);
        }
        scalr_events::sample_event(&self.r#type, &fields).map_err(|error| {
            let said = FunctionError::new(error.to_string());
            match error {
                SampleError::Type(_) => said.at(Self::r#type()),
                SampleError::TooMany { .. } => said.at(Self::fields().index(1)),
                _ => said.at(Self::fields().index(0)),
            }
        })
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
                fields: Variadic(Vec::new()),
            }
            .call()
        };
        assert!(call("RunExecuted").is_ok_and(|text| text.contains("\"RunExecuted\"")));
        assert!(call("AuditLogs").is_err_and(|error| error.to_string().contains("`AuditLog`")));
    }
}

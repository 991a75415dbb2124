//! Every call that may change something is noted before it is sent: what was read until then is no answer to later reads.

use aws_sdk_eventbridge::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_eventbridge::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use crate::shared_read::Writes;

/// How the names of operations begin that change nothing.
const READS: [&str; 5] = ["Describe", "List", "Get", "Filter", "Test"];

/// Notes writes of a service.
#[derive(Clone, Debug)]
pub(super) struct NoteWrites(pub(super) Writes);

impl Intercept for NoteWrites {
    fn name(&self) -> &'static str {
        "NoteWrites"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let operation = config.load::<Metadata>().map_or("", Metadata::name);
        if writes(operation) {
            self.0.note();
        }
        Ok(())
    }
}

/// Whether an operation may change something.
fn writes(operation: &str) -> bool {
    !READS.iter().any(|read| operation.starts_with(read))
}

#[cfg(test)]
mod tests {
    use super::writes;

    #[test]
    fn what_is_not_known_to_read_writes() {
        for (operation, want) in [
            ("PutRule", true),
            ("DescribeRule", false),
            ("ListTargetsByRule", false),
            ("TestEventPattern", false),
            ("FilterLogEvents", false),
            ("PutResourcePolicy", true),
            ("GetQueueAttributes", false),
            ("", true),
        ] {
            assert_eq!(writes(operation), want, "{operation}");
        }
    }
}
